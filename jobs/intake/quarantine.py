"""Rows of the input as they came, plus why they come back: `quarantine.csv`, and what `muster mend` writes.

It is the user's own data: nothing is masked, and nothing is guarded against spreadsheets, or the values would not come
back the same. Every other file of a run is for `jobs/reports`.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from jobs.atomic import atomic
from jobs.intake.preflight import InputFile
from jobs.intake.stage import LINE, SOURCE_ROW, SURPLUS, Staged, staged_name
from jobs.windows import A_FRAME
from schemas.columns import RESERVED

Cells = tuple[str | None, ...]

REASON = LINE
"""The column of a window of reasons that holds their text, beside `source_row`."""


def write_quarantine(staged: Staged, quarantined: Path, target: Path) -> None:
    """Writes `target` (0600, whole or absent): UTF-8, the input's delimiter, original headers and values.

    `_reasons` is last (`code:column`, joined by `;`). `_surplus` stands before it when rows of the file have a wrong
    number of fields: a JSON array of the cells too many, `-N` for N missing; to be emptied when the row is mended.
    """
    encoding = "utf-8-sig" if staged.file.encoding == "utf-8-sig" else "utf-8"
    write_originals(staged, _reason_codes(staged, quarantined), target, encoding)


def write_originals(staged: Staged, reasons: Iterable[pl.DataFrame], target: Path, encoding: str) -> None:
    """Writes the rows that `reasons` name, as of `write_quarantine`, in `encoding`.

    `reasons`: frames of `source_row` (rising over all of them) and `REASON`, the text of `_reasons`.
    """
    with atomic(target) as draft, draft.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, delimiter=staged.file.delimiter, lineterminator="\r\n")
        writer.writerow(header_of(staged.file))
        for these in reasons:
            writer.writerows(originals(staged, these))


def header_of(file: InputFile) -> list[str]:
    """The columns of rows that are given back."""
    return [*_kept(file), *(["_surplus"] if _has_surplus(file) else []), "_reasons"]


def _kept(file: InputFile) -> list[str]:
    return [header for header in file.header if header not in RESERVED]


def _has_surplus(file: InputFile) -> bool:
    return file.ragged_rows > 0 or "_surplus" in file.header


def _reason_codes(staged: Staged, quarantined: Path) -> Iterator[pl.DataFrame]:
    reasons = pl.scan_parquet(quarantined, glob=False).select(SOURCE_ROW, pl.col("reason_code").alias(REASON))
    for first in range(1, staged.rows + 1, A_FRAME):
        yield reasons.filter(pl.col(SOURCE_ROW).is_between(first, first + A_FRAME - 1)).collect()


def originals(staged: Staged, these: pl.DataFrame) -> Iterator[Cells]:
    """The rows that a frame of reasons names, as they came, each with its reason."""
    if these.is_empty():
        return
    file = staged.file
    surplus = [SURPLUS, staged_name("_surplus")] if "_surplus" in file.header else [SURPLUS]
    columns = [pl.col(staged_name(header)) for header in _kept(file)]
    if _has_surplus(file):
        columns.append(pl.coalesce(surplus).alias(SURPLUS))
    first, last = these[SOURCE_ROW][0], these[SOURCE_ROW][-1]
    rows = pl.scan_parquet(staged.path, glob=False).slice(first - 1, last - first + 1).drop(LINE).collect()
    yield from (
        rows.join(these, on=SOURCE_ROW, how="inner", maintain_order="left").select(*columns, REASON).iter_rows()
    )
