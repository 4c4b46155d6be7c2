"""Limits that the target taught by refusing calls, kept over runs and for all processes on one ledger.

One line a pool: the pool of the permits, which names a credential, an address and a class of call as a pseudonym. It
is no history, and knows nothing of the limit that was configured: that one is held against it at each use. A line whose
last refusal is `forgotten_seconds` ago says nothing any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, or_, select, update

from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.rates import forgotten_seconds, quiet_seconds, raised, within


@dataclass(frozen=True, slots=True)
class Learned:
    """A limit, when the target last refused because of it (ms since 1970 UTC), and with what, such as `HTTP 429`."""

    rate: Rate
    learned_ms: int
    source: str


def teach(store: Store, pool: str, lesson: Learned, since: Learned | None = None) -> Learned:
    """Keeps `lesson`; a stricter limit that another process taught meanwhile stays, and is as fresh. What is kept.

    `since`: what the ledger held when the teacher last looked (None: nothing); `lesson` knows it, and takes its place.
    """
    table = tables.learned
    with store.writes.begin() as connection:
        known = _known(connection, pool, lesson.learned_ms)
        superseded = known is None or (since is not None and known.learned_ms == since.learned_ms)
        rate = lesson.rate if known is None or superseded else within(known.rate, lesson.rate)
        connection.execute(delete(table).where(table.c.pool == pool))
        connection.execute(
            insert(table).values(
                pool=pool,
                calls=rate.calls,
                seconds=rate.seconds,
                learned_ms=lesson.learned_ms,
                changed_ms=lesson.learned_ms,
                source=lesson.source,
            )
        )
    return replace(lesson, rate=rate)


def keep_rate(store: Store, pool: str, found: Learned, now_ms: int) -> None:
    """Moves the limit that was learned at `found.learned_ms` to a rate that went well; not one learned since."""
    with store.writes.begin() as connection:
        known = _known(connection, pool, now_ms)
        if known is not None and known.learned_ms == found.learned_ms:
            _move(connection, pool, found.rate, now_ms)


def learned(store: Store, pool: str, now_ms: int | None = None) -> Mapping[str, Learned]:
    """What was learned of `pool` and of its classes of calls `pool-CLASS`, by pool, and is not forgotten at `now_ms`.

    None: whatever its age.
    """
    column = tables.learned.c.pool
    with store.engine.connect() as connection:
        pools = connection.scalars(
            select(column).where(or_(column == pool, column.startswith(f"{pool}-", autoescape=True))).order_by(column)
        )
        found = {name: _known(connection, name, now_ms) for name in pools.all()}
    return {name: known for name, known in found.items() if known is not None}


def in_force(connection: Connection, pool: str, most: Rate, now_ms: int) -> Rate:
    """The learned limit of `pool`, never above `most`, which is the configured or documented one."""
    known = _known(connection, pool, now_ms)
    return most if known is None else within(known.rate, most)


def tried_higher(connection: Connection, pool: str, most: Rate, now_ms: int) -> Rate:
    """The limit in force when its window is full: one step higher, up to `most`, when it has held for long.

    However long nobody called, it is one step, until the limit is forgotten. A step that ends at `most` exactly tries
    what was refused, and so forgets it; a lower `most` disproves nothing.
    """
    table = tables.learned
    known, limit = _known(connection, pool, now_ms), in_force(connection, pool, most, now_ms)
    if known is None or limit == most:
        return most
    changed = connection.scalar(select(table.c.changed_ms).where(table.c.pool == pool)) or 0
    if abs(now_ms - changed) < quiet_seconds(limit) * 1000:  # abs: a clock that was wrong must not throttle for ever
        return limit
    higher = raised(known.rate)
    tried = within(higher, most)
    if tried == most and within(most, higher) == higher:
        connection.execute(delete(table).where(table.c.pool == pool))
    else:
        _move(connection, pool, most if tried == most else higher, now_ms)
    return tried


def _move(connection: Connection, pool: str, rate: Rate, now_ms: int) -> None:
    table = tables.learned
    changed = {"calls": rate.calls, "seconds": rate.seconds, "changed_ms": now_ms}
    connection.execute(update(table).where(table.c.pool == pool).values(changed))


def _known(connection: Connection, pool: str, now_ms: int | None) -> Learned | None:
    table = tables.learned
    row = connection.execute(select(table).where(table.c.pool == pool)).one_or_none()
    if row is None:
        return None
    rate = Rate(row.calls, row.seconds)
    if now_ms is not None and abs(now_ms - row.learned_ms) >= forgotten_seconds(rate) * 1000:  # abs: as above
        return None
    return Learned(rate, row.learned_ms, row.source)
