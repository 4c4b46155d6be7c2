"""Things of which a row may have any number, `document_21_file` and so on: each judged as a small row of its own."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from jobs.intake.files import Files
from jobs.intake.stage import SOURCE_ROW
from jobs.value import value
from schemas.column import Column, numbered
from schemas.customers import rules_of
from schemas.usual import DAY

NUMBER = "~number"
"""Which of the things it is; a name that no column has."""

SOME_ROWS = 200
"""Rows whose things are looked at together: with hundreds each, a window's would be millions (chosen)."""

Masks = dict[str, pl.Series]


@value
class Numbered:
    """The rules of one gathering column."""

    column: Column
    files: Files
    today: date

    def refused(self, frame: pl.DataFrame) -> Masks:
        """By `code:column` the rows of `frame` of which such a thing can't be sent."""
        found: dict[tuple[int, str], set[int]] = {}
        schema = {SOURCE_ROW: pl.Int64, NUMBER: pl.Int64, **{each.name: pl.String for each in self.column.numbered}}
        for some in frame.filter(pl.col(self.column.name).is_not_null()).iter_slices(SOME_ROWS):
            things = pl.DataFrame(list(self._parts(some)), schema=schema)
            for code, bad in self._bad(things):
                for number, row in things.filter(bad).select(NUMBER, SOURCE_ROW).iter_rows():
                    found.setdefault((number, code), set()).add(row)
        return {
            self._told(number, code): frame[SOURCE_ROW].is_in(sorted(rows))
            for (number, code), rows in sorted(found.items())
        }

    def _parts(self, frame: pl.DataFrame) -> Iterator[dict[str, object]]:
        for row, text in frame.select(SOURCE_ROW, self.column.name).iter_rows():
            things: dict[int, dict[str, object]] = {}
            for number, name, given in numbered(text):
                things.setdefault(number, {SOURCE_ROW: row, NUMBER: number})[name] = given
            yield from things.values()

    def _bad(self, things: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
        for each in self.column.numbered:
            if each.required:
                yield f"missing:{each.name}", things[each.name].is_null()
            for rule in rules_of(each, self.today):
                yield rule.code, ~things.select(rule.good).to_series()
            if each.pattern == DAY:
                day = things[each.name].str.to_date("%Y-%m-%d", strict=False)
                yield f"date_invalid:{each.name}", things[each.name].is_not_null() & day.is_null()
            if each.kind == "file":
                yield each.refusal, self._unusable(things, each)

    def _unusable(self, things: pl.DataFrame, each: Column) -> pl.Series:
        """Which files can't be sent; asked for number by number, as refusals of earlier runs are known."""
        bad: set[tuple[int, int]] = set()
        for (number,), group in things.group_by([NUMBER], maintain_order=True):
            code = self._told(int(str(number)), each.refusal)
            mask = self.files.unusable(code, group[each.name], group[SOURCE_ROW])
            bad |= {(int(str(number)), row) for row in group[SOURCE_ROW].filter(mask)}
        keys = zip(things[NUMBER], things[SOURCE_ROW], strict=True)
        return pl.Series([key in bad for key in keys], dtype=pl.Boolean)

    def _told(self, number: int, code: str) -> str:
        """`code:name` with the whole name of the column."""
        word, _, name = code.partition(":")
        return f"{word}:{self.column.gathers}{number}_{name}"
