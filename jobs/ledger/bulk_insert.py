"""Many lines in one statement: spelt once, and handed to the driver as they are, with values as they lie in the tables.

SQLAlchemy's own way costs five times the time of the insert itself where lines have 23 columns (measured).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table

from jobs.ledger.dialect import number_of


class Many:
    """The insertions of one ledger, and what is asked with each."""

    def __init__(self) -> None:
        self._asked: dict[Select[Any], tuple[str, Sequence[str] | None]] = {}

    def scalar(self, connection: Connection, question: Select[Any], **values: object) -> Any:
        """The first value that `question`, with `values` bound, gives; None where it gives no row."""
        known = self._asked.get(question)
        if known is None:
            text = question.compile(dialect=connection.dialect)
            known = self._asked[question] = str(text), getattr(text, "positiontup", None)
        statement, names = known
        return connection.exec_driver_sql(
            statement, tuple(values[name] for name in names) if names else values
        ).scalar()


def insert_lines(
    connection: Connection, table: Table, lines: Sequence[tuple[object, ...]], *, replacing: bool | None = None
) -> int:
    """Adds `lines`, which have the columns of `table` but a number that it gives; how many were added or replaced.

    `replacing`: a line takes the place of the one of the same key (True), or leaves it there (False); None: there is
    none. The key is the primary one, or what is unique where the table gives that.
    """
    if not lines:
        return 0
    return connection.exec_driver_sql(spelt(table, marks(connection), len(lines[0]), replacing), list(lines)).rowcount


def marks(connection: Connection) -> str:
    """How the driver spells the place of a value."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


@lru_cache(maxsize=64)
def spelt(table: Table, mark: str, width: int, replacing: bool | None) -> str:
    """The statement for lines of `width` values: all columns, or all but the number that the table gives."""
    names = [each.name for each in table.columns]
    if width < len(names):
        names.remove(str(number_of(table)))
    assert width == len(names), f"{table.name} has {len(names)} columns"
    listed = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT INTO "{table.name}" ({listed}) VALUES ({", ".join([mark] * width)})'  # noqa: S608 # nosec B608
    if replacing is None:
        return statement
    unique = [each.name for each in table.columns if each.unique] or [each.name for each in table.primary_key]
    key = ", ".join(f'"{name}"' for name in unique)
    if not replacing:
        return f"{statement} ON CONFLICT ({key}) DO NOTHING"
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in unique)
    return f"{statement} ON CONFLICT ({key}) DO UPDATE SET {changed}"  # nosec B608


def upsert(statement: Any, table: Table) -> Any:
    """`statement` with every column but the primary key set anew on conflict."""
    changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
