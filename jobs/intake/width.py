"""How wide an input may be: looked at before anything costs time with every column and every sign of a header."""

from collections.abc import Sequence

from jobs.errors import Unusable

MOST_COLUMNS = 2_000
"""Chosen: what a table of SQLite holds (PostgreSQL: 1,600); customer files have some dozens."""

MOST_CHARACTERS = 1_000
"""Of a column's name. Chosen: three times the longest question that a survey had for a header."""

HEADER_CHARACTERS = MOST_COLUMNS * (MOST_CHARACTERS + 3)
"""Of the whole header line: as many names as are taken, as long as they may be, with quotes and delimiters."""


def refuse_many(name: str, columns: int) -> None:
    """Raises Unusable for more columns than are taken."""
    if columns > MOST_COLUMNS:
        raise Unusable(
            f"{name} has {columns:,} columns; at most {MOST_COLUMNS:,} are read",
            hint="leave out those that the target does not need: muster schema shows which it does",
        )


def refuse_wide(name: str, header: Sequence[str]) -> None:
    """Raises Unusable for more columns than are taken, and for a name that is longer than one can be."""
    refuse_many(name, len(header))
    for place, cell in enumerate(header, start=1):
        if len(cell) > MOST_CHARACTERS:
            raise Unusable(
                f"{name}: column {place} has a name of {len(cell):,} characters; at most {MOST_CHARACTERS:,} are read",
                hint="muster reads , ; tab and | between columns: say --delimiter if it is another sign",
            )
