"""Which run last changed what the ledger knows of a run's rows."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select, func, select

from jobs.ledger import tables
from jobs.ledger.history import Span
from jobs.ledger.paging import paged
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.windows import A_WINDOW

OUTCOME, RECORD = tables.outcome.c, tables.record.c


def changed_by(store: Store, run_id: str, outcome: Outcome, span: Span | None = None) -> dict[str, int]:
    """How many rows that ended so in a run each run changed last. `span`: as of `rows_changed_by`."""
    wanted = _joined(select(RECORD.run_id, func.count()), run_id, outcome, span).group_by(RECORD.run_id)
    with store.engine.connect() as connection:
        return {run: int(rows) for run, rows in connection.execute(wanted)}


def rows_changed_by(
    store: Store, run_id: str, outcome: Outcome, runs: Collection[str], span: Span | None = None
) -> Iterator[int]:
    """The source rows that ended so in a run and that one of `runs` changed last, in input order.

    `span`: of those source rows; None: of all.
    """
    wanted = _joined(select(OUTCOME.source_row), run_id, outcome, span).where(RECORD.run_id.in_(runs))
    for rows in paged(store.engine, wanted, OUTCOME.source_row, A_WINDOW) if runs else ():
        yield from (row[0] for row in rows)


def _joined(wanted: Select[Any], run_id: str, outcome: Outcome, span: Span | None) -> Select[Any]:
    run, batch = tables.run, tables.batch
    its_record = (RECORD.space_id == batch.c.space_id) & (RECORD.key == OUTCOME.external_unique_id)
    among = () if span is None else (OUTCOME.source_row.between(*span),)
    return (
        wanted.select_from(tables.outcome)
        .join(run, run.c.run_no == OUTCOME.run_id)
        .join(batch, batch.c.batch_id == run.c.batch_id)
        .join(tables.record, its_record)
        .where(OUTCOME.run_id == run_id, OUTCOME.outcome == outcome, *among)
    )
