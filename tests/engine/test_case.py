"""A parked case is folded: less memory, nothing personal that could be read, and the same case when it is taken up."""

import copy
import tracemalloc

from jobs.engine.case import Case, Taking, open_case
from jobs.keys import Pseudonyms
from jobs.systems.exchange import Trace
from jobs.systems.row import Row
from jobs.systems.verdict import Done, Undecided

PSEUDONYMS = Pseudonyms(b"k" * 32)


def waiting(number: int) -> Case:
    """A case whose customer was made and whose decision is outstanding."""
    values = {"first_name": f"A{number}", "phone": f"2782{number:07}", "national_id": f"{number:013}", "email": "a@b.c"}
    row = Row(number, f"CRM-{number}", f"cust-{number:032}", values, "2782*****00", "*********0000", None)
    case = open_case(row, None, "run-1", PSEUDONYMS, Taking(), 1)
    assert isinstance(case, Case)
    for name, verdict in (
        ("customer", Done({"customer_id": f"{number}", "customer_origin": "created"}, trace=Trace(201))),
        ("decision", Undecided({"decision_status": "PENDING"}, trace=Trace(200))),
    ):
        before = case.step(name)
        case.intend(name, f"{number:064}", 1_000)
        case.learn(name, before, verdict, 2_000)
    case.row = row.only(frozenset({"national_id"}))
    return case


def test_a_case_is_the_same_after_it_was_folded() -> None:
    case = waiting(7)
    before = copy.deepcopy(case)

    case.fold()
    assert case != before
    case.unfold()

    assert case == before


def test_a_folded_case_takes_a_third_less_memory() -> None:
    def taken(*, folded: bool) -> int:
        tracemalloc.start()
        cases = [waiting(number) for number in range(300)]
        for case in cases if folded else ():
            case.fold()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return held

    assert taken(folded=True) < taken(folded=False) * 2 / 3
