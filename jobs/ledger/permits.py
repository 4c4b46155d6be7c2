"""Windows that hold over restarts and between processes: every permit is a line in the ledger until it has expired.

Permits are fungible: what counts is how many are out or were answered less than the window's length ago.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from jobs.ledger import tables
from jobs.ledger.learned import in_force, tried_higher
from jobs.ledger.store import Store
from jobs.model import Rate

LOST_SECONDS = 120.0
"""A permit whose process died counts as if it had been answered so long after it was given: more than any deadline."""

KEPT_SECONDS, MOST_KEPT = 3600.0, 10_000
"""A line stays so long after its answer, for runs with a longer window than the one who asks; and beyond that one's
window the newest so many, for a thousand calls a second would be millions (chosen; documented: 60 calls in 180 s)."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a process got: `permits` to use, or how long to wait before asking again, and the limit in force."""

    permits: int
    wait_seconds: float
    rate: Rate


def reserve(store: Store, pool: str, rate: Rate, wanted: int, answered_ms: Sequence[int], now_ms: int) -> Reservation:
    """Records when calls were answered, and takes up to `wanted` new permits, in one transaction.

    `pool` names what shares the limit (a credential, an address). Nothing is taken beyond `rate`, nor beyond what was
    learned of the pool.
    """
    table = tables.permit
    with store.writes.begin() as connection:
        limit = in_force(connection, pool, rate, now_ms)
        span = int(limit.seconds * 1000)
        _report(connection, pool, answered_ms)
        _clear(connection, pool, now_ms, span)
        recent = (table.c.pool == pool, table.c.answered_ms > now_ms - span)
        out = (table.c.pool == pool, table.c.answered_ms.is_(None))
        taken = sum(connection.scalar(select(func.count()).where(*each)) or 0 for each in (recent, out))
        if taken >= limit.calls:
            limit = tried_higher(connection, pool, rate, now_ms)
        permits = max(0, min(wanted, limit.calls - taken))
        if permits:
            connection.execute(insert(table), [{"pool": pool, "sent_ms": now_ms}] * permits)
            return Reservation(permits, 0.0, limit)
        first = connection.scalar(select(func.min(table.c.answered_ms)).where(*recent))
    wait = 0.1 if first is None else (first + span - now_ms) / 1000
    return Reservation(0, max(0.005, wait), limit)


def hand_back(store: Store, pool: str, answered_ms: Sequence[int], unused: int) -> None:
    """At the end of a run: when calls were answered, and how many permits were never used and are free at once."""
    table = tables.permit
    with store.writes.begin() as connection:
        _report(connection, pool, answered_ms)
        out = select(table.c.permit_id).where(table.c.pool == pool, table.c.answered_ms.is_(None))
        spare = out.order_by(table.c.permit_id.desc()).limit(unused)
        connection.execute(delete(table).where(table.c.permit_id.in_(spare)))


def _clear(connection: Connection, pool: str, now_ms: int, span: int) -> None:
    """Answers permits whose process died, and deletes lines that no window needs; `span` is the caller's, in ms."""
    table, lost = tables.permit, int(LOST_SECONDS * 1000)
    died = (table.c.pool == pool, table.c.answered_ms.is_(None), table.c.sent_ms <= now_ms - span - lost)
    connection.execute(update(table).where(*died).values(answered_ms=table.c.sent_ms + lost))
    newest = select(table.c.answered_ms).where(table.c.pool == pool, table.c.answered_ms.is_not(None))
    spare = connection.scalar(newest.order_by(table.c.answered_ms.desc()).offset(MOST_KEPT - 1).limit(1)) or 0
    old = min(now_ms - span, max(spare - 1, now_ms - int(KEPT_SECONDS * 1000)))
    connection.execute(delete(table).where(table.c.pool == pool, table.c.answered_ms <= old))


def _report(connection: Connection, pool: str, answered_ms: Sequence[int]) -> None:
    """Gives each answer to the oldest permit that is out; permits are fungible."""
    table = tables.permit
    oldest = select(func.min(table.c.permit_id)).where(table.c.pool == pool, table.c.answered_ms.is_(None))
    for moment in answered_ms:
        connection.execute(
            update(table).where(table.c.permit_id == oldest.scalar_subquery()).values(answered_ms=moment)
        )
