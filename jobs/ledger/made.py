"""What the ledger keeps of the customers of one space, by the target's id of the customer."""

from collections.abc import Mapping

import orjson
from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store


def made_customers(store: Store, system: str, tenant: str) -> Mapping[str, Mapping[str, str]]:
    """The facts of all customers of (system, tenant) by `customer_id`; empty when the ledger has no such space."""
    space, record = tables.space.c, tables.record.c
    wanted = (
        select(record.facts)
        .join(tables.space, space.space_id == record.space_id)
        .where(space.system == system, space.tenant == tenant, record.facts.contains('"customer_id"'))
    )
    with store.engine.connect() as connection:
        kept = [orjson.loads(text) for text in connection.scalars(wanted)]
    return {facts["customer_id"]: facts for facts in kept if facts.get("customer_id")}
