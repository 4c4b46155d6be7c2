"""Many lines in one statement: compiled once, and handed to the driver as they are.

SQLAlchemy's own way costs five times the time of the insert itself where lines have 23 columns (measured).
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table

from jobs.ledger.dialect import insert_into


class Many:
    """The insertions of one ledger, and what is asked with each."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool | None], tuple[str, Named | None]] = {}
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

    def insert(
        self,
        connection: Connection,
        table: Table,
        lines: Sequence[tuple[object, ...]],
        *,
        replacing: bool | None = None,
    ) -> int:
        """Adds `lines`, which have the columns of `table` but a number that it gives; how many were added or replaced.

        `replacing`: a line takes the place of the one of the same primary key (True), or leaves it there (False); None:
        there is none.
        """
        if not lines:
            return 0
        known = self._known.get((table.name, replacing))
        if known is None:
            known = self._known[table.name, replacing] = compiled(connection, table, replacing=replacing)
        statement, named = known
        return connection.exec_driver_sql(statement, list(map(named, lines)) if named else list(lines)).rowcount


Named = Callable[[tuple[object, ...]], dict[str, object]]


def compiled(connection: Connection, table: Table, *, replacing: bool | None) -> tuple[str, Named | None]:
    """The statement as the driver takes it, and what gives a line's values their names; None where it takes them so."""
    dialect = connection.dialect
    columns = [column.name for column in table.columns if column is not table.autoincrement_column]
    statement: Any = insert_into(dialect.name, table)
    if replacing is not None:
        statement = upsert(statement, table) if replacing else statement.on_conflict_do_nothing()
    text = statement.compile(dialect=dialect, column_keys=columns)
    order = getattr(text, "positiontup", None)
    assert order in (None, columns), f"the columns of {table.name} in another order: {order}"
    return str(text), None if order else lambda line: dict(zip(columns, line, strict=True))


def upsert(statement: Any, table: Table) -> Any:
    """`statement` with every column but the primary key set anew on conflict."""
    changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
