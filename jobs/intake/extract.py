"""An extract of the target's customers in a file: read strictly, normalised like an input, never judged or changed."""

from pathlib import Path

import polars as pl

from jobs.errors import Unusable
from jobs.intake.normalise import normalise
from jobs.intake.preflight import InputFile, preflight
from jobs.intake.stage import LINE, SOURCE_ROW, STRAY, SURPLUS, stage
from jobs.value import value
from schemas.columns import columns_of
from schemas.job_name import EXTRACT, JobName

LEADS = ("customer_id", "external_unique_id", "national_id")
"""Columns that lead from a row of ours to rows of an extract; the first that both have decides."""

ROW = "extract_row"
"""1 = first data row of the extract."""


@value
class Extract:
    """An extract that was read to its end. `path`: Parquet with `ROW` and every column of `columns`, all text.

    Rows are in the file's order. `sha256` is over the bytes as they lie on the disk.
    """

    name: str
    sha256: str
    path: Path
    rows: int
    columns: frozenset[str]

    def scan(self) -> pl.LazyFrame:
        """The rows, lazily."""
        return pl.scan_parquet(self.path / "*.parquet", glob=True)


def read_extract(path: Path, *, system: str, region: str, work: Path) -> Extract:
    """Reads `path` (CSV or Parquet, as an input may be written) into `work`. Raises Unusable.

    Columns have our names or the target's; at least one of `LEADS` must be there.
    """
    file = preflight(path, system=str(JobName(system, EXTRACT)))
    _refuse_ragged(file)
    columns = frozenset(canonical for canonical in file.mapping.values() if canonical is not None)
    if columns.isdisjoint(LEADS):
        raise Unusable(f"{file.source.name} has none of the columns that lead to a customer: {', '.join(LEADS)}")
    folder = work / "extract"
    folder.mkdir(mode=0o700)
    staged = stage(file, folder)
    parts = folder / "rows"
    parts.mkdir(mode=0o700)
    for number, window in enumerate(staged.windows()):
        _canonical(window, file, region, columns).write_parquet(parts / f"{number:06}.parquet")
    staged.path.unlink()
    return Extract(file.source.name, file.sha256, parts, staged.rows, columns)


def _canonical(window: pl.DataFrame, file: InputFile, region: str, columns: frozenset[str]) -> pl.DataFrame:
    rows = normalise(window, file, region=region).rename({SOURCE_ROW: ROW}).drop(LINE, STRAY, SURPLUS)
    for column in columns_of(file.system):
        if column.kind == "phone":  # one that is no mobile number here is compared as its digits
            given = pl.col(f"{column.name}_text").str.replace_all(r"[^0-9]", "")
            rows = rows.with_columns(pl.coalesce(column.name, given).alias(column.name))
    return rows.select(ROW, *(column.name for column in columns_of(file.system) if column.name in columns))


def _refuse_ragged(file: InputFile) -> None:
    if file.ragged_rows:
        line, fields = next(iter(file.ragged.values()))
        raise Unusable(f"{file.source.name}, line {line}: {fields} fields, the header has {len(file.header)}")
