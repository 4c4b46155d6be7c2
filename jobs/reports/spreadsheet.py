"""Cells that a spreadsheet must not run. For the CSV that people open; Parquet keeps the raw values.

What a spreadsheet would take for a formula gets one `'` in front, and what already looked guarded a second one: at the
beginning of a cell, and behind every sign inside it at which a spreadsheet may split, because it chooses the separator
and not we. Who takes them away has the value again, without loss.
"""

import re

import polars as pl

from jobs.printable import ESCAPES, printable

_LOOKS = "[ \u00a0\u200b\u200c\u200d\u2060\ufeff\"']*([=+\\-@\t\r\n＝＋－＠]|\\\\u000[ad])"

FORMULA = f"^{_LOOKS}"
"""What a spreadsheet may take for a formula, also behind blanks, invisible characters and quotes (after OWASP).

The visible spelling of a line end counts as one, so that the rule says the same before and after `printable`.
"""

SEPARATORS = ",;|\t"
"""Signs at which a spreadsheet may split what it was given as one cell."""

_SUSPECT = f"(^|[{SEPARATORS}]){_LOOKS}"
_PLACE = re.compile(f"(?:^|(?<=[{SEPARATORS}]))(?={_LOOKS})")


def guard(cell: str) -> str:
    """`cell` as it stands in the CSV: no formula wherever it is split, on one physical line."""
    return printable(_PLACE.sub("'", cell))


def guarded(column: str) -> pl.Expr:
    """`guard` over a text column; null stays null."""
    return pl.col(column).map_batches(_guarded, return_dtype=pl.String).alias(column)


def _guarded(values: pl.Series) -> pl.Series:
    suspects = values.filter(values.str.contains(_SUSPECT).fill_null(value=False)).unique()
    if len(suspects):
        inert = pl.Series([_PLACE.sub("'", cell) for cell in suspects], dtype=pl.String)
        values = values.replace(suspects, inert)
    return values.str.replace_many(list(ESCAPES), list(ESCAPES.values()))


def guarded_at_the_beginning(column: str) -> pl.Expr:
    """`guarded` as an older muster had it: for reading what it wrote."""
    cell = pl.col(column)
    quoted = pl.when(cell.str.contains(FORMULA)).then("'" + cell).otherwise(cell)
    return quoted.str.replace_many(list(ESCAPES), list(ESCAPES.values())).alias(column)
