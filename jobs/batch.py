"""One input file, read to its end and validated: the batch that runs work on, as windows of rows."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import partial
from operator import itemgetter
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
from jobs.value import value
from jobs.windows import A_LOOKUP, A_WINDOW
from schemas.columns import columns_of

OWN = (
    "source_row",
    "row_ref",
    "external_unique_id",
    "phone_masked",
    "national_id_masked",
    "warnings",
    FORMER_KEY,
    PERSONAL_KEY,
)
"""Columns of the accepted frame that are not sent."""


@value
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

    def in_order(self) -> "InOrder":
        """The accepted rows for whoever wants some of them, from the first to the last."""
        frames = _windows(self.validated.accepted, self.validated.accepted_rows, A_WINDOW)
        return InOrder(frames, self.file.system)

    def quarantined(self, pseudonyms: Pseudonyms | None, window: int = 5_000) -> Iterator[list[OutcomeRow]]:
        """The outcomes of the rows that failed validation, in input order; without `pseudonyms`, without their keys."""
        for frame in _windows(self.validated.quarantined, self.validated.quarantined_rows, window):
            yield [_quarantined(values, pseudonyms) for values in frame.iter_rows(named=True)]


class InOrder:
    """Accepted rows, read once from the first to the last; only those that are asked for are made."""

    def __init__(self, frames: Iterator[pl.DataFrame], system: str) -> None:
        self._frames, self._system = frames, system
        self._frame = next(frames, None)

    def among(self, wanted: Collection[int]) -> dict[int, Row]:
        """The accepted ones of the source rows `wanted`, which all lie behind those of the last call."""
        found: dict[int, Row] = {}
        while wanted and (frame := self._frame) is not None:
            part = frame.filter(pl.col(SOURCE_ROW).is_in(list(wanted)))
            found |= {row.source_row: row for row in _rows(part, self._system)}
            if frame[SOURCE_ROW][-1] > max(wanted):
                break
            self._frame = next(self._frames, None)
        return found


@value
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

    def in_order(self) -> InOrder:
        """The rows for whoever wants some of them, from the first to the last."""
        return InOrder(self.accepted_rows.iter_slices(A_WINDOW), self.system)


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
    """The frame at `path`, which has `rows`; opened once for several windows: that takes as long as 1,000 rows do."""
    lazy, at_once = pl.scan_parquet(path, glob=False), window * max(1, A_WINDOW // window)
    for offset in range(0, rows, at_once):
        yield from lazy.slice(offset, at_once).collect().iter_slices(window)


def _rows(frame: pl.DataFrame, system: str) -> list[Row]:
    secrets = frozenset(column.name for column in columns_of(system) if column.secret)
    sent = [(place, name) for place, name in enumerate(frame.columns) if name not in OWN]
    plain = [each for each in sent if each[1] not in secrets]
    secret = [each for each in sent if each[1] in secrets]
    own = itemgetter(*map(frame.columns.index, OWN))
    return [_row(own(line), line, plain, secret) for line in frame.rows()]


Places = list[tuple[int, str]]
"""Columns by their places in a line."""


def _row(own: tuple[Any, ...], line: tuple[Any, ...], plain: Places, secret: Places) -> Row:
    """The row of a `line`, whose OWN columns are `own`."""
    source_row, row_ref, key, phone_masked, national_id_masked, warnings, former_key, personal_key = own
    hidden = warnings is not None and "personal_key:row_ref" in warnings
    return Row(
        source_row=source_row,
        row_ref=masking.identity(row_ref) if hidden else row_ref,
        key=key,
        values={name: value for place, name in plain if (value := line[place]) is not None},
        phone_masked=phone_masked or "",
        national_id_masked=national_id_masked or "",
        warnings=warnings,
        former_key=former_key,
        personal_key=personal_key,
        secrets={name: value for place, name in secret if (value := line[place]) is not None},
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
