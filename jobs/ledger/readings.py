"""What the workers of a run saw when they read the rows of their shards afresh, for its leader's report.

It is no more than `reconciliation.csv` shows, masked as there; it goes when that is written, or when the next run of
the space begins.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from jobs.ledger import tables
from jobs.ledger.lost_answer import made_once
from jobs.ledger.store import Store
from jobs.value import value

TABLE = tables.reading


@value
class Reading:
    """One shard as it was read."""

    lines: str
    """JSON: of each column of the reconciliation its values, in the order of the rows."""
    complete: int
    """Rows that the ledger calls complete and the target showed so."""
    not_read: Mapping[str, Any]
    """What could not be read, as `summary.json` says it."""


@value
class ReadShard:
    """That a shard was read, without its lines."""

    shard: int
    first_row: int
    last_row: int
    complete: int
    not_read: Mapping[str, Any]


def keep(connection: Connection, run_id: str, shard: int, reading: Reading) -> None:
    """Adds the reading of a shard, within the transaction that ends the work on it."""
    told = {"complete": reading.complete, "not_read": json.dumps(reading.not_read, sort_keys=True)}
    connection.execute(insert(TABLE).values(run_id=run_id, shard=shard, lines=reading.lines, **told))


def shards_read(store: Store, run_id: str) -> Sequence[ReadShard]:
    """The shards of a run that their workers have read, in the order of the file."""
    return made_once(lambda _again: _shards_read(store, run_id))


def _shards_read(store: Store, run_id: str) -> Sequence[ReadShard]:
    shard = tables.shard.c
    wanted = select(TABLE.c.shard, shard.first_row, shard.last_row, TABLE.c.complete, TABLE.c.not_read)
    same = (shard.run_id == TABLE.c.run_id) & (shard.shard == TABLE.c.shard)
    wanted = wanted.join(tables.shard, same).where(TABLE.c.run_id == run_id).order_by(TABLE.c.shard)
    with store.engine.connect() as connection:
        return [ReadShard(*row[:-1], json.loads(row[-1])) for row in connection.execute(wanted)]


def lines_of(store: Store, run_id: str, shard: int) -> str:
    """The lines of a shard that was read, as of `Reading`."""

    def attempt(_again: bool) -> str:
        with store.engine.connect() as connection:
            mine = (TABLE.c.run_id == run_id, TABLE.c.shard == shard)
            return str(connection.execute(select(TABLE.c.lines).where(*mine)).scalar_one())

    return made_once(attempt)


def forget_readings(store: Store, space_id: int) -> None:
    """Removes all readings of a space. Who holds its lease knows that no other run of it wants one."""
    run, batch = tables.run, tables.batch
    runs = select(run.c.run_id).join(batch, batch.c.batch_id == run.c.batch_id).where(batch.c.space_id == space_id)

    def attempt(_again: bool) -> None:
        with store.engine.connect() as connection:
            if connection.scalar(select(TABLE.c.run_id).where(TABLE.c.run_id.in_(runs)).limit(1)) is None:
                return
        with store.about(space_id).begin() as connection:
            connection.execute(delete(TABLE).where(TABLE.c.run_id.in_(runs)))

    made_once(attempt)
