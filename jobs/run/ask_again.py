"""A decision asked for again, on purpose: for which rows of a run, what the target says of them now, what is recorded.

The newest result is read first, and its time remembered: only a later one is the answer to the new question. What is
outstanding is never asked again; what was passed only when an operator says how many rows that is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from jobs.errors import Unusable
from jobs.ledger.rows import EventRow, Known, RunRow, StepRow, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.model import COMPLETE, Outcome
from jobs.side_by_side import side_by_side
from jobs.systems.contract import System
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.optional import ASKED_AGAIN_AFTER, Newest, Redecidable
from jobs.value import value
from jobs.windows import A_LOOKUP

AT_ONCE = 16
"""Rows read at the same time (chosen)."""


@value
class Candidate:
    """A row whose question may be open again. `asked`: it is to be asked, otherwise only read."""

    source_row: int
    known: Known
    step_name: str
    newest: Newest
    asked: bool = False

    def transitions(self, now_ms: int) -> Iterator[Transition]:
        """What the ledger is told before anything is sent: the event, and the step open again."""
        record = self.known.record
        step = self.known.steps.get(self.step_name) or StepRow(self.step_name, StepStatus.OPEN)
        kept = {"was": self.newest.status, "after": self.newest.at}
        if record.outcome is Outcome.IN_DOUBT:
            kept["unanswered"] = str(step.doubts)
        detail = orjson.dumps({name: text[:60] for name, text in kept.items() if text}).decode()
        verdict = "ask_again" if self.asked else "read_again"
        yield Transition(
            event=EventRow(
                now_ms, "decision", self.source_row, record.key, self.step_name, verdict=verdict, detail=detail
            )
        )
        facts = {**record.facts, ASKED_AGAIN_AFTER: self.newest.at} if self.asked and self.newest.at else record.facts
        reopened = replace(record, outcome=None, reason_code=None, reason=None, failed_step=None, facts=facts)
        yield Transition(record=reopened, step=replace(step, status=StepStatus.OPEN, doubt_since_ms=None, doubts=0))


@value
class Retrigger:
    """What the operator asked for. `confirmed`: how many passed rows are to be asked again, in the operator's words.

    A row in doubt is taken because the operator says so: who asks again has looked whether the unanswered triggers
    arrived. What the ledger held of them is in the event, and settled with it.
    """

    run: RunRow
    include_passed: bool = False
    confirmed: int | None = None
    rows: frozenset[int] | None = None
    """The source rows that are meant; None: all that may be asked about again."""

    async def examined(self, store: Store, space_id: int, system: System, reader: Reader) -> Sequence[Candidate]:
        """The rows to take up, each with the newest decision at the target.

        Only the reads are bounded (`AT_ONCE`). What is to be taken up is held whole, 1.2 KB a row and more (measured),
        because nothing is asked before all were counted: with `include_passed` that may be every row of the run.

        Raises Unusable when there are none, when one can't be read, or when `confirmed` is not their number.
        """
        if not isinstance(system, Redecidable):
            raise Unusable(f"{system.capabilities.title} has no decision that could be asked for again")
        found, passed, kept = 0, 0, list[Candidate]()
        taken = set[int]()
        for all_of_it in candidates(store, space_id, self.run, system.redecided, include_passed=self.include_passed):
            window = [each for each in all_of_it if self.rows is None or each.source_row in self.rows]
            taken |= {each.source_row for each in window} if self.rows else set()
            found += len(window)
            read = await side_by_side(partial(self.read, system=system, reader=reader), window, AT_ONCE)
            passed += sum(each.asked and each.newest.status == system.passed for each in read)
            kept += [each for each in read if each.asked or each.known.record.outcome not in COMPLETE]
        if not found:
            raise Unusable(f"run {self.run.run_id} has no row whose decision could be asked for again")
        if missing := sorted((self.rows or set()) - taken):
            named = ", ".join(map(str, missing[:3]))
            raise Unusable(f"run {self.run.run_id}: row {named} has no decision that could be asked for again")
        self.check(passed)
        return kept

    async def read(self, candidate: Candidate, system: Redecidable, reader: Reader) -> Candidate:
        """`candidate` with the newest decision, and whether it is to be asked again."""
        record = candidate.known.record
        try:
            newest = await system.newest(reader, record.facts["customer_id"])
        except ReadFailed as error:
            raise Unusable(f"row {candidate.source_row}: its decision could not be read: {error.reason}") from None
        if newest.at is None:  # nothing could tell the old result from the new one
            asked = newest.status is None
        elif record.outcome is Outcome.IN_DOUBT:
            asked = newest.at == record.facts.get(ASKED_AGAIN_AFTER)
        else:
            asked = newest.status == system.refused or (self.include_passed and newest.status == system.passed)
        return replace(candidate, newest=newest, asked=asked)

    def check(self, passed: int) -> None:
        """Raises Unusable unless the number of passed rows that would be asked again was named."""
        if self.confirmed is not None and self.confirmed != passed:
            raise Unusable(
                f"--confirm {self.confirmed}: {passed} rows that passed would be asked again; nothing was sent"
            )
        if passed and self.confirmed is None:
            raise Unusable(
                f"{passed} rows have passed, and would have to pass again; nothing was sent",
                hint=f"if that is meant, say --confirm {passed}",
            )


def candidates(
    store: Store, space_id: int, run: RunRow, step_name: str, *, include_passed: bool
) -> Iterator[Sequence[Candidate]]:
    """The rows of `run` that ended `declined`, or in doubt at the step; also complete ones with `include_passed`.

    Rows that a later run has settled otherwise are left out. As many at a time as are read at once.
    """
    for rows in store.outcomes(run.run_id, A_LOOKUP):
        entries = {row["external_unique_id"]: row for row in rows if open_again(row, step_name, include_passed)}
        known = store.known(space_id, list(entries))
        found = [
            Candidate(row["source_row"], its, step_name, Newest(None, None))
            for key, row in entries.items()
            if (its := known.get(key)) is not None and its.record.facts.get("customer_id") and unchanged(row, its)
        ]
        for start in range(0, len(found), AT_ONCE):
            yield found[start : start + AT_ONCE]


def in_doubt(store: Store, run: RunRow, step_name: str, rows: frozenset[int] | None) -> int:
    """How many rows of `run`, or of those named, ended in doubt about their decision."""
    return sum(
        row["outcome"] == Outcome.IN_DOUBT
        and row["failed_step"] == step_name
        and (not rows or row["source_row"] in rows)
        for window in store.outcomes(run.run_id, A_LOOKUP)
        for row in window
    )


def open_again(row: Mapping[str, Any], step_name: str, include_passed: bool) -> bool:
    """Whether a row that ended so may be asked about again."""
    outcome = Outcome(row["outcome"])
    if outcome in COMPLETE:
        return include_passed
    return row["failed_step"] == step_name and outcome in {Outcome.DECLINED, Outcome.IN_DOUBT}


def unchanged(row: Mapping[str, Any], its: Known) -> bool:
    """Whether the ledger still has the row as the run left it."""
    outcome, now = Outcome(row["outcome"]), its.record.outcome
    return now is outcome or (outcome in COMPLETE and now in COMPLETE)
