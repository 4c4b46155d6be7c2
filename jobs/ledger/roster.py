"""The shards of a run as one process looks at them, again and again: those that have ended are read once."""

from collections.abc import Sequence

from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.lost_answer import made_once
from jobs.ledger.shards import ENDED, Shard, ShardState, shard_of_row
from jobs.ledger.store import Store
from jobs.ledger.tally import Tally

TABLE = tables.shard


class Roster:
    """Who has which shard of a run, and how their rows fare.

    A look costs what has changed since the last one, whatever the run has shards: those that nobody has had are passed
    over by the database, and counted as far as somebody wants to know; and shards are taken in their order, so that
    those that have ended lie before the others but for a few.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        self.at_work: Sequence[Shard] = ()
        """Those that somebody has, and those that are parked."""
        self.open = 0
        """How many are open, as far as they were counted."""
        self._ended = Tally()
        self._before = 0
        """The shards of lower numbers have ended, and are in `_ended`."""
        self._tallies: dict[int, Tally] = {}
        """Of the others as they stood when they were last seen."""

    def look(self, most_open: int = 0) -> None:
        """Reads how the shards stand now; open ones are counted up to `most_open`."""
        had = (TABLE.c.run_id == self.run_id, TABLE.c.shard >= self._before, TABLE.c.epoch > 0)
        wanted = select(TABLE).where(*had).order_by(TABLE.c.shard)
        free = select(TABLE.c.shard).where(TABLE.c.run_id == self.run_id, TABLE.c.state == ShardState.OPEN)

        def attempt(_again: bool) -> tuple[Sequence[Shard], int]:
            with self.store.engine.connect() as connection:
                found = [shard_of_row(row) for row in connection.execute(wanted).mappings()]
                return found, len(connection.execute(free.limit(most_open)).all()) if most_open else 0

        found, self.open = made_once(attempt)
        self.at_work = [each for each in found if each.state in {ShardState.TAKEN, ShardState.PARKED}]
        self._tallies |= {each.number: each.tally for each in found}
        ended = {each.number for each in found if each.state in ENDED}
        while self._before in ended:
            self._ended = Tally.of((self._ended, self._tallies.pop(self._before)))
            self._before += 1

    @property
    def all_ended(self) -> bool:
        """Whether nobody works on one or is going to; to be asked after a look that counted an open one."""
        return not self.at_work and not self.open

    @property
    def taken(self) -> Sequence[Shard]:
        """Those that somebody has."""
        return [each for each in self.at_work if each.state is ShardState.TAKEN]

    def free(self, now_ms: int) -> int:
        """How many could be taken, as far as open ones were counted."""
        due = (each.state is ShardState.PARKED and (each.due_ms or 0) <= now_ms for each in self.at_work)
        return self.open + sum(due)

    def tally(self, but: int | None = None) -> Tally:
        """How the rows of all shards have ended, `but` of that one. Only those in hand count as a row of failures."""
        whole = Tally.of((self._ended, *(each for number, each in self._tallies.items() if number != but)))
        whole.in_a_row = sum(each.tally.in_a_row for each in self.taken if each.number != but)
        return whole
