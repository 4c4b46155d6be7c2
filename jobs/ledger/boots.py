"""Times that other boots wrote, compared without trusting a wall clock.

What a boot reads in the ledger was written before it read it. So the other's clock shows at least the newest time that
was ever seen of it, plus what has passed here since: everything of it is at least so old. That grows tighter with each
look while the other one works, and goes on when it is gone; a wall clock that steps changes nothing.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, literal, select, union_all, update

from jobs.clock import Clock, Stamp
from jobs.ledger import tables
from jobs.ledger.bulk_insert import insert_lines
from jobs.ledger.lost_answer import repeatable
from jobs.ledger.packed import pack
from jobs.ledger.store import Store

ROUNDING_MS = 2
"""By which two times in whole milliseconds may be nearer to each other than they were."""


@repeatable
def met(store: Store, pool: str, clock: Clock) -> None:
    """`meet`, for a process that counts no calls of the pool."""
    with store.writes.begin() as connection:
        meet(connection, pool, clock.stamp())


def know(connection: Connection, texts: Sequence[str]) -> None:
    """Gives a number to those of `texts` (pools, boots, processes) that have none: permits speak of them by it."""
    insert_lines(connection, tables.mark, [(pack(each),) for each in texts], replacing=False)


def meet(connection: Connection, pool: str, now: Stamp) -> Mapping[str, int]:
    """What the clock of each boot that has permits in `pool` shows at least, in ms of its own; `now` its exact time.

    Remembers what was seen of the others, and forgets boots of which nothing is left. Needs a connection that writes.
    """
    know(connection, (now.boot,))  # a boot without a number is like none, and so no other
    counted, newest, known = _seen(connection, pool, now.boot)
    ahead = tables.ahead
    for other, up_ms in newest.items():
        found = now.up_ms - up_ms + ROUNDING_MS
        if other not in known:
            connection.execute(insert(ahead).values(boot=now.boot, other=other, ahead_ms=found))
        elif found < known[other]:
            here = (ahead.c.boot == now.boot, ahead.c.other == other)
            connection.execute(update(ahead).where(*here).values(ahead_ms=found))
        known[other] = min(found, known.get(other, found))
    if set(known) - set(newest):
        _forget(connection)
    return {now.boot: now.up_ms, **{other: now.up_ms - known[other] for other in counted}}


def age_ms(connection: Connection, boot: str, up_ms: int, wall_ms: int, now: Stamp) -> int:
    """How old a time of `boot` is, never below 0; that of another boot may be thought too old by a wall clock.

    For what may end too early without harm: a lesson, a pause. It ends in its time from its first sight at the latest.
    """
    if boot == now.boot and up_ms <= now.up_ms:
        return now.up_ms - up_ms
    ahead = tables.ahead.c
    known = connection.scalar(select(ahead.ahead_ms).where(ahead.boot == now.boot, ahead.other == boot))
    surely = 0 if known is None else now.up_ms - known - up_ms
    return max(0, surely, now.wall_ms - wall_ms)


def _seen(connection: Connection, pool: str, mine: str) -> tuple[set[str], dict[str, int], dict[str, int]]:
    """Says which other boots have permits in `pool`, the newest time that each of them bears, how far it is behind."""
    permit, learned, pause, ahead = (each.c for each in (tables.permit, tables.learned, tables.pause, tables.ahead))
    newest = func.max(func.coalesce(permit.answered_up, permit.sent_up))
    permits = select(permit.boot, newest).where(permit.pool == pool, permit.boot != mine).group_by(permit.boot)
    times = (
        select(literal("other"), learned.boot, learned.changed_up).where(learned.pool == pool, learned.boot != mine),
        select(literal("other"), pause.boot, pause.asked_up).where(pause.pool == pool, pause.boot != mine),
        select(literal("known"), ahead.other, ahead.ahead_ms).where(ahead.boot == mine),
    )
    found: dict[str, int] = dict(map(tuple, connection.execute(permits)))
    counted, known = set(found), dict[str, int]()
    for kind, boot, value in connection.execute(union_all(*times)):
        if kind == "known":
            known[boot] = value
        else:
            found[boot] = max(value, found.get(boot, value))
    return counted, found, known


def _forget(connection: Connection) -> None:
    """Drops what is known of boots that have left nothing in any pool."""
    permits = select(tables.mark.c.mark).where(tables.mark.c.mark_no.in_(select(tables.permit.c.boot)))
    left = set(connection.scalars(permits))
    for table in (tables.learned, tables.pause):
        left.update(connection.scalars(select(table.c.boot)))
    connection.execute(delete(tables.ahead).where(tables.ahead.c.other.not_in(left)))
