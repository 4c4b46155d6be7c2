"""The version of a ledger's schema: made for an empty database, brought up to date, refused when it is newer."""

from typing import Any

from sqlalchemy import Column, Connection, Engine, Index, Table, func, insert, inspect, literal, select, update
from sqlalchemy.schema import CreateColumn

from jobs.errors import Unusable
from jobs.ledger import tables
from jobs.ledger.database import database_of

HOLDERS_SINCE = 3
"""The version that first says which key holds a customer or a wallet."""

BOOTS_SINCE = 3
"""The version that first counts calls and limits on the clock of a boot."""


def migrate(engine: Engine, *, create: bool, upgrade: bool) -> None:
    """Makes the tables of an empty database, brings an older one up to date, refuses one of a newer version.

    `create`, `upgrade` False: an empty one is refused, an older one stays as it is. A ledger that is made already is
    only read: a process that was stopped within a commit keeps the write lock, and who comes second has to hear who
    that is. Raises Unusable.
    """
    version = version_of(engine)
    if version is None and not create:
        raise Unusable("the ledger is empty: nothing was run with it yet")
    if version is None:
        make(engine)
        version = version_of(engine)
    if version is not None and upgrade and version < tables.SCHEMA_VERSION:
        version = upgraded(engine)
    if version is None or version > tables.SCHEMA_VERSION:
        raise Unusable(f"the ledger has schema version {version}, this muster knows {tables.SCHEMA_VERSION}")


def version_of(engine: Engine) -> int | None:
    """The version of the schema; None for an empty database. Raises Unusable for one that is no ledger."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        if names and tables.schema_version.name not in names:
            raise Unusable("that database belongs to another program: it has tables, and none of a ledger")
        if not names:
            return None
        return connection.scalar(select(tables.schema_version.c.version))


def make(engine: Engine) -> None:
    """Makes all tables, unless another process was quicker."""
    with engine.execution_options(writes=True).begin() as connection:
        if not engine.dialect.has_table(connection, tables.schema_version.name):
            database_of(engine).make(connection)
            connection.execute(insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))


def upgraded(engine: Engine) -> int:
    """Makes what later versions have more, version by version, all in one transaction; the version then.

    Read again under the write lock: another process may have been quicker.
    """
    with engine.execution_options(writes=True).begin() as connection:
        version = connection.scalar(select(tables.schema_version.c.version)) or 0
        for later in range(version + 1, tables.SCHEMA_VERSION + 1):
            for added in tables.ADDED[later]:
                add(connection, added)
            if later == HOLDERS_SINCE:
                fill_holders(connection)
            if later == BOOTS_SINCE:
                fill_boots(connection)
        if version < tables.SCHEMA_VERSION:
            connection.execute(update(tables.schema_version).values(version=tables.SCHEMA_VERSION))
    return max(version, tables.SCHEMA_VERSION)


def add(connection: Connection, added: Table | Column[Any] | Index) -> None:
    """Makes a table, or a column or index of one that is there.

    A column must be the last of its table, and may be null or has a default. A table that this very migration made
    has it already.
    """
    if isinstance(added, (Table, Index)):
        added.create(connection)
        return
    if added.name in {column["name"] for column in inspect(connection).get_columns(added.table.name)}:
        return
    column = str(CreateColumn(added).compile(dialect=connection.dialect)).strip()
    connection.exec_driver_sql(f"ALTER TABLE {added.table.name} ADD COLUMN {column}")


def fill_holders(connection: Connection) -> None:
    """Says for the records that were there before whose customer and wallet are whose; the first key found has it."""
    holder, record = tables.holder, tables.record.c
    for kind in ("customer", "wallet"):
        found = func.json_extract(record.facts, f"$.{kind}_id")
        whose = select(record.space_id, literal(kind), found, record.key).where(found.is_not(None), found != "")
        connection.execute(
            insert(holder).prefix_with("OR IGNORE").from_select(["space_id", "kind", "id", "key"], whose)
        )


def fill_boots(connection: Connection) -> None:
    """An older muster counted on the wall clock: that is the clock of the boot without a name."""
    permit, learned = tables.permit, tables.learned
    connection.execute(update(permit).values(sent_up=permit.c.sent_ms, answered_up=permit.c.answered_ms))
    connection.execute(update(learned).values(learned_up=learned.c.learned_ms, changed_up=learned.c.changed_ms))
