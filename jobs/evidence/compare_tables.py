"""A table of a run read back: the CSV line by line against the Parquet, by a reader that did not write either."""

import csv
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from jobs.errors import Unproven
from jobs.reports.spreadsheet import guard, guarded, guarded_at_the_beginning
from jobs.reports.table import guarded_frame
from jobs.windows import A_WINDOW


def reread(folder: Path, name: str) -> Iterator[pl.DataFrame]:
    """The rows of `<name>.parquet`, by windows, each compared with the same lines of `<name>.csv` first.

    Raises `Unproven` naming the first line of the CSV that says something else, is missing or too much.
    """
    csv.field_size_limit(sys.maxsize)  # the default of 128 KiB is below an escaped field of the largest input
    table = pl.scan_parquet(folder / f"{name}.parquet")
    columns = table.collect_schema().names()
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as text:
        lines = csv.reader(text, strict=True)
        _same([next(lines, [])], [[guard(column) for column in columns]], name, 0)
        done = 0
        while True:
            frame = table.slice(done, A_WINDOW).collect()
            found = list(islice(lines, frame.height or 1))
            if found != _as_text(frame, guarded_at_the_beginning):  # as an older muster wrote it
                _same(found, _as_text(frame, guarded), name, done + 1)
            if frame.is_empty():
                return
            yield frame
            done += frame.height


def _as_text(frame: pl.DataFrame, rule: Callable[[str], pl.Expr]) -> list[list[str]]:
    """The cells as the CSV has to show them, by a rule of guarding."""
    return [list(row) for row in guarded_frame(frame, rule).cast(pl.String).fill_null("").iter_rows()]


def _same(lines: list[list[str]], expected: list[list[str]], name: str, start: int) -> None:
    if lines == expected:
        return
    equal = [one == other for one, other in zip(lines, expected, strict=False)]
    place = equal.index(False) if False in equal else len(equal)
    raise Unproven(f"{name}.csv and {name}.parquet differ at record {start + place} of the CSV (0 is the header)")
