"""A whole small file, read and validated: what tests say of rows."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from jobs.intake.validate import validate
from jobs.keys import KeySpace

from .written import rows, staged

KEYS = KeySpace.of("eclipse", "1001")
TODAY = date(2026, 11, 21)


@dataclass
class Split:
    """The two sides by source row: `good` the accepted values, `bad` the reason codes, `why` the sentences."""

    good: dict[int, dict[str, object]] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)


def split(folder: Path, content: str | bytes, reading: dict[str, object] | None = None, **options: object) -> Split:
    """`content` through preflight (with `reading`), staging and validation (with `options`)."""
    found = staged(folder, content, **(reading or {}))  # type: ignore[arg-type]
    result = validate(found, folder, keys=KEYS, today=TODAY, **options)  # type: ignore[arg-type]
    good, bad = pl.read_parquet(result.accepted), pl.read_parquet(result.quarantined)
    told = Split()
    for row in good.iter_rows(named=True):
        told.good[row["source_row"]] = row
        told.notes[row["source_row"]] = row["warnings"] or ""
    for row in bad.iter_rows(named=True):
        told.bad[row["source_row"]], told.why[row["source_row"]] = row["reason_code"], row["reason"]
        told.notes[row["source_row"]] = row["warnings"] or ""
    return told


def person(**values: str) -> str:
    """One line of CSV in the columns of HEADER; values are written as they are."""
    usual = {
        "first_name": "Thandi",
        "last_name": "Nkosi",
        "phone": "0821234567",
        "email": "thandi@example.com",
        "national_id": "9001015009086",
    }
    return ",".join((usual | values).values())


def one(folder: Path, header: str = "", **values: str) -> Split:
    """One row in a file of its own; `header` continues HEADER and names columns that `values` brings along."""
    from .written import HEADER

    return split(folder, rows(person(**values), header=HEADER + header))
