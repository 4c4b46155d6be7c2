"""What the two databases spell differently, where SQLAlchemy does not spell it for both."""

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Table, Text, bindparam, func, select


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
    if connection.dialect.name == "postgresql":
        return column == func.any(bindparam(None, list(values), type_=ARRAY(Text)))
    return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))
