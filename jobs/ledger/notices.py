"""What a target told of its customers by itself: kept once each, and asked for by customer. Judges nothing."""

from sqlalchemy import insert, select

from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.value import value


@value
class Kept:
    """One notice. `digest`: 64 hex digits of what makes it the same notice. `state` None: it says none."""

    digest: str
    customer_id: str
    state: str | None


def keep_notice(store: Store, space_id: int, notice: Kept, now_ms: int) -> bool:
    """Keeps it on the disk; False, and nothing is kept, when it is there already."""
    table = tables.notice
    with store.writes.begin() as connection:
        known = select(table.c.notice_id).where(table.c.space_id == space_id, table.c.digest == notice.digest)
        if connection.scalar(known) is not None:
            return False
        told = {"digest": notice.digest, "customer_id": notice.customer_id.lower(), "state": notice.state}
        connection.execute(insert(table).values(space_id=space_id, received_ms=now_ms, **told))
        return True


def told_state(store: Store, system: str, tenant: str, customer_id: str) -> str | None:
    """The state that the newest notice of a customer gives; None when none gave one."""
    table, space = tables.notice.c, tables.space.c
    wanted = (
        select(table.state)
        .join(tables.space, space.space_id == table.space_id)
        .where(space.system == system, space.tenant == tenant)
        .where(table.customer_id == customer_id.lower(), table.state.is_not(None))
        .order_by(table.notice_id.desc())
        .limit(1)
    )
    with store.engine.connect() as connection:
        found: str | None = connection.scalar(wanted)
        return found
