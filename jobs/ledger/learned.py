"""Limits that the target taught by refusing calls, kept over runs and for all processes on one ledger.

One line a pool: the pool of the permits, which names a credential, an address and a class of call as a pseudonym. It
is no history, and knows nothing of the limit that was configured: that one is held against it at each use. A line whose
last refusal is `forgotten_seconds` ago says nothing any more: on the clock of the boot that wrote it, or, for another
boot, on the wall clock, and at the latest so long after that boot saw it first.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from jobs.clock import Stamp
from jobs.ledger import tables
from jobs.ledger.boots import age_ms
from jobs.ledger.lost_answer import repeatable
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.rates import forgotten_seconds, quiet_seconds, raised, within
from jobs.value import value


@value
class Learned:
    """A limit, when the target last refused because of it, and with what, such as `HTTP 429`."""

    rate: Rate
    at: Stamp
    source: str
    age_ms: int = field(default=0, compare=False)
    """How long ago that was when it was read from the ledger."""


@repeatable
def teach(store: Store, pool: str, lesson: Learned, since: Learned | None = None) -> Learned:
    """Keeps `lesson`; a stricter limit that another process taught meanwhile stays, and is as fresh. What is kept.

    `since`: what the ledger held when the teacher last looked (None: nothing); `lesson` knows it, and takes its place.
    """
    table = tables.learned
    with store.writes.begin() as connection:
        known = _known(connection, pool, lesson.at)
        superseded = known is None or (since is not None and known.at.wall_ms == since.at.wall_ms)
        rate = lesson.rate if known is None or superseded else within(known.rate, lesson.rate)
        connection.execute(delete(table).where(table.c.pool == pool))
        connection.execute(
            insert(table).values(
                pool=pool,
                calls=rate.calls,
                seconds=rate.seconds,
                learned_ms=lesson.at.wall_ms,
                changed_ms=lesson.at.wall_ms,
                source=lesson.source,
                boot=lesson.at.boot,
                learned_up=lesson.at.up_ms,
                changed_up=lesson.at.up_ms,
            )
        )
    return replace(lesson, rate=rate)


@repeatable
def keep_rate(store: Store, pool: str, found: Learned, now: Stamp) -> None:
    """Moves the limit that was learned at `found.at` to a rate that went well; not one learned since."""
    with store.writes.begin() as connection:
        known = _known(connection, pool, now)
        if known is not None and known.at.wall_ms == found.at.wall_ms:
            _move(connection, pool, found.rate, now)


@repeatable
def learned(store: Store, pool: str, now: Stamp | None = None) -> Mapping[str, Learned]:
    """What was learned of `pool` and of its classes of calls `pool-CLASS`, by pool, and is not forgotten at `now`.

    None: whatever its age, which is then not told.
    """
    column = tables.learned.c.pool
    with store.engine.connect() as connection:
        pools = connection.scalars(
            select(column).where(or_(column == pool, column.startswith(f"{pool}-", autoescape=True))).order_by(column)
        )
        found = {name: _known(connection, name, now) for name in pools.all()}
    return {name: known for name, known in found.items() if known is not None}


def in_force(connection: Connection, pool: str, most: Rate, now: Stamp) -> Rate:
    """The learned limit of `pool`, never above `most`, which is the configured or documented one."""
    known = _known(connection, pool, now)
    return most if known is None else within(known.rate, most)


def tried_higher(connection: Connection, pool: str, most: Rate, now: Stamp) -> Rate:
    """The limit in force when its window is full: one step higher, up to `most`, when it has held for long.

    However long nobody called, it is one step, until the limit is forgotten. A step that ends at `most` exactly tries
    what was refused, and so forgets it; a lower `most` disproves nothing.
    """
    table = tables.learned
    row = _row(connection, pool)
    known = None if row is None else _fresh(connection, row, now)
    if row is None or known is None or (limit := within(known.rate, most)) == most:
        return most
    if _age_ms(connection, row, "changed", now) < quiet_seconds(limit) * 1000:
        return limit
    higher = raised(known.rate)
    tried = within(higher, most)
    if tried == most and within(most, higher) == higher:
        connection.execute(delete(table).where(table.c.pool == pool))
    else:
        _move(connection, pool, most if tried == most else higher, now)
    return tried


def _move(connection: Connection, pool: str, rate: Rate, now: Stamp) -> None:
    """Another rate, learned when it was; all its times are then those of this boot."""
    table, row = tables.learned, _row(connection, pool)
    assert row is not None
    moved = update(table).where(table.c.pool == pool)
    moved = moved.values(calls=rate.calls, seconds=rate.seconds, changed_ms=now.wall_ms, changed_up=now.up_ms)
    if row["boot"] != now.boot:
        learned_up = now.up_ms - _age_ms(connection, row, "learned", now)
        moved = moved.values(boot=now.boot, learned_up=learned_up)
    connection.execute(moved)


def _row(connection: Connection, pool: str) -> RowMapping | None:
    return connection.execute(select(tables.learned).where(tables.learned.c.pool == pool)).mappings().one_or_none()


def _age_ms(connection: Connection, row: RowMapping, what: str, now: Stamp) -> int:
    """`what`: learned, or changed."""
    return age_ms(connection, row["boot"], row[f"{what}_up"], row[f"{what}_ms"], now)


def _known(connection: Connection, pool: str, now: Stamp | None) -> Learned | None:
    row = _row(connection, pool)
    return None if row is None else _fresh(connection, row, now)


def _fresh(connection: Connection, row: RowMapping, now: Stamp | None) -> Learned | None:
    """What a line says; None when it is forgotten at `now`."""
    rate = Rate(row["calls"], row["seconds"])
    age_ms = 0 if now is None else _age_ms(connection, row, "learned", now)
    if age_ms >= forgotten_seconds(rate) * 1000:
        return None
    return Learned(rate, Stamp(row["boot"], row["learned_up"], row["learned_ms"]), row["source"], age_ms)
