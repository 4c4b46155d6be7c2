"""Stages an input file as Parquet: every value as text, a row number, one form whatever came in.

A plain CSV and a Parquet file are read by polars as they lie; anything else is first rewritten to canonical CSV by the
strict reader. It changes no value: normalising is for `validate`.
"""

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
import polars as pl

from jobs.atomic import atomic
from jobs.disk import advice, refused
from jobs.errors import Unusable
from jobs.intake.mended import REASONS, mended_rows
from jobs.intake.parquet_input import parquet_texts
from jobs.intake.preflight import InputFile, csv_records
from jobs.value import value
from jobs.windows import A_FRAME, A_WINDOW
from schemas.outcome import ECHO_HASH, MENDED_FROM, OUTCOME_SCHEMA

ROW_GROUP = A_WINDOW
"""Whoever wants a window, or the rows of a shard, unpacks no more than is read together anyway. Measured at a million
rows beside groups of 100,000: half the CPU for a shard of 2,500 rows, and for all windows; the file is as large.
"""

SOURCE_ROW = "source_row"
LINE = "~line"
SURPLUS = "~surplus"
OURS = (ECHO_HASH, MENDED_FROM)
"""Columns of `outcome.csv` that only some files lead to."""
STRAY = "~stray"
"""The place of a field, from 1, that holds a quote and does not begin with one; null where there is none."""


@value
class Staged:
    """The staged input. Columns of `path`: `source_row` (Int64, 1 = first data row), `~line` (Int64, physical line
    where the record begins; null for Parquet), the original headers as text (see `staged_name`), `~stray` (see STRAY),
    `~surplus` (null, or what a ragged row has too much, a JSON array, or misses, `-N`). A null text: missing in Parquet
    or in a ragged row.
    """

    path: Path
    rows: int
    file: InputFile
    mended: bool = False
    """Whether `muster mend` gave some of its rows: see `mended_rows`."""

    def windows(self, size: int = A_FRAME) -> Iterator[pl.DataFrame]:
        """The rows in order, `size` at a time."""
        lazy = pl.scan_parquet(self.path, glob=False)
        for offset in range(0, self.rows, size):
            yield lazy.slice(offset, size).collect()

    def originals(self, headers: Mapping[str, str]) -> pl.LazyFrame:
        """`source_row` and some original columns, raw and unmasked; `headers` maps the name wanted to the header."""
        columns = [pl.col(staged_name(header)).alias(name) for name, header in headers.items()]
        return pl.scan_parquet(self.path, glob=False).select(SOURCE_ROW, *columns)

    def echo(self) -> pl.LazyFrame:
        """`source_row` and the unknown columns that reports show, raw and unmasked, under `echo_names`."""
        names = zip(self.file.echoed, echo_names(self.file.echoed), strict=True)
        columns = [pl.col(staged_name(header)).alias(name) for header, name in names]
        return pl.scan_parquet(self.path, glob=False).select(SOURCE_ROW, *columns)

    def hidden(self) -> pl.LazyFrame:
        """`source_row` and the unknown columns that reports do not show, raw and unmasked, under their places."""
        columns = [pl.col(staged_name(name)).alias(f"~{place}") for place, name in enumerate(self.file.hidden)]
        return pl.scan_parquet(self.path, glob=False).select(SOURCE_ROW, *columns)

    def mended_rows(self) -> pl.LazyFrame:
        """`source_row` of the rows that `muster mend` gave, with the `from_run` and `from_row` they were taken from."""
        return mended_rows(pl.scan_parquet(self.path, glob=False))


def echo_names(headers: Sequence[str]) -> tuple[str, ...]:
    """The names of echoed columns: the header, with `input_` before it where `outcome.csv` has that name itself."""
    taken = {*OUTCOME_SCHEMA, *OURS, *headers}
    names: list[str] = []
    for header in headers:
        name = header
        while name in OUTCOME_SCHEMA or name in OURS or (name != header and name in taken):
            name = f"input_{name}"
        taken.add(name)
        names.append(name)
    return tuple(names)


def staged_name(header: str) -> str:
    """The staged column of an original header: itself, with a `~` where it could be taken for one of ours."""
    return f"~{header}" if header in (SOURCE_ROW, "check_output", "") or header.startswith("~") else header


def stage(file: InputFile, folder: Path) -> Staged:
    """`folder/staged.parquet` (0600, whole or absent), made from `file`.

    Raises Unusable when the file changed since its preflight, or when its rows don't count the same again.
    """
    target = folder / "staged.parquet"
    names = {header: staged_name(header) for header in file.header}
    try:
        if file.format == "parquet":
            write_parquet(_numbered(parquet_texts(file.source, names, folder), line=None), target)
        elif file.plain:
            write_parquet(_numbered(_scanned(file.path, file.delimiter, list(names.values()), 1), line=1), target)
        else:
            _rewritten(file, list(names.values()), target)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        file.source.unchanged()
        system = refused(error)
        why = (system and system.strerror) or f"{type(error).__name__}; the file may be damaged"
        hint = advice(folder, system.errno, "--out") if system else None
        raise Unusable(f"{file.source.name} can't be staged in the working folder: {why}", hint=hint) from None
    file.source.unchanged()
    rows = int(pl.scan_parquet(target, glob=False).select(pl.len()).collect().item())
    if rows != file.rows:
        target.unlink()
        raise Unusable(
            f"{file.source.name} has {file.rows:,} rows when parsed strictly, {rows:,} when staged; nothing was sent"
        )
    mended = (
        REASONS in file.header and not mended_rows(pl.scan_parquet(target, glob=False)).head(1).collect().is_empty()
    )
    return Staged(target, rows, file, mended)


def write_parquet(frame: pl.LazyFrame, target: Path) -> None:
    """Writes `frame` to `target`, whole or not at all, mode 0600, in groups of ROW_GROUP rows.

    LZ4, for what is read again soon and dropped: half of zstd's computing, and twice its size (measured).
    """
    with atomic(target) as draft:
        frame.sink_parquet(draft, compression="lz4", row_group_size=ROW_GROUP, maintain_order=True)


def _scanned(path: Path, delimiter: str, names: list[str], header_lines: int) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=delimiter,
        has_header=False,  # with one, polars matches `schema` by name instead of by place
        skip_lines=header_lines,
        schema=dict.fromkeys(names, pl.String()),
        infer_schema=False,
        empty_string_is_null=False,
        glob=False,
    )


def _numbered(texts: pl.LazyFrame, line: int | None) -> pl.LazyFrame:
    """`texts` between our columns; `line` is the header's, when each record is one line."""
    row = pl.col("~row").cast(pl.Int64)
    physical = pl.lit(None, dtype=pl.Int64) if line is None else row + line
    names = texts.collect_schema().names()
    return texts.with_row_index("~row", offset=1).select(
        row.alias(SOURCE_ROW),
        physical.alias(LINE),
        *names,
        pl.lit(None, dtype=pl.String).alias(SURPLUS),
        pl.lit(None, dtype=pl.Int64).alias(STRAY),
    )


def _rewritten(file: InputFile, names: list[str], target: Path) -> None:
    """Through a canonical CSV beside `target`: comma, CRLF, UTF-8, ragged rows evened out."""
    width = len(names)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=target.parent, suffix=".csv") as canonical:
        writer = csv.writer(canonical, lineterminator="\r\n")  # so that a CR in a value is quoted
        for line, fields, stray in csv_records(file):
            if len(fields) == width:
                writer.writerow((line, stray or "", "", *fields))
            else:
                writer.writerow((line, stray or "", *_evened(fields, width)))
        canonical.flush()
        texts = _scanned(Path(canonical.name), ",", [LINE, STRAY, SURPLUS, *names], 0)
        write_parquet(_restored(texts, names), target)


def _evened(fields: list[str], width: int) -> list[str]:
    missing = width - len(fields)
    if missing > 0:
        return [f"-{missing}", *fields, *[""] * missing]
    return [orjson.dumps(fields[width:]).decode(), *fields[:width]]


def _restored(texts: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    """The canonical CSV with its own columns typed; what a short row misses is null again."""
    missing = pl.col(SURPLUS).str.extract(r"^-([0-9]+)$", 1).cast(pl.Int64).fill_null(0)
    width = len(names)
    values = [pl.when(missing < width - place).then(pl.col(name)).alias(name) for place, name in enumerate(names)]
    return texts.with_row_index("~row", offset=1).select(
        pl.col("~row").cast(pl.Int64).alias(SOURCE_ROW),
        pl.col(LINE).cast(pl.Int64),
        *values,
        pl.when(pl.col(SURPLUS) != "").then(pl.col(SURPLUS)).alias(SURPLUS),
        pl.when(pl.col(STRAY) != "").then(pl.col(STRAY)).cast(pl.Int64).alias(STRAY),
    )
