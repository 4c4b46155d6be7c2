"""The decisions of people that the ledger's history holds."""

from collections.abc import Mapping

import orjson
from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store


def decided_rows(store: Store, run_id: str, since_ms: int) -> Mapping[int, tuple[str, str | None]]:
    """What was decided about rows of a run: the decision and the customer id, by source row; the last one counts.

    `since_ms`: when the run ended; what was decided before is in its outcomes already.
    """
    event = tables.event
    wanted = select(event.c.source_row, event.c.verdict, event.c.detail).where(
        event.c.run_id == run_id, event.c.kind == "decision", event.c.at_ms >= since_ms
    )
    with store.engine.connect() as connection:
        rows = connection.execute(wanted.order_by(event.c.seq)).all()
    return {row.source_row: (row.verdict, orjson.loads(row.detail).get("customer_id")) for row in rows}
