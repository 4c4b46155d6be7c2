"""A step goes along the table, whatever answers and looks come in whatever order; and the page shows that table."""

import re
from pathlib import Path

from hypothesis import event, given
from hypothesis import strategies as st

from jobs.engine.case import Case, Made
from jobs.engine.opening import Taking, open_case
from jobs.keys import Pseudonyms
from jobs.ledger.rows import TRANSITIONS, Known, StepStatus
from jobs.model import Outcome
from jobs.systems.row import Row
from jobs.systems.verdict import Again, Done, Doubted, Ended, Taken, Throttled, Undecided

PAGE = Path(__file__).parents[2] / "docs" / "fate-of-a-row.md"
ROW = Row(1, "CRM-1", "cust-1", {"phone": "27821234567"}, "2782*****67", "", None)
PSEUDONYMS = Pseudonyms(b"k" * 32)

ENDS = st.sampled_from(Outcome).map(lambda outcome: Ended(outcome, "some_code", "so it is"))
FOUND = st.one_of(st.builds(Done), st.builds(Undecided), ENDS)
ANSWERS = st.one_of(
    FOUND,
    st.just(Again("not_sent", "refused")),
    st.just(Throttled(None)),
    st.just(Taken("exists already")),
    st.booleans().map(lambda answered: Doubted("unanswered", "lost", answered=answered)),
)


@given(st.lists(st.one_of(st.tuples(st.just("write"), ANSWERS), st.tuples(st.just("look"), FOUND)), max_size=12))
def test_a_step_goes_along_the_table(doings: list[tuple[str, object]]) -> None:
    case = open_case(ROW, None, "run-1", PSEUDONYMS, Taking(), 1)
    assert isinstance(case, Case)
    for now_ms, (doing, verdict) in enumerate(doings, start=2):
        before = case.step("kyc")
        if before.status is StepStatus.DONE:
            break
        if doing == "look":
            case.found("kyc", verdict, now_ms)  # type: ignore[arg-type]  # what FOUND gives
        elif before.status is not StepStatus.UNDECIDED:  # which is never sent again
            case.intend("kyc", Made({}, None, "ab"), now_ms)
            case.learn("kyc", before, verdict, now_ms)  # type: ignore[arg-type]  # what ANSWERS gives
        after = case.step("kyc")
        event(f"{before.status} -> {after.status}")
        doubtful = after.status in {StepStatus.INTENDED, StepStatus.DOUBTFUL}
        assert not (after.status in {StepStatus.DONE, StepStatus.UNDECIDED} and after.doubt_since_ms is not None)
        reopened = open_case(ROW, Known(case.record, case.steps), "run-2", PSEUDONYMS, Taking(), now_ms)
        assert not doubtful or isinstance(reopened, Case)


def test_the_page_shows_the_table() -> None:
    lines = re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {before: frozenset(re.findall(r"`(\w+)`", after)) for before, after in lines if before in set(StepStatus)}

    assert shown == {str(before): frozenset(map(str, after)) for before, after in TRANSITIONS.items()}
