"""Pauses that a target asked for, kept for the next process and for others on the same ledger. One line a pool."""

from sqlalchemy import Connection, delete, insert, select

from jobs.clock import Stamp
from jobs.ledger import tables
from jobs.ledger.boots import age_ms
from jobs.ledger.lost_answer import repeatable
from jobs.ledger.store import Store
from jobs.value import value


@value
class Asked:
    """What the target asked for: no calls for `seconds` from `at` on, and with what, such as `HTTP 429`.

    `asked_seconds`: its own words, where they are more than anybody waits for.
    """

    seconds: float
    asked_seconds: float
    at: Stamp
    source: str


@repeatable
def keep_pause(store: Store, pool: str, asked: Asked) -> None:
    """Keeps a pause, unless a longer one is kept."""
    table = tables.pause
    with store.writes.begin() as connection:
        if (known := _left(connection, pool, asked.at)) is not None and known[1] >= asked.seconds:
            return
        connection.execute(delete(table).where(table.c.pool == pool))
        connection.execute(
            insert(table).values(
                pool=pool,
                boot=asked.at.boot,
                asked_up=asked.at.up_ms,
                asked_ms=asked.at.wall_ms,
                seconds=asked.seconds,
                asked_seconds=asked.asked_seconds,
                source=asked.source,
            )
        )


def kept_pause(store: Store, pool: str, now: Stamp) -> tuple[Asked, float] | None:
    """The pause of `pool`, and how many seconds of it are left at `now`; None when there is none, or it is over.

    Never more than the target asked for: on the clock of the boot that was told, or, for another boot, on the wall
    clock, and at the latest so long after that boot saw it first.
    """
    with store.engine.connect() as connection:
        return _left(connection, pool, now)


def _left(connection: Connection, pool: str, now: Stamp) -> tuple[Asked, float] | None:
    row = connection.execute(select(tables.pause).where(tables.pause.c.pool == pool)).mappings().one_or_none()
    if row is None:
        return None
    left = row["seconds"] - age_ms(connection, row["boot"], row["asked_up"], row["asked_ms"], now) / 1000
    asked = Asked(
        row["seconds"], row["asked_seconds"], Stamp(row["boot"], row["asked_up"], row["asked_ms"]), row["source"]
    )
    return (asked, left) if left > 0 else None
