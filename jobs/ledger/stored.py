"""How a ledger keeps what its tables speak of: text as bytes, and runs and keys as numbers. Programs see the text."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Selectable,
    Table,
    bindparam,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator

from jobs.ledger.packed import pack, pack_all, unpack, unpack_all


class Packed(TypeDecorator[str]):
    """Text as `pack` gives it. It is compared for being the same, and in the order of the bytes; no part is sought."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> bytes | None:
        return None if value is None else pack(str(value))

    def process_result_value(self, value: bytes | None, _dialect: Any) -> str | None:
        return None if value is None else unpack(value)


class PackedAll(TypeDecorator[Mapping[str, str]]):
    """Names and values as `pack_all` gives them."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, _dialect: Any) -> bytes | None:
        return None if value is None else pack_all(value)

    def process_result_value(self, value: bytes | None, _dialect: Any) -> Mapping[str, str] | None:
        return None if value is None else unpack_all(value)


class Numbered(TypeDecorator[str]):
    """A text by the number that a row of another table has: a text without one is like no row, and NULL when written.

    Two such columns compare their numbers.
    """

    impl = BigInteger
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[Any]):
        """Says of a list of texts that their numbers are meant."""

        def in_(self, other: Any) -> Any:
            return super().in_(self._numbers(other))

        def not_in(self, other: Any) -> Any:
            return super().not_in(self._numbers(other))

        def _numbers(self, other: Any) -> Any:
            kind: Any = self.type
            if isinstance(other, Selectable):
                return other
            told = kind.number.table.alias()
            return select(told.c[kind.number.key]).where(told.c[kind.text.key].in_(list(other)))

    comparator_factory = Comparator

    def __init__(self, number: Column[int], text: Column[str]) -> None:
        """`number` and `text`: the columns of the table that has both, each of them unique."""
        super().__init__()
        self.number, self.text = number, text

    def number_given(self, name: str) -> ColumnElement[Any]:
        """A parameter that is the number itself."""
        return type_coerce(bindparam(name), BigInteger)

    def bind_expression(self, given: Any) -> ColumnElement[Any]:
        told = self.number.table.alias()
        wanted = told.c[self.text.key] == type_coerce(given, self.text.type)
        return select(told.c[self.number.key]).where(wanted).scalar_subquery()

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        told = self.number.table.alias()
        same = told.c[self.number.key] == type_coerce(column, BigInteger)
        return select(told.c[self.text.key]).where(same).correlate_except(told).scalar_subquery()

    def process_bind_param(self, value: str | None, dialect: Any) -> Any:
        kind = self.text.type
        return kind.process_bind_param(value, dialect) if isinstance(kind, TypeDecorator) else value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        kind = self.text.type
        return kind.process_result_value(value, dialect) if isinstance(kind, TypeDecorator) else value


def as_it_lies(table: Table, metadata: MetaData) -> Table:
    """`table` with the numbers, bytes and texts that lie in the database."""
    columns = []
    for each in table.columns:
        kind: Any = each.type
        lies = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
        counted = each is table.autoincrement_column
        columns.append(Column(each.name, lies, primary_key=each.primary_key, autoincrement=counted))
    key = PrimaryKeyConstraint(*(each.name for each in table.primary_key))
    return Table(table.name, metadata, *columns, key)
