"""Which rows that need attention are new since the last run, which stood so before, and which a person has closed."""

from collections import Counter
from dataclasses import field

from jobs.ledger.dispositions import dispositions
from jobs.ledger.open_rows import OpenRow, Standing, before, left_open
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import ATTENTION, Outcome
from jobs.value import value

COMPARED = frozenset(ATTENTION - {Outcome.NOT_ATTEMPTED})
"""Outcomes that are new or stand. Rows that a stopped run did not come to are neither."""


@value
class Attention:
    """Rows that need attention, by outcome. What is in neither of the two stood so before the run."""

    new: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    """Of them those that somebody said are known, wait for somebody, or are given up."""

    def unsettled(self, outcomes: dict[str, int]) -> dict[str, int]:
        """`outcomes` without the rows that were closed."""
        return {name: rows - self.closed[name] for name, rows in outcomes.items()}


def attention(store: Store, run: RunRow) -> Attention:
    """How the rows of `run` compare with what the runs before it left; the same whenever it is asked."""
    files, mine = before(store, run)
    rows, keys = _known(store, files, mine)
    said = dispositions(store, run.started_ms)
    found = Attention()
    for row in left_open(store, [run.run_id], COMPARED):
        word = said.of(mine, row)
        if word is not None and word.closes(run.started_ms):
            found.closed[row.outcome] += 1
        elif _state(row.source_row, row) not in rows and (row.key is None or _state(row.key, row) not in keys):
            found.new[row.outcome] += 1
    return found


_State = tuple[int | str, str, str | None]


def _state(place: int | str, row: OpenRow) -> _State:
    return place, row.outcome, row.reason_code


def _known(store: Store, files: list[Standing], mine: Standing) -> tuple[set[_State], set[_State]]:
    """How rows stood: those of this very file by row, and those of all files by key."""
    rows: set[_State] = set()
    keys: set[_State] = set()
    newest = [run.run_id for standing in files if (run := standing.newest) is not None]
    own = {run.run_id for run in mine.runs}
    for row in left_open(store, newest, COMPARED):
        if row.run_id in own:
            rows.add(_state(row.source_row, row))
        if row.key:
            keys.add(_state(row.key, row))
    return rows, keys
