"""A table of a run, written twice in one pass: CSV for people, Parquet for programs, in flat memory."""

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from jobs.errors import MusterError
from jobs.reports.folder import RunFolder
from jobs.reports.spreadsheet import guard, guarded

ROW_GROUP = 100_000
"""Rows of a Parquet row group. Chosen: what a reader holds in memory at a time."""


def write_table(frames: Iterable[pl.DataFrame], folder: RunFolder, name: str, schema: Mapping[str, pl.DataType]) -> int:
    """Writes `<name>.csv` and `<name>.parquet` and gives the number of rows; no frames give a header alone.

    `frames` have the columns of `schema`, in any order and perhaps more (text); the columns of the first frame hold
    for all, otherwise `MusterError`. CSV: header plain, text quoted and guarded, null is nothing and
    empty text is `""`.
    """
    with (
        folder.open_atomic(f"{name}.csv") as sheet,
        folder.open_atomic(f"{name}.parquet") as target,
        _parts(folder, name) as parts,
    ):
        rows = _windows(_aligned(frames, schema), sheet, parts)
        _joined(parts, target)
    return rows


def _windows(frames: Iterable[pl.DataFrame], sheet: Path, parts: Path) -> int:
    """Appends each window to the CSV and sets it aside as a part of the Parquet; gives the number of rows."""
    rows = 0
    with sheet.open("wb") as lines:
        for frame in frames:
            if not lines.tell():
                lines.write(header_line(frame.columns))
            guarded_frame(frame).write_csv(lines, include_header=False, quote_style="non_numeric")
            frame.write_parquet(parts / f"{rows:012d}.parquet", compression="lz4", statistics=False)
            rows += frame.height
    return rows


def header_line(columns: Iterable[str]) -> bytes:
    """The first line of the CSV: names quoted only where they have to be."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([guard(column) for column in columns])
    return line.getvalue().encode()


def guarded_frame(frame: pl.DataFrame, guard: Callable[[str], pl.Expr] = guarded) -> pl.DataFrame:
    """`frame` with every text column as the CSV shows it; `guard`: by which rule."""
    text = [column for column, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(guard(column) for column in text)


def _aligned(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """The frames in the column order of the file; at least one, so that an empty table has its header."""
    order: dict[str, pl.DataType] | None = None
    for frame in frames:
        if order is None:
            extra = [column for column in frame.columns if column not in schema]
            order = {**schema, **dict.fromkeys(extra, pl.String())}
        if set(frame.columns) != set(order):
            odd = ", ".join(sorted(set(frame.columns) ^ set(order)))
            raise MusterError(f"a window of the report has other columns than the file: {odd}")
        yield frame.select(pl.col(column).cast(kind) for column, kind in order.items())
    if order is None:
        yield pl.DataFrame(schema=schema)


@contextmanager
def _parts(folder: RunFolder, name: str) -> Iterator[Path]:
    """A private place for the windows, beside the result: /tmp may be small, and open to others."""
    parts = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".parts", dir=folder.path))
    try:
        yield parts
    finally:
        shutil.rmtree(parts)


def _joined(parts: Path, target: Path) -> None:
    files = sorted(parts.glob("*.parquet"))
    pl.scan_parquet(files).sink_parquet(target, compression="zstd", row_group_size=ROW_GROUP)
