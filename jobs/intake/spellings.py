"""How the file writes dates and words, as `[dates]` and `[values]` of muster.toml say: declared, never guessed."""

import re
from collections.abc import Mapping
from dataclasses import field

import polars as pl

from jobs.errors import Unusable
from jobs.value import value
from schemas.column import Column
from schemas.columns import columns_of

_PARTS = {"YYYY": ("%Y", "[0-9]{4}"), "MM": ("%m", "[0-9]{1,2}"), "DD": ("%d", "[0-9]{1,2}")}


@value
class Spellings:
    """By column: (shape, strftime format) of its dates, and what its words mean (the words in small letters)."""

    dates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, dates: Mapping[str, str], values: Mapping[str, str], system: str) -> "Spellings":
        """From the tables: `dates` column -> `DD/MM/YYYY`, `values` `column.word` -> value.

        Raises Unusable for a format with anything but one YYYY, MM and DD each, and for a column without dates. Columns
        that this system does not have are left to others.
        """
        kinds = {column.name: column.kind for column in columns_of(system)}
        words: dict[str, dict[str, str]] = {}
        for key, meant in values.items():
            column, _, word = key.partition(".")
            if column in kinds:
                words.setdefault(column, {})[word.strip().lower()] = meant
        for column in dates:
            if kinds.get(column, "date") != "date":
                raise Unusable(f"[dates] names {column}, which holds no date")
        return cls({column: _form(column, form) for column, form in dates.items() if column in kinds}, words)

    def read(self, value: pl.Expr, column: Column) -> pl.Expr:
        """`value` as `column` is written everywhere else; what fits nothing stays as it is."""
        if column.name in self.dates:
            shape, form = self.dates[column.name]
            day = pl.when(value.str.contains(shape)).then(value).str.to_date(form, strict=False)
            value = pl.coalesce(day.dt.strftime("%Y-%m-%d"), value)
        if words := self.words.get(column.name):
            value = pl.coalesce(
                value.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.String), value
            )
        return value


AS_WRITTEN = Spellings()
"""Dates as yyyy-mm-dd, words as they are."""


def _form(column: str, form: str) -> tuple[str, str]:
    parts = re.split("(YYYY|MM|DD)", form.strip())
    if sorted(part for part in parts if part in _PARTS) != ["DD", "MM", "YYYY"] or re.search(
        "[A-Za-z0-9%]", "".join(parts[::2])
    ):
        raise Unusable(f"[dates] {column}: {form[:20]!r} is no format", hint="write one YYYY, MM and DD: DD/MM/YYYY")
    shape = "".join(_PARTS[part][1] if part in _PARTS else re.escape(part) for part in parts)
    return f"^{shape}$", "".join(_PARTS[part][0] if part in _PARTS else part for part in parts)
