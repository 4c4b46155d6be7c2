"""What the two databases spell differently, where SQLAlchemy does not spell it for both."""

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    func,
    select,
    text,
    type_coerce,
)

from jobs.ledger.packed import pack
from jobs.ledger.stored import Numbered, Packed


def insert_into(name: str, table: Table) -> Any:
    """An insertion that knows what to do on a conflict; `name`: of the dialect."""
    return import_module(f"sqlalchemy.dialects.{name}").insert(table)


def numbers(connection: Connection, values: Sequence[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Two columns of a list of one parameter: places, which count from 1, and `values`."""
    if connection.dialect.name == "postgresql":
        given = bindparam(None, list(values), type_=ARRAY(BigInteger))
        said = func.unnest(given).table_valued("value", with_ordinality="place", name="said").render_derived()
        return said.c.place, said.c.value
    each = func.json_each(json.dumps(list(values))).table_valued("key", "value")
    return each.c.key + 1, each.c.value


def is_one_of(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether `column` is one of `values`, which are one parameter, however many there are."""
    kind: Any = column.type
    if isinstance(kind, Numbered):
        return column.in_(select(kind.number).where(is_one_of(connection, kind.text, values)))
    if connection.dialect.name == "postgresql":
        if isinstance(kind, Packed):
            each: Any = LargeBinary()
            packed = bindparam(None, list(map(pack, values)), type_=ARRAY(each))
            return type_coerce(column, each) == func.any(packed)
        return column == func.any(bindparam(None, list(values), type_=ARRAY(Text)))
    if isinstance(kind, Packed):
        each = func.json_each(json.dumps([pack(value).hex() for value in values])).table_valued("value").c.value
        return column.in_(select(func.unhexed(each, type_=LargeBinary)))
    return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))


def contains(connection: Connection, column: ColumnElement[Any], part: bytes) -> ColumnElement[bool]:
    """Whether `part` is somewhere within the bytes of `column`."""
    kept, sought = type_coerce(column, LargeBinary), bindparam(None, part, type_=LargeBinary)
    place = (
        func.position(sought.op("IN")(kept)) if connection.dialect.name == "postgresql" else func.instr(kept, sought)
    )
    return place > 0


def number_on(connection: Connection, given: Iterable[Table]) -> None:
    """A server numbers rows by a count of its own, which knows nothing of rows that came with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    count = text("SELECT setval(pg_get_serial_sequence(:name, :column), greatest(:last, 1), :last > 0)")
    for table in given:
        if (number := number_of(table)) is not None:
            last = connection.scalar(select(func.coalesce(func.max(table.c[number]), 0)))
            connection.execute(count, {"name": table.name, "column": number, "last": last})


def number_of(table: Table) -> str | None:
    """The column of a number that the table gives, or, of events, only a server's; None: there is none."""
    return "seq" if table.name == "event" else None if (found := table.autoincrement_column) is None else found.name
