"""One ledger's tables into another database, window by window in the order of their keys, to be gone on with.

A ledger that is not whole yet has the negative version: no run takes it for one.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Engine, MetaData, Table, delete, insert, select, tuple_, update

from jobs.errors import Unusable
from jobs.ledger import tables
from jobs.ledger.bulk_insert import upsert
from jobs.ledger.database import database_of
from jobs.ledger.dialect import insert_into, number_on
from jobs.ledger.migration import version_of
from jobs.ledger.store import Store
from jobs.ledger.stored import as_it_lies
from jobs.value import value

AT_ONCE = 5_000
"""Rows in one transaction (chosen): a second at most."""

AS_THEY_LIE = MetaData()
ORDER = tuple(
    as_it_lies(table, AS_THEY_LIE) for table in tables.metadata.sorted_tables if table is not tables.schema_version
)
"""What is copied, as it lies in the tables, and what others refer to first."""

SPACE = AS_THEY_LIE.tables[tables.space.name]

OWNERS = frozenset(each.name for each in tables.space.c if each.name.startswith("owner_")) | {"heartbeat_ms", "beats"}
"""Columns of a space that say who works on it: nobody works on the copy."""


@value
class Copied:
    """One table as both ledgers have it: rows, and the SHA-256 of all of them in their order."""

    table: str
    rows: int
    sha256: str
    there_rows: int
    there_sha256: str

    @property
    def same(self) -> bool:
        """Whether nothing is missing, and nothing is different."""
        return (self.rows, self.sha256) == (self.there_rows, self.there_sha256)


def begin(store: Store, to: Engine) -> None:
    """Makes the tables of a copy, or finds those of one that was begun. Raises Unusable for any other ledger."""
    table, mark = tables.schema_version, -tables.SCHEMA_VERSION
    version = version_of(to)
    if version is None:
        with to.execution_options(writes=True).begin() as connection:
            database_of(to).make(connection)
            connection.execute(insert(table).values(version=mark))
    elif version != mark:
        raise Unusable("there is a ledger already at the place that is copied to", hint="give another place with --to")
    with store.engine.connect() as connection:
        if connection.scalar(select(table.c.version)) != tables.SCHEMA_VERSION:
            raise Unusable("the ledger is of another version", hint="muster ledger upgrade")


def copy_table(store: Store, to: Engine, table: Table, advance: Callable[[int], None]) -> None:
    """Adds to the copy what it does not have yet of `table`; `advance` is told how many rows.

    Spaces are few, and whoever copies takes their leases: they are written anew.
    """
    statement, last = insert(table), None
    if table is SPACE:
        statement = upsert(insert_into(to.dialect.name, table), table)
    else:
        key = list(table.primary_key)
        with to.connect() as connection:
            last = connection.execute(select(*key).order_by(*(each.desc() for each in key)).limit(1)).one_or_none()
    for rows in windows(store.engine, table, None if last is None else tuple(last)):
        with to.execution_options(writes=True).begin() as connection:
            connection.execute(statement, [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
        advance(len(rows))


def compared(store: Store, to: Engine, table: Table) -> Copied:
    """`table` as both ledgers have it now."""
    return Copied(table.name, *_sum(store.engine, table), *_sum(to, table))


def end(store: Store, to: Engine) -> None:
    """Makes a copy a ledger: it numbers rows from here on, and has its version and the check of its key."""
    table = tables.schema_version
    with store.engine.connect() as connection:
        check = connection.scalar(select(table.c.key_check))
    with to.execution_options(writes=True).begin() as connection:
        number_on(connection, ORDER)
        connection.execute(update(table).values(version=tables.SCHEMA_VERSION, key_check=check))


def windows(engine: Engine, table: Table, after: tuple[Any, ...] | None = None) -> Iterator[list[list[Any]]]:
    """The rows of a table behind `after`, in the order of the primary key, as lists; never none at a time."""
    key = list(table.primary_key)
    places = [table.c.keys().index(each.name) for each in key]
    while True:
        wanted = select(table).order_by(*key).limit(AT_ONCE)
        if after is not None:
            wanted = wanted.where(tuple_(*key) > tuple_(*after))
        with engine.connect() as connection:
            rows = [_plain(table, row) for row in connection.execute(wanted)]
        if not rows:
            return
        yield rows
        after = tuple(rows[-1][place] for place in places)


def _plain(table: Table, row: Sequence[Any]) -> list[Any]:
    """A row as both databases keep it: without the owner of a space, and with a picture for NUL."""
    owned = table is SPACE
    return [
        None
        if owned and name in OWNERS
        else value.replace("\0", "\N{SYMBOL FOR NULL}")
        if isinstance(value, str)
        else value
        for name, value in zip(table.c.keys(), row, strict=True)
    ]


def _sum(engine: Engine, table: Table) -> tuple[int, str]:
    rows, digest = 0, hashlib.sha256()
    for window in windows(engine, table):
        rows += len(window)
        digest.update(b"".join(orjson.dumps(row, default=bytes.hex) + b"\n" for row in window))
    return rows, digest.hexdigest()


def forget_copy(to: Engine) -> None:
    """Empties a copy, which is then begun anew."""
    with to.execution_options(writes=True).begin() as connection:
        for table in reversed(ORDER):
            connection.execute(delete(table))
