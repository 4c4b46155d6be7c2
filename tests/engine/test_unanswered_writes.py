"""What a row does while a write of its own is unanswered: over looks, ends, restarts and clocks that jump."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from books import RUN, Book, begun, url_of
from virtual import VirtualClock, virtually

from jobs.engine.case import Case
from jobs.engine.driver import SETTLE_SECONDS, Patience, RowDriver
from jobs.engine.opening import Taking, open_case
from jobs.engine.stops import Stops
from jobs.engine.workers import WorkerPool
from jobs.keys import Pseudonyms
from jobs.ledger.rows import Known, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.ledger.writer import Writer
from jobs.model import Outcome
from jobs.progress import Progress
from jobs.systems.messages import CallClass, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Taken, Unsendable, Verdict
from jobs.transport.sender import MaybeSent, NotSent

PSEUDONYMS = Pseudonyms(b"k" * 32)
VALUES = {"first_name": "Thandi", "phone": "27821234567", "national_id": "9001015009086"}
ROW = Row(1, "CRM-1", "cust-1", VALUES, "2782*****67", "*********9086", None)
LOST = MaybeSent("the connection was lost")
NOT_ELIGIBLE = Ended(Outcome.NOT_ELIGIBLE, "no_wallet_type", "none is allowed")


class JumpingClock(VirtualClock):
    """Its wall clock can be set."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class WalletStep:
    """A step that chooses a type in its look; `findings` come first, one a look."""

    choice: str = "7"
    findings: list[Finding | None] = field(default_factory=list)
    name: str = "wallet"
    resends: int | None = None
    settle_seconds: float | None = None
    unsendable: bool = False
    views: list[View] = field(default_factory=list)

    async def look(self, _reader: object, view: View) -> Finding:
        self.views.append(view)
        scripted = self.findings.pop(0) if self.findings else None
        return scripted or Absent({"wallet_type_id": view.bound.get("wallet_type_id", self.choice)})

    def write(self, view: View) -> Request:
        if self.unsendable:
            raise Unsendable("document_unreadable", "the document is gone")
        kind = view.facts["wallet_type_id"]
        return Request("create_wallet", "POST", "/wallets", body=kind.encode(), key=f"wal-{kind}")

    def classify(self, reply: Reply, _view: View) -> Verdict:
        if reply.status in {303, 400}:
            return Ended(Outcome.FAILED, "redirected" if reply.status == 303 else "refused", "no")
        if reply.status == 409:
            return Taken("it exists already")
        answer = orjson.loads(reply.body)
        return Done({"wallet_id": answer["id"]}, claims={"wallet": answer["id"]})


@dataclass
class Target:
    """The client: gives the scripted answers, and says what was sent, when, and what the ledger knew by then."""

    book: Book
    clock: VirtualClock
    answers: list[int | str | Exception]
    calls: Counter[Any] = field(default_factory=Counter)
    sent: list[tuple[str | None, bytes | None, float]] = field(default_factory=list)
    known: list[Any] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, request: Request, before: Callable[[], Awaitable[None]]) -> Reply:
        await before()
        self.known.append(self.book.store.known(self.book.space_id, ["cust-1"])["cust-1"].steps.get("wallet"))
        self.sent.append((request.key, request.body, self.clock.monotonic()))
        self.reached.set()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = (answer, b"{}") if isinstance(answer, int) else (201, orjson.dumps({"id": answer}))
        return Reply(status, {}, body, self.clock.now())


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Store.opened(url_of(tmp_path)) as store:
        yield begun(store)


async def in_place(function: Callable[..., Any], *given: Any) -> Any:
    """The ledger's work on the virtual loop, which can't wait for threads."""
    return function(*given)


def ran(
    book: Book,
    step: WalletStep,
    answers: Sequence[int | str | Exception],
    *,
    row: Row = ROW,
    clock: VirtualClock | None = None,
    dies: bool = False,
    earlier: Sequence[WalletStep] = (),
) -> tuple[Target, Mapping[str, Any]]:
    """The target and the row's outcome after one process. `dies`: at the first unanswered write, without a word.

    `earlier`: the steps before `step`.
    """

    run_id = f"run-{len(book.store.runs())}"
    book.store.begin_run(book.space_id, replace(RUN, run_id=run_id))

    async def work() -> tuple[Target, Mapping[str, Any]]:
        time = clock or VirtualClock()
        target = Target(book, time, list(answers))
        system: Any = SimpleNamespace(
            steps_of=lambda _: (*earlier, step), later_columns=frozenset(), status_of=lambda reply: reply.status
        )
        async with Writer(book.store, book.space_id, book.epoch, run_id, offload=in_place) as writer:
            with Progress().stage("onboarding", None) as count:
                engine = RowDriver(system, cast("Any", target), writer, Stops(), time, Patience(), progress=count)
            known = book.store.known(book.space_id, [row.key]).get(row.key)
            case = open_case(row, known, run_id, PSEUDONYMS, Taking(), 1)
            assert isinstance(case, Case), case
            advancing = asyncio.create_task(engine.advance(case))
            if dies:
                await target.reached.wait()
                advancing.cancel()
            else:
                await advancing
        rows = [each for window in book.store.outcomes(run_id) for each in window]
        return target, next((each for each in rows if each["source_row"] == row.source_row), {})

    return virtually(work)


def test_all_that_a_write_was_made_of_is_in_the_ledger_before_it_leaves(book: Book) -> None:
    target, _ = ran(book, WalletStep("7"), ["w1"])

    assert [(step.status, step.bound, step.write_key) for step in target.known] == [
        (StepStatus.INTENDED, {"wallet_type_id": "7"}, "wal-7")
    ]
    intents = [event for event in book.store.events("run-1") if event["kind"] == "intent"]
    assert [(event["write_key"], event["fingerprint"]) for event in intents] == [("wal-7", target.known[0].body_sha256)]


@pytest.mark.parametrize("dies", [True, False], ids=["killed", "left in doubt"])
def test_what_was_chosen_for_an_unanswered_write_is_chosen_by_every_later_process(book: Book, dies: bool) -> None:
    first, row = ran(book, WalletStep("7"), [LOST] * 5, dies=dies)
    assert dies or row["outcome"] == Outcome.FAILED

    second = WalletStep("9")
    record = book.store.known(book.space_id, ["cust-1"])["cust-1"]
    if not dies:  # a retry
        book.store.apply(book.space_id, book.epoch, RUN.run_id, [_reopened(record)])
    target, row = ran(book, second, ["w1"])

    assert second.views[0].bound == {"wallet_type_id": "7"}
    assert [key for key, *_ in first.sent + target.sent] == ["wal-7"] * len(first.sent + target.sent)
    assert (row["outcome"], row["wallet_id"]) == ("onboarded", "w1")


def _reopened(record: Known) -> Transition:
    return Transition(record=replace(record.record, outcome=None, reason_code=None, reason=None, failed_step=None))


def test_a_choice_is_free_again_when_the_write_was_provably_not_applied(book: Book) -> None:
    class Changing(WalletStep):
        def write(self, view: View) -> Request:
            request = super().write(view)
            self.choice = "9"
            return request

    target, row = ran(book, Changing("7"), [NotSent("refused"), "w1"])

    assert [key for key, *_ in target.sent] == ["wal-7", "wal-9"]
    assert row["outcome"] == "onboarded"


def test_another_request_than_the_unanswered_one_is_never_sent_in_its_place(book: Book) -> None:
    class Forgetful(WalletStep):
        async def look(self, reader: object, view: View) -> Finding:
            await super().look(reader, view)
            return Absent({"wallet_type_id": self.choice})

    ran(book, WalletStep("7"), [LOST], dies=True)
    target, row = ran(book, Forgetful("9"), ["w1"])

    assert target.sent == []
    assert (row["outcome"], row["reason_code"]) == ("in_doubt", "changed_since")
    assert book.store.known(book.space_id, ["cust-1"])["cust-1"].steps["wallet"].bound == {"wallet_type_id": "7"}


@pytest.mark.parametrize("outcome", [Outcome.NOT_ELIGIBLE, Outcome.CONFLICT, Outcome.REJECTED, Outcome.DECLINED])
def test_no_row_ends_while_its_write_may_still_be_applied(book: Book, outcome: Outcome) -> None:
    ends = Ended(outcome, "some_cause", "so it seems")
    step = WalletStep(findings=[None, ends, ends, Done({"wallet_id": "late"})])

    target, row = ran(book, step, [LOST])

    assert len(target.sent) == 1
    assert (row["outcome"], row["wallet_id"]) == ("onboarded", "late")


def test_an_end_is_believed_once_the_write_had_its_time_to_settle(book: Book) -> None:
    step = WalletStep(findings=[None, *[NOT_ELIGIBLE] * 50])
    clock = VirtualClock()

    _, row = ran(book, step, [LOST], clock=clock)

    assert row["outcome"] == "not_eligible"
    assert 4 <= len(step.views) <= 12


def test_an_end_that_proves_what_became_of_the_write_waits_for_nothing(book: Book) -> None:
    step = WalletStep(findings=[None, replace(NOT_ELIGIBLE, proves=True)])

    _, row = ran(book, step, [LOST])

    assert (row["outcome"], len(step.views)) == ("not_eligible", 2)


def test_a_request_that_can_no_longer_be_made_ends_no_row_whose_first_one_is_unanswered(book: Book) -> None:
    ran(book, WalletStep("7"), [LOST], dies=True)
    step = WalletStep("7", unsendable=True, findings=[None, None, Done({"wallet_id": "late"})])

    _, row = ran(book, step, [])

    assert (row["outcome"], row["wallet_id"]) == ("onboarded", "late")


@pytest.mark.parametrize("hours", [-3, 0, 3])
def test_the_settling_time_begins_anew_with_each_process_whatever_the_wall_clock_says(book: Book, hours: int) -> None:
    ran(book, WalletStep("7"), [LOST], dies=True)
    clock = JumpingClock()
    clock.ahead = timedelta(hours=hours)
    step = WalletStep("7", resends=1)

    target, row = ran(book, step, ["w1"], clock=clock)

    assert row["outcome"] == "onboarded"
    [(_, _, sent_at)] = target.sent
    assert sent_at - 1000 >= SETTLE_SECONDS


def test_a_redirect_is_followed_by_a_look_before_the_row_ends(book: Book) -> None:
    _, row = ran(book, WalletStep(findings=[None, Done({"wallet_id": "made"})]), [303])
    assert (row["outcome"], row["wallet_id"]) == ("onboarded", "made")


def test_a_redirected_write_that_left_nothing_ends_failed_after_it_had_time_to_settle(book: Book) -> None:
    step = WalletStep()
    target, row = ran(book, step, [303])
    assert (row["outcome"], row["reason_code"], len(target.sent)) == ("failed", "redirected", 1)
    assert len(step.views) >= 4


def test_a_refusal_after_an_exists_already_is_looked_at_and_never_followed_by_another_write(book: Book) -> None:
    class Refusing(WalletStep):
        def classify(self, reply: Reply, view: View) -> Verdict:
            return Taken("it exists") if reply.status == 409 else super().classify(reply, view)

    target, row = ran(book, Refusing(), [409, 400])

    assert len(target.sent) == 2
    assert (row["outcome"], row["reason_code"]) == ("failed", "refused")


def test_an_id_that_another_key_holds_is_looked_at_and_taken_by_nobody_else(book: Book) -> None:
    other = replace(ROW, source_row=2, key="cust-2", values={**VALUES, "national_id": "8001015009087"})
    ran(book, WalletStep(), ["55"])
    step = WalletStep(findings=[None, Done({"wallet_id": "56"}, claims={"wallet": "56"})])

    _, row = ran(book, step, ["55"], row=other)

    assert (row["outcome"], row["wallet_id"]) == ("onboarded", "56")


def test_a_look_that_finds_what_another_key_holds_ends_no_row_with_it(book: Book) -> None:
    other = replace(ROW, source_row=2, key="cust-2", values={**VALUES, "national_id": "8001015009087"})
    ran(book, WalletStep(), ["55"])
    theirs = Done({"wallet_id": "55"}, claims={"wallet": "55"})

    _, row = ran(book, WalletStep(findings=[theirs]), [], row=other)
    assert (row["outcome"], row["reason_code"]) == ("conflict", "held_by_another")

    third = replace(other, source_row=3, key="cust-3")
    _, row = ran(book, WalletStep(findings=[None, *[theirs] * 20]), [LOST], row=third)
    assert (row["outcome"], row["reason_code"]) == ("in_doubt", "held_by_another")


def test_a_row_that_no_longer_asks_for_what_is_unanswered_stays_in_doubt(book: Book) -> None:
    ran(book, WalletStep("7"), [LOST], dies=True)

    target, row = ran(book, WalletStep(name="wallet:9"), ["w1"])

    assert target.sent == []
    assert (row["outcome"], row["reason_code"], row["failed_step"]) == ("in_doubt", "changed_since", "wallet")


def test_what_was_said_of_an_earlier_step_is_not_said_of_a_later_one(book: Book) -> None:
    first, second = WalletStep(name="contact", findings=[None, Done()]), WalletStep()
    ran(book, second, [LOST, LOST, "55"], earlier=[first])

    assert [view.said for view in first.views] == ["", LOST.reason]
    assert [view.said for view in second.views][:2] == ["", LOST.reason]


def test_a_step_that_only_reads_never_leads_to_a_write(book: Book) -> None:
    class Reading:
        name = "wallet"

        async def look(self, _reader: object, _view: View) -> Finding:
            return Absent()

    with pytest.raises(TypeError, match="the step wallet only reads"):
        ran(book, cast("Any", Reading()), ["w1"])


def test_what_a_look_notes_is_known_to_the_next_looks_of_its_row_alone(book: Book) -> None:
    class Noting(WalletStep):
        async def look(self, reader: object, view: View) -> Finding:
            view.notes["looks"] = view.notes.get("looks", 0) + 1
            return await super().look(reader, view)

    step = Noting()
    ran(book, step, [NotSent("refused"), "w1"])
    ran(book, step, ["w2"], row=replace(ROW, key="cust-2"))

    assert [view.notes["looks"] for view in step.views] == [2, 2, 1]


def test_a_row_that_exists_already_rests_without_a_worker_until_that_is_believed(book: Book) -> None:
    """One worker, two rows: the first is told "exists already", and has two minutes to show it."""

    class Held(WalletStep):
        async def look(self, reader: object, view: View) -> Finding:
            return (
                Ended(Outcome.CONFLICT, "taken", "somebody has it") if view.taken else await super().look(reader, view)
            )

    step = Held(settle_seconds=120.0, resends=0)
    rows = [ROW, replace(ROW, source_row=2, key="cust-2")]
    ended: dict[int, float] = {}

    async def work() -> None:
        time = VirtualClock()
        target = Target(book, time, [409, "w2"])
        system: Any = SimpleNamespace(
            steps_of=lambda _: (step,), later_columns=frozenset(), status_of=lambda reply: reply.status
        )
        client: Any = target
        client.limiters = {CallClass.READ: SimpleNamespace(window=None)}
        async with Writer(book.store, book.space_id, book.epoch, RUN.run_id, offload=in_place) as writer:
            with Progress().stage("onboarding", None) as count:
                engine = RowDriver(system, client, writer, Stops(), time, Patience(decision_wait=0.0), progress=count)
            end = engine._end

            async def noted(case: Case, *told: Any) -> None:
                ended[case.row.source_row] = time.monotonic() - 1000
                await end(case, *told)

            engine._end = noted  # type: ignore[method-assign]

            async def cases() -> AsyncIterator[Case]:
                for row in rows:
                    opened = open_case(row, None, RUN.run_id, PSEUDONYMS, Taking(), 1)
                    assert isinstance(opened, Case)
                    yield opened

            await WorkerPool(engine).run(cases(), 1)

    virtually(work)

    told = {each["source_row"]: each["outcome"] for window in book.store.outcomes(RUN.run_id) for each in window}
    assert told == {1: "conflict", 2: "onboarded"}
    assert ended[2] < 30 < 120 <= ended[1]
