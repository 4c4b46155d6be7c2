"""Which row of an earlier run a row of a mended file is. Judges nothing."""

from collections.abc import Iterable

from sqlalchemy import insert, select

from jobs.ledger import tables
from jobs.ledger.store import Store

AT_ONCE = 1_000
"""Rows an insert; chosen."""


def remember_lineage(store: Store, space_id: int, run_id: str, rows: Iterable[tuple[int, str, int]]) -> int:
    """Records for `rows` of `run_id` (source row, earlier run, its row) where they come from; gives how many.

    Rows of a run that the space does not know are left out: the file may be another ledger's, or somebody's own words.
    """
    run, batch = tables.run.c, tables.batch.c
    ours = select(run.run_id).join(tables.batch, run.batch_id == batch.batch_id).where(batch.space_id == space_id)
    with store.writes.begin() as connection:
        known = set(connection.scalars(ours))
        found = [
            {"run_id": run_id, "source_row": row, "from_run": earlier, "from_row": number}
            for row, earlier, number in rows
            if earlier in known and earlier != run_id
        ]
        for start in range(0, len(found), AT_ONCE):
            connection.execute(insert(tables.lineage), found[start : start + AT_ONCE])
    return len(found)
