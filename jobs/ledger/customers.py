"""What the ledger keeps of the customers of one space, asked for by the target's ids of them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Integer, inspect, select, text, type_coerce

from jobs.ledger import tables
from jobs.ledger.store import Store

KEYS_A_QUERY = 500
"""Below SQLite's limit of bound variables (32,766) and short enough to plan quickly (chosen)."""

INDEX = "record_by_customer"
"""On the customer alone: SQLite adds the primary key itself."""


def made_customers(
    store: Store, system: str, tenant: str, customer_ids: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """The facts of those customers of (system, tenant), by id; one that the ledger does not know is absent."""
    by_customer(store)
    record, space = tables.record.c, tables.space.c
    ours = select(space.space_id).where(space.system == system, space.tenant == tenant).scalar_subquery()
    its = type_coerce(record.space_id, Integer) + 0 == ours  # so that the primary key is not preferred to the index
    found: dict[str, Mapping[str, str]] = {}
    with store.engine.connect() as connection:
        for start in range(0, len(customer_ids), KEYS_A_QUERY):
            part = list(customer_ids[start : start + KEYS_A_QUERY])
            wanted = select(record.facts).where(its, record.customer_id.in_(part)).order_by(record.key)
            found |= {facts["customer_id"]: facts for facts in connection.scalars(wanted)}
    return found


def holders(store: Store, space_id: int, customer_ids: Sequence[str]) -> Mapping[str, str]:
    """The key that holds each of those customers of a space, by id; one that nobody holds is absent."""
    table = tables.holder
    found: dict[str, str] = {}
    with store.engine.connect() as connection:
        for start in range(0, len(customer_ids), KEYS_A_QUERY):
            part = customer_ids[start : start + KEYS_A_QUERY]
            held = select(table.c.id, table.c.key).where(
                table.c.space_id == space_id, table.c.kind == "customer", table.c.id.in_(part)
            )
            found |= {row.id: row.key for row in connection.execute(held)}
    return found


def by_customer(store: Store) -> None:
    """Makes the index that asking for customers takes; only a ledger through which somebody decides pays for it.

    In PostgreSQL it is there from the start: who may write rows may not make an index.
    """
    if store.engine.dialect.name == "postgresql":
        return
    with store.engine.connect() as connection:
        there = {each["name"] for each in inspect(connection).get_indexes("record")}
    if INDEX not in there:
        with store.writes.begin() as connection:
            columns = "record (customer_id) WHERE customer_id IS NOT NULL"
            connection.execute(text(f"CREATE INDEX IF NOT EXISTS {INDEX} ON {columns}"))
