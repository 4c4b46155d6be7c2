"""One input file, read to its end and validated: the batch that runs work on, as windows of rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from jobs.earlier import Earlier
from jobs.intake.files import Files, Refused
from jobs.intake.judge import FORMER_KEY, PERSONAL_KEY
from jobs.intake.preflight import InputFile, preflight
from jobs.intake.stage import SOURCE_ROW, Staged, stage
from jobs.intake.validate import Validated, validate
from jobs.keys import KeySpace, Pseudonyms
from jobs.ledger.rows import OutcomeRow
from jobs.model import Outcome
from jobs.privacy import masking
from jobs.privacy.documents import MOST_BYTES
from jobs.settings.settings import Settings
from jobs.systems.row import Row
from jobs.windows import A_LOOKUP
from schemas.columns import columns_of

NOT_VALUES = frozenset(
    {
        "source_row",
        "row_ref",
        "external_unique_id",
        "phone_masked",
        "national_id_masked",
        "warnings",
        FORMER_KEY,
        PERSONAL_KEY,
    }
)
"""Columns of the accepted frame that are not sent."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A file that may be acted on. `rows = accepted + quarantined`."""

    file: InputFile
    staged: Staged
    validated: Validated

    @property
    def rows(self) -> int:
        """Data rows of the file."""
        return self.staged.rows

    def accepted(self, window: int = A_LOOKUP) -> Iterator[list[Row]]:
        """The accepted rows in input order."""
        for frame in _windows(self.validated.accepted, self.validated.accepted_rows, window):
            yield _rows(frame, self.file.system)

    def quarantined(self, pseudonyms: Pseudonyms | None, window: int = 5_000) -> Iterator[list[OutcomeRow]]:
        """The outcomes of the rows that failed validation, in input order; without `pseudonyms`, without their keys."""
        for frame in _windows(self.validated.quarantined, self.validated.quarantined_rows, window):
            yield [_quarantined(values, pseudonyms) for values in frame.iter_rows(named=True)]


@dataclass(frozen=True, slots=True)
class Slice:
    """The accepted rows of a batch from one source row to another, both included."""

    accepted_rows: pl.DataFrame
    system: str

    @classmethod
    def of(cls, accepted: Path, system: str, first: int, last: int) -> "Slice":
        """Those of the file `accepted` of a batch, all in memory."""
        mine = pl.col(SOURCE_ROW).is_between(first, last)
        return cls(pl.scan_parquet(accepted, glob=False).filter(mine).collect(), system)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.accepted_rows)

    def accepted(self, window: int = A_LOOKUP) -> Iterator[list[Row]]:
        """The rows in input order."""
        for frame in self.accepted_rows.iter_slices(window):
            yield _rows(frame, self.system)


def rows_of(accepted: Path) -> int:
    """How many rows the file `accepted` of a batch has."""
    return int(pl.scan_parquet(accepted, glob=False).select(pl.len()).collect().item())


def read_batch(
    path: Path,
    settings: Settings,
    keys: KeySpace,
    work: Path,
    today: date,
    earlier: Earlier | None = None,
    *,
    before: bool = False,
) -> Batch:
    """Preflight, staging and validation of `path`; the files on the way are made in `work`. Raises Unusable.

    `earlier`: what runs before found of the documents that rows name; None: they are looked at. `before`: lines count
    as rows as they did for an older muster (see `Dialect`).
    """
    file = preflight(
        path,
        encoding=settings.encoding,
        delimiter=settings.delimiter,
        columns=settings.columns,
        system=str(settings.job_name),
        skip_lines=settings.skip_lines,
        dates=settings.dates,
        values=settings.values,
        echo=[name.strip() for name in settings.echo.split(",") if name.strip()],
        before=before,
    )
    staged = stage(file, work)
    validated = validate(
        staged,
        work,
        keys=keys,
        region=settings.region,
        strict_ids=settings.strict_ids,
        restore_zeros=settings.restore_zeros,
        files=files_of(path, settings, None if earlier is None else partial(earlier.refused, file.sha256)),
        issued=None if earlier is None else earlier.issued,
        today=today,
    )
    return Batch(file, staged, validated)


def files_of(path: Path, settings: Settings, refused: Refused | None = None) -> Files:
    """Where the documents of `path` lie, and the size that the system's setting `document_bytes` allows."""
    most = settings.systems.get(settings.system, {}).get("document_bytes")
    folder = settings.files or path.parent
    return Files(folder, most if isinstance(most, int) else MOST_BYTES, refused)


def _windows(path: Path, rows: int, window: int) -> Iterator[pl.DataFrame]:
    lazy = pl.scan_parquet(path, glob=False)
    for offset in range(0, rows, window):
        yield lazy.slice(offset, window).collect()


def _rows(frame: pl.DataFrame, system: str) -> list[Row]:
    secrets = frozenset(column.name for column in columns_of(system) if column.secret)
    return [_row(values, secrets) for values in frame.iter_rows(named=True)]


def _row(values: dict[str, Any], secrets: frozenset[str]) -> Row:
    hidden = "personal_key:row_ref" in (values["warnings"] or "")
    given = {name: value for name, value in values.items() if value is not None and name not in NOT_VALUES}
    return Row(
        source_row=values["source_row"],
        row_ref=masking.identity(values["row_ref"]) if hidden else values["row_ref"],
        key=values["external_unique_id"],
        values={name: value for name, value in given.items() if name not in secrets},
        phone_masked=values["phone_masked"] or "",
        national_id_masked=values["national_id_masked"] or "",
        warnings=values["warnings"],
        former_key=values[FORMER_KEY],
        personal_key=values[PERSONAL_KEY],
        secrets={name: value for name, value in given.items() if name in secrets},
    )


def _quarantined(values: dict[str, Any], pseudonyms: Pseudonyms | None) -> OutcomeRow:
    key, masked = values["external_unique_id"], "personal_key:external_unique_id" in (values["warnings"] or "")
    if pseudonyms is None:
        key = None
    elif key is not None and values[PERSONAL_KEY] and not masked:
        key = pseudonyms.hidden(key)
    return OutcomeRow(
        source_row=values["source_row"],
        outcome=Outcome.QUARANTINED,
        row_ref=values["row_ref"],
        key=key,
        reason_code=values["reason_code"],
        reason=values["reason"],
        phone_masked=values["phone_masked"],
        national_id_masked=values["national_id_masked"],
        warnings=values["warnings"],
    )
