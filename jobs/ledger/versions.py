"""What each version of a SQLite ledger has more than the one before, made in one that is there."""

from typing import Any

from sqlalchemy import Column, Connection, Index, Table, inspect, update
from sqlalchemy.schema import CreateColumn

from jobs.ledger import tables
from jobs.ledger.older import bring_over, set_aside

BOOTS_SINCE = 3
"""The version that first counts calls and limits on the clock of a boot."""


def add_versions(connection: Connection, since: int) -> None:
    """Makes what the versions after `since` have more, version by version; the last one keeps most of it otherwise."""
    for later in range(since + 1, tables.SCHEMA_VERSION + 1):
        for added in tables.ADDED[later]:
            add(connection, added)
    if since < BOOTS_SINCE:
        fill_boots(connection)
    set_aside(connection)
    for table in tables.ANEW:
        table.create(connection)
    bring_over(connection)


def add(connection: Connection, added: Table | Column[Any] | Index) -> None:
    """Makes a table, or a column or index of one that is there.

    A column must be the last of its table, and may be null or has a default. A table that this very migration made
    has both already.
    """
    if isinstance(added, Table):
        added.create(connection)
        return
    if isinstance(added, Index):
        added.create(connection, checkfirst=True)
        return
    if added.name in {column["name"] for column in inspect(connection).get_columns(added.table.name)}:
        return
    column = str(CreateColumn(added).compile(dialect=connection.dialect)).strip()
    connection.exec_driver_sql(f"ALTER TABLE {added.table.name} ADD COLUMN {column}")


def fill_boots(connection: Connection) -> None:
    """An older muster counted on the wall clock: that is the clock of the boot without a name."""
    learned = tables.learned
    connection.execute(update(learned).values(learned_up=learned.c.learned_ms, changed_up=learned.c.changed_ms))
