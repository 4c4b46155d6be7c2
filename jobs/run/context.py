"""What a run was given and what it holds, and what a signal does to work that it waits for."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, TypeVar, cast

from jobs.batch import Batch
from jobs.engine.opening import Taking
from jobs.engine.stops import Stops
from jobs.errors import strongest
from jobs.evidence.sealed_plan import SealedPlan
from jobs.intake.control import ControlRecord
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.publishing.place import folder_of
from jobs.reconciliation.changes import ambiguous_rows
from jobs.reconciliation.resolutions import Decided, open_to_decision, read_decisions
from jobs.run.ask_again import Retrigger
from jobs.run.place import Place as Place
from jobs.run.session import Session
from jobs.run.signals import Interrupted
from jobs.settings.settings import Settings
from jobs.systems.contract import System
from jobs.value import value

T = TypeVar("T")

MOST_REPORTED = 50_000
"""Rows of a run that writes its files although a signal stopped it: 9 s at rest (measured), twice that on a busy
machine, of the contract's 30."""


@value
class Resolutions:
    """A file of decisions, and the run whose rows they are about."""

    path: Path
    run: RunRow

    def open(self, store: Store, space_id: int) -> Sequence[Decided]:
        """The decisions, checked against the ledger. Raises Unusable naming the line."""
        ambiguous = ambiguous_rows(folder_of(self.run))
        return open_to_decision(self.path, read_decisions(self.path), store, space_id, self.run, ambiguous)


@value
class Given:
    """What a run was given: it does not change while it works."""

    command: str
    settings: Settings
    system: System
    batch: Batch
    control: ControlRecord | None = None
    """What came beside the file, and says what must be in it."""
    plan: SealedPlan | None = None
    """The sealed plan that it runs; None: none was given, and none is needed."""
    taking: Taking = field(default_factory=Taking)
    """Which outcomes of earlier runs it goes on with."""
    resolutions: Resolutions | None = None
    again: Retrigger | None = None
    """What is asked for again on purpose."""


@value
class RunContext:
    """A run under way: what its stages share."""

    given: Given
    place: Place
    session: Session
    run: RunRow
    stops: Stops
    decided: Sequence[Decided] = ()
    """What a person decided about rows that were left open."""
    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """All calls of the run, those of the reconciliation too, by (operation, method, status)."""

    def leave_to_resume(self) -> None:
        """Raises Interrupted where a signal stopped a run of more rows than can be reported in time.

        The run is then one that did not end, as if it had been killed: the ledger knows all that was done.
        """
        if self.stops.signalled.is_set() and self.given.batch.rows > MOST_REPORTED:
            raise Interrupted(
                strongest(self.stops.codes),
                f"stopped, and what was done is saved; {self.given.batch.rows:,} rows are too many to be reported "
                "on the way out: who goes on reports them",
                hint=f"muster resume {self.run.run_id}",
            )

    async def unless_signalled(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. Raises Interrupted when a signal comes first."""
        done = await unless(self.stops.signalled, work)
        if self.stops.signalled.is_set():
            raise Interrupted(strongest(self.stops.codes))
        return cast("T", done)


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None when `event` comes first: then `work` is given up."""
    task = asyncio.ensure_future(work)
    coming = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([task, coming], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        coming.cancel()
        await asyncio.gather(task, coming, return_exceptions=True)
