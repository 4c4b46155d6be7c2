"""What a process was told is committed: a ledger that does not have it went back in time, and is worked with no more.

A server that follows another one may lag behind it, and lacks the newest commits when it takes its place. Commits are
lost from the end, so that the newest one stands for all before it.
"""

from collections.abc import Sequence
from operator import attrgetter

from sqlalchemy import Connection, Select, select

from jobs.ledger import tables
from jobs.ledger.broken import LedgerLost
from jobs.ledger.database import server_of
from jobs.ledger.lost_answer import TELLING
from jobs.ledger.rows import EventRow, OutcomeRow


class Acknowledged:
    """The newest commit of this process that can be looked for. Safe to use from one thread at a time."""

    def __init__(self) -> None:
        self._server = ""
        self._newest: Select[tuple[int]] | None = None

    def check(self, connection: Connection) -> None:
        """Raises LedgerLost when the server is another one, or was started anew, and lacks the newest commit.

        To be asked in the transaction that writes next, under its lock.
        """
        server = server_of(connection)
        if server != self._server and self._newest is not None and connection.scalar(self._newest) is None:
            raise older()
        self._server = server

    def learn(self, run_id: str, events: Sequence[EventRow], outcomes: Sequence[OutcomeRow]) -> None:
        """The transaction of the last `check`, which held these, is committed."""
        event, outcome = tables.event.c, tables.outcome.c
        if outcomes:
            mine = (outcome.run_id == run_id, outcome.source_row == outcomes[-1].source_row)
            self._newest = select(outcome.source_row).where(*mine)
        elif events:
            told = zip(TELLING, attrgetter(*TELLING)(events[-1]), strict=True)
            same = (event[name].is_not_distinct_from(value) for name, value in told)
            self._newest = select(event.seq).where(event.run_id == run_id, *same).limit(1)


def older() -> LedgerLost:
    """What is said of a ledger that lacks what it has acknowledged."""
    return LedgerLost(
        "the ledger went back in time: what its server had acknowledged is gone, as after a failover to a replica that"
        " lagged behind",
        hint="put the server back that has it; where none has, wait until nothing is under way at the target any more,"
        " then muster resume: each row is looked for before anything is sent",
    )
