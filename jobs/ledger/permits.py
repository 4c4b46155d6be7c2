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
        limit = in_force(connection, pool, rate)
        span = int(limit.seconds * 1000)
        _report(connection, pool, answered_ms)
        connection.execute(delete(table).where(table.c.pool == pool, table.c.answered_ms <= now_ms - span))
        lost = now_ms - span - int(LOST_SECONDS * 1000)
        connection.execute(
            delete(table).where(table.c.pool == pool, table.c.answered_ms.is_(None), table.c.sent_ms <= lost)
        )
        taken = connection.scalar(select(func.count()).select_from(table).where(table.c.pool == pool)) or 0
        if taken >= limit.calls:
            limit = tried_higher(connection, pool, rate, now_ms)
        permits = max(0, min(wanted, limit.calls - taken))
        if permits:
            connection.execute(insert(table), [{"pool": pool, "sent_ms": now_ms}] * permits)
            return Reservation(permits, 0.0, limit)
        first = connection.scalar(select(func.min(table.c.answered_ms)).where(table.c.pool == pool))
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


def _report(connection: Connection, pool: str, answered_ms: Sequence[int]) -> None:
    """Gives each answer to the oldest permit that is out; permits are fungible."""
    table = tables.permit
    oldest = select(func.min(table.c.permit_id)).where(table.c.pool == pool, table.c.answered_ms.is_(None))
    for moment in answered_ms:
        connection.execute(
            update(table).where(table.c.permit_id == oldest.scalar_subquery()).values(answered_ms=moment)
        )
