"""What the ledger keeps of the customers of one space, asked for by the target's ids of them."""

import json
from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import TextClause, bindparam, select, text

from jobs.ledger import tables
from jobs.ledger.store import Store

KEYS_A_QUERY = 500
"""Below SQLite's limit of bound variables (32,766) and short enough to plan quickly (chosen)."""

CUSTOMER = "json_extract(facts, '$.customer_id')"
INDEX = "record_by_customer"
"""On the customer alone: SQLite adds the primary key itself. It has to be named, or the primary key is preferred."""

SPELLED = """substring(facts from '"customer_id"\\: ("(?\\:[^"\\\\]|\\\\.)*")')"""
"""The customer as PostgreSQL finds it in the text of the facts, quoted as JSON."""


def _kept(record: str, customer: str) -> TextClause:
    return text(
        f"SELECT facts FROM {record}"  # noqa: S608 - constants # nosec B608
        " WHERE space_id = (SELECT space_id FROM space WHERE system = :system AND tenant = :tenant)"
        f" AND {customer} IS NOT NULL AND {customer} IN :customers ORDER BY key"
    ).bindparams(bindparam("customers", expanding=True))


KEPT = {"sqlite": _kept(f"record INDEXED BY {INDEX}", CUSTOMER), "postgresql": _kept("record", SPELLED)}


def made_customers(
    store: Store, system: str, tenant: str, customer_ids: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """The facts of those customers of (system, tenant), by id; one that the ledger does not know is absent."""
    by_customer(store)
    kind = store.engine.dialect.name
    found: dict[str, Mapping[str, str]] = {}
    with store.engine.connect() as connection:
        for start in range(0, len(customer_ids), KEYS_A_QUERY):
            part = list(customer_ids[start : start + KEYS_A_QUERY])
            if kind == "postgresql":
                part = [json.dumps(each) for each in part]
            kept = connection.scalars(KEPT[kind], {"system": system, "tenant": tenant, "customers": part})
            found |= {facts["customer_id"]: facts for facts in map(orjson.loads, kept)}
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
        if connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = :name"), {"name": INDEX}):
            return
    with store.writes.begin() as connection:
        columns = f"record ({CUSTOMER}) WHERE {CUSTOMER} IS NOT NULL"
        connection.execute(text(f"CREATE INDEX IF NOT EXISTS {INDEX} ON {columns}"))
