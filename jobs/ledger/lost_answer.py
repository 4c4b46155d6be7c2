"""A server that is lost in the middle of a transaction: begun again, by somebody who looks what became of it first.

A commit was all made or not at all, so that its last line tells.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, select

from jobs.ledger import tables
from jobs.ledger.broken import LedgerAway
from jobs.ledger.rows import EventRow, OutcomeRow, Part

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
"""How often a transaction is begun whose server is lost in the middle (chosen): each time it is waited for."""

TELLING = ("at_ms", "kind", "source_row", "key", "step", "attempt", "verdict")
"""The columns by which one event of a run is no other one: no attempt has two intents, and no intent two results."""


def made_once(attempt: Callable[[bool], T]) -> T:
    """What `attempt` gives, begun again when its server is lost; it is told whether it may be committed already."""
    for left in reversed(range(TRIES)):
        try:
            return attempt(left < TRIES - 1)
        except LedgerAway:
            if not left:
                raise
    raise AssertionError("unreachable")


def repeatable(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, begun again when its server is lost: done twice it leaves what it leaves when done once."""

    @wraps(work)
    def repeated(*args: P.args, **named: P.kwargs) -> T:
        return made_once(lambda _again: work(*args, **named))

    return repeated


class FirstAsked(Connection):
    """A connection that reads: its first question is asked anew when the server is lost over it, for nothing was seen.

    What is asked later belongs to the moment of the ledger that the first answer showed.
    """

    def execute(self, *args: Any, **named: Any) -> Any:
        """As SQLAlchemy's."""
        return self._asked(super().execute, *args, **named)

    def scalar(self, *args: Any, **named: Any) -> Any:
        """As SQLAlchemy's."""
        return self._asked(super().scalar, *args, **named)

    def scalars(self, *args: Any, **named: Any) -> Any:
        """As SQLAlchemy's."""
        return self._asked(super().scalars, *args, **named)

    def exec_driver_sql(self, *args: Any, **named: Any) -> Any:
        """As SQLAlchemy's."""
        return self._asked(super().exec_driver_sql, *args, **named)

    def _asked(self, ask: Callable[..., T], *args: Any, **named: Any) -> T:
        if self.in_transaction():
            return ask(*args, **named)

        def attempt(_again: bool) -> T:
            try:
                return ask(*args, **named)
            except LedgerAway:
                self.rollback()
                raise

        return made_once(attempt)


def is_there(
    connection: Connection,
    run_id: str,
    events: Sequence[EventRow],
    outcomes: Sequence[OutcomeRow],
    part: Part | None = None,
) -> bool:
    """Whether the run's events and outcomes, which were to be committed together, are in the ledger.

    To be asked under the lock of the space, or of the `part` of the run that they are about, which the lost transaction
    holds until it has ended, and before anything else is written of it. False also where there are neither: to write
    the rest again changes nothing.
    """
    outcome = tables.outcome.c
    if outcomes:
        mine = (outcome.run_id == run_id, outcome.source_row == outcomes[-1].source_row)
        return connection.scalar(select(outcome.source_row).where(*mine)) is not None
    event = tables.event.c
    wanted = select(*(event[name] for name in TELLING)).where(event.run_id == run_id).order_by(event.seq.desc())
    if part is not None:
        wanted = wanted.where(event.source_row.between(part.first_row, part.last_row))
    newest = [tuple(row) for row in connection.execute(wanted.limit(len(events)))]
    return bool(events) and newest[::-1] == list(map(attrgetter(*TELLING), events))
