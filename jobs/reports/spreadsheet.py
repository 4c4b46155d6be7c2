"""Cells that a spreadsheet must not run. For the CSV that people open; Parquet keeps the raw values.

A cell that a spreadsheet would take for a formula gets one `'` in front, and one that already looked guarded a second
one: who takes one away has the value again, without loss.
"""

import re

import polars as pl

from jobs.printable import ESCAPES, printable

FORMULA = "^[ \u00a0\u200b\u200c\u200d\u2060\ufeff\"']*([=+\\-@\t\r\n＝＋－＠]|\\\\u000[ad])"
"""What a spreadsheet may take for a formula, also behind blanks, invisible characters and quotes (after OWASP).

The visible spelling of a line end counts as one, so that the rule says the same before and after `printable`.
"""

_FORMULA = re.compile(FORMULA)


def guard(cell: str) -> str:
    """`cell` as it stands in the CSV: never a formula, on one physical line."""
    return printable("'" + cell if _FORMULA.match(cell) else cell)


def guarded(column: str) -> pl.Expr:
    """`guard` over a text column; null stays null."""
    cell = pl.col(column)
    quoted = pl.when(cell.str.contains(FORMULA)).then("'" + cell).otherwise(cell)
    return quoted.str.replace_many(list(ESCAPES), list(ESCAPES.values())).alias(column)
