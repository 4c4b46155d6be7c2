"""The input columns of each system: one table that headers, rules, requests, masks and documents are made from.

A new system is one more entry of `COLUMNS`.
"""

import unicodedata
from collections.abc import Iterable

from schemas.column import Column as Column
from schemas.eclipse import ECLIPSE
from schemas.extract import SUFFIX, extract_columns

RESERVED = ("_reasons", "_surplus")
"""Columns that `quarantine.csv` adds; in an input they are muster's own and not echoed."""

COLUMNS: dict[str, tuple[Column, ...]] = {"eclipse": ECLIPSE}
"""The columns of each system, in the order of documents and of the accepted frame.

Every system has the columns of ALWAYS, so that keys, masks and duplicates work alike; `row_ref` or `national_id` is
required, because the key is derived from one of them.
"""

ALWAYS = ("row_ref", "external_unique_id", "phone", "national_id")


def folded(header: str) -> str:
    """`header` as headers are compared: without case, spaces, dashes, underscores, dots and invisible characters."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(sign for sign in text if sign not in "-_." and unicodedata.category(sign)[0] not in "CZ")


def spellings(columns: Iterable[Column]) -> dict[str, str]:
    """Folded spelling -> column name, for the names, the target's fields and the aliases of `columns`."""
    return {folded(spelling): column.name for column in columns for spelling in (column.name, *column.aliases)}


def columns_of(system: str) -> tuple[Column, ...]:
    """The columns of `system`, or of its extract (`eclipse:extract`). Raises KeyError for a system without an entry."""
    if system.endswith(SUFFIX):
        return extract_columns(COLUMNS[system.removesuffix(SUFFIX)])
    return COLUMNS[system]
