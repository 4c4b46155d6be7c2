"""What people said about rows that stay as they are: known, waiting, given up. The last word about a row counts."""

from collections.abc import Iterable

from sqlalchemy import insert, select

from jobs.ledger import tables
from jobs.ledger.open_rows import OpenRow, Standing
from jobs.ledger.store import Store
from jobs.value import value

REOPENED = "open"
CHOICES = ("known", "waiting", "give_up", REOPENED)
"""Stored words. All but the last close a row."""


@value
class Disposition:
    """Who said what about a row, and until when (milliseconds; None: for good)."""

    choice: str
    reason: str
    decided_by: str
    at_ms: int
    until_ms: int | None = None
    owner: str | None = None
    """Who has to act; None: whoever has it usually."""

    def closes(self, now_ms: int) -> bool:
        """Whether the row needs nobody at `now_ms`."""
        return self.choice != REOPENED and (self.until_ms is None or now_ms < self.until_ms)


@value
class Dispositions:
    """Those of a ledger, by row of a file and by key; each holds for the outcome and reason it was given about."""

    by_row: dict[tuple[int, int, str, str | None], Disposition]
    by_key: dict[tuple[int, str, str, str | None], Disposition]

    def of(self, standing: Standing, row: OpenRow) -> Disposition | None:
        """The last word about a row as it stands; None: nobody said anything."""
        found = self.by_row.get((standing.batch_id, row.source_row, row.outcome, row.reason_code))
        if row.key is None:
            return found
        other = self.by_key.get((standing.space_id, row.key, row.outcome, row.reason_code))
        return max((each for each in (found, other) if each), key=lambda each: each.at_ms, default=None)


def dispose(store: Store, rows: Iterable[OpenRow], said: Disposition) -> int:
    """Records `said` about each of `rows`; gives how many."""
    values = [
        {
            "run_id": row.run_id,
            "source_row": row.source_row,
            "outcome": row.outcome,
            "reason_code": row.reason_code,
            "choice": said.choice,
            "reason": said.reason,
            "decided_by": said.decided_by,
            "owner": said.owner,
            "until_ms": said.until_ms,
            "at_ms": said.at_ms,
        }
        for row in rows
    ]
    if values:
        with store.writes.begin() as connection:
            connection.execute(insert(tables.disposition), values)
    return len(values)


def dispositions(store: Store, before_ms: int | None = None) -> Dispositions:
    """The last word about each row; `before_ms`: of what was said until then."""
    said, outcome, run, batch = tables.disposition, tables.outcome, tables.run, tables.batch
    wanted = (
        select(said, outcome.c.external_unique_id, batch.c.batch_id, batch.c.space_id)
        .join(run, run.c.run_id == said.c.run_id)
        .join(batch, batch.c.batch_id == run.c.batch_id)
        .join(outcome, (outcome.c.run_id == run.c.run_no) & (outcome.c.source_row == said.c.source_row))
        .order_by(said.c.disposition_id)
    )
    if before_ms is not None:
        wanted = wanted.where(said.c.at_ms < before_ms)
    found = Dispositions({}, {})
    with store.engine.connect() as connection:
        for row in connection.execute(wanted).mappings():
            word = Disposition(
                row["choice"], row["reason"], row["decided_by"], row["at_ms"], row["until_ms"], row["owner"]
            )
            state = (row["outcome"], row["reason_code"])
            found.by_row[row["batch_id"], row["source_row"], *state] = word
            if row["external_unique_id"]:
                found.by_key[row["space_id"], row["external_unique_id"], *state] = word
    return found
