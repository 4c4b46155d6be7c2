"""Reads the input once to its end before anything is believed of it: what it is, how it is written, how many rows.

It says nothing about values (that is `validate`), and changes nothing on the disk.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from jobs.errors import Unusable
from jobs.intake.header import known_headers, mapped
from jobs.intake.lines import Lines, decoded, doubting
from jobs.intake.parquet_input import ParquetShape, parquet_shape
from jobs.intake.records import Dialect, dialect_of, records, refuse_stray
from jobs.intake.source import Compression, Source, encoding_of, expanded, identify, raw, sha256
from jobs.intake.spellings import AS_WRITTEN, Spellings
from jobs.systems import DEFAULT
from jobs.value import value
from schemas.columns import RESERVED, folded, names_secret

SAMPLE = 20
"""Rows that a missing column is looked for in; chosen."""
RAGGED_KEPT = 1000
"""Ragged rows remembered one by one; chosen. The staged file knows them all."""
NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


@value
class InputFile:
    """An input file that was read to its end.

    `sha256` is over the raw bytes as they lie on the disk, `size` counts them. `header` holds the original names,
    `mapping` their canonical ones (None: unknown, echoed). `rows` are data rows. `ragged` maps the first
    1000 rows with a wrong number of fields (source_row -> physical line, fields found); `ragged_rows` counts all.
    `numeric` are headers of Parquet columns stored as numbers, whose leading zeros may be gone. `plain`: polars may
    read the CSV as it lies (UTF-8, one line a record, no quote inside a value); anything else is rewritten first.
    """

    path: Path
    sha256: str
    size: int
    format: Literal["csv", "parquet"]
    compression: Compression | None
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    mapping: Mapping[str, str | None]
    rows: int
    ragged: Mapping[int, tuple[int, int]]
    ragged_rows: int
    numeric: frozenset[str]
    plain: bool
    system: str
    source: Source
    dialect: Dialect | None
    spellings: Spellings = AS_WRITTEN
    named: frozenset[str] = frozenset()
    """Unknown headers that reports may show, folded."""
    skipped_lines: int = 0
    """Blank lines, lines of only delimiters, and further copies of the header: no rows."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headers that no column of the system explains; `quarantine.csv` gives them back."""
        return tuple(name for name, canonical in self.mapping.items() if canonical is None and name not in RESERVED)

    @property
    def echoed(self) -> tuple[str, ...]:
        """The unknown headers that reports show, because they were named."""
        return tuple(name for name in self.unknown if folded(name) in self.named)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The unknown headers that reports show a keyed hash of."""
        return tuple(name for name in self.unknown if folded(name) not in self.named)

    def header_of(self, canonical: str) -> str | None:
        """The original header of a canonical column; None when the file has none."""
        return next((name for name, meaning in self.mapping.items() if meaning == canonical), None)


def preflight(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    columns: Mapping[str, str] = NO_COLUMNS,
    system: str = DEFAULT,
    skip_lines: int = 0,
    echo: Sequence[str] = (),
    dates: Mapping[str, str] = NO_COLUMNS,
    values: Mapping[str, str] = NO_COLUMNS,
    before: bool = False,
) -> InputFile:
    """What `path` holds, after one whole pass over it.

    `encoding`: any text encoding Python knows (None: by byte order mark, else UTF-8). `delimiter`: one sign, or `tab`
    (None: found out among , ; tab |). `columns`: file header -> canonical name. `skip_lines`: physical lines before the
    header that are left out. `echo`: unknown headers that reports may show. `dates` and `values`: see `Spellings.of`.
    `before`: see `Dialect`.
    Raises Unusable, with line and column where there is one, when the file can't be worked with.
    """
    for name in filter(names_secret, echo):
        raise Unusable(f"--echo {name}: that is the name of a secret, which no report shows")
    source = identify(path)
    named, read = frozenset(map(folded, echo)), Spellings.of(dates, values, system)
    if source.parquet:
        return replace(_parquet(source, columns, system), named=named, spellings=read)
    found = _csv(source, encoding, delimiter, columns, system, skip_lines, before=before)
    return replace(found, named=named, spellings=read)


def csv_records(file: InputFile) -> Iterator[tuple[int, list[str], int]]:
    """The records of a CSV input again, as of `records`. Raises Unusable when the file changed meanwhile."""
    assert file.dialect is not None
    texts = decoded(file.source, expanded(file.source, raw(file.source)), file.encoding)
    return records(Lines(file.source, texts), file.dialect, file.source.name)


def _parquet(source: Source, columns: Mapping[str, str], system: str) -> InputFile:
    shape: ParquetShape = parquet_shape(source, lambda header: known_headers(header, system, columns))
    mapping = mapped(source.name, shape.header, system, columns)
    digest = sha256(source)
    _refuse_no_rows(source, shape.rows)
    return InputFile(
        path=source.path,
        sha256=digest,
        size=source.size,
        format="parquet",
        compression=None,
        encoding="utf-8",
        delimiter=",",
        header=shape.header,
        mapping=mapping,
        rows=shape.rows,
        ragged=MappingProxyType({}),
        ragged_rows=0,
        numeric=shape.numeric,
        plain=True,
        system=system,
        source=source,
        dialect=None,
    )


def _csv(
    source: Source,
    encoding: str | None,
    delimiter: str | None,
    columns: Mapping[str, str],
    system: str,
    skip_lines: int,
    *,
    before: bool,
) -> InputFile:
    digest = hashlib.sha256()
    blocks = expanded(source, _hashed(raw(source), digest))
    head = next(blocks, b"")
    declared, encoding = encoding, encoding_of(source, head, encoding)
    blocks = itertools.chain([head], blocks)
    lines = Lines(source, decoded(source, doubting(source, blocks, encoding) if declared else blocks, encoding))
    dialect, again = dialect_of(
        iter(lines), source.name, delimiter, lambda header: len(known_headers(header, system, columns)), skip_lines
    )
    _refuse_nul(source, dialect.header)
    dialect = replace(dialect, before=before)
    mapping = _mapped(source, dialect, system, columns, encoding)
    skipped: Counter[str] = Counter()
    tally = _counted(records(again, dialect, source.name, skipped), len(dialect.header), lines)
    _refuse_no_rows(source, tally.rows)
    if tally.trailing == tally.rows > 1 and not before:
        dialect, tally.ragged, tally.ragged_rows = replace(dialect, trailing=True), {}, 0
    if tally.stray and tally.stray_rows > max(1, tally.rows // 2):
        refuse_stray(source.name, dialect.header, tally.stray, tally.stray_rows, tally.rows)
    plain = tally.simple and source.compression is None and encoding in ("utf-8", "utf-8-sig")
    return InputFile(
        path=source.path,
        sha256=digest.hexdigest(),
        size=source.size,
        format="csv",
        compression=source.compression,
        encoding=encoding,
        delimiter=dialect.delimiter,
        header=dialect.header,
        mapping=mapping,
        rows=tally.rows,
        ragged=MappingProxyType(tally.ragged),
        ragged_rows=tally.ragged_rows,
        numeric=frozenset(),
        plain=plain and dialect.header_line == 1 and not lines.lone_cr and not lines.marks,
        system=system,
        source=source,
        dialect=dialect,
        skipped_lines=skipped.total(),
    )


@dataclass(slots=True)
class _Tally:
    """What one pass over the records found. `simple`: each record is one line, and no value holds a quote."""

    rows: int
    ragged: dict[int, tuple[int, int]]
    ragged_rows: int
    trailing: int
    """Rows with one empty field too many, at their end."""
    stray_rows: int
    stray: tuple[int, int] | None
    """Line and place of the first stray quote."""
    simple: bool


def _counted(found: Iterator[tuple[int, list[str], int]], width: int, lines: Lines) -> _Tally:
    rows = ragged_rows = trailing = stray_rows = line = 0
    first = stray = None
    quoted = False
    ragged: dict[int, tuple[int, int]] = {}
    for rows, (line, fields, place) in enumerate(found, start=1):
        if first is None:
            first = line
        if len(fields) != width:
            ragged_rows += 1
            trailing += len(fields) == width + 1 and not fields[-1]
            if ragged_rows <= RAGGED_KEPT:
                ragged[rows] = (line, len(fields))
        if place:
            stray_rows, stray = stray_rows + 1, stray or (line, place)
        if lines.quotes and not quoted:
            quoted = '"' in "".join(fields)
    one_line_each = first is not None and line == first + rows - 1 and lines.count == line
    return _Tally(
        rows, ragged, ragged_rows, trailing, stray_rows, stray, simple=one_line_each and not quoted and not ragged_rows
    )


def _mapped(
    source: Source, dialect: Dialect, system: str, columns: Mapping[str, str], encoding: str
) -> Mapping[str, str | None]:
    def some_rows() -> list[list[str]]:
        lines = Lines(source, decoded(source, expanded(source, raw(source)), encoding))
        with suppress(Unusable):
            return [fields for _, fields, _ in itertools.islice(records(lines, dialect, source.name), SAMPLE)]
        return []

    try:
        return mapped(source.name, dialect.header, system, columns, some_rows)
    except Unusable as error:
        if not dialect.better:
            raise
        line, count = dialect.better + 1, dialect.better
        hint = f"line {line} looks like the header: give --skip-lines {count}"
        raise Unusable(str(error), hint=hint) from None


def _hashed(chunks: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _refuse_nul(source: Source, header: tuple[str, ...]) -> None:
    if any("\x00" in cell for cell in header):
        raise Unusable(f"{source.name} holds NUL bytes in its header; if it is UTF-16, say --encoding utf-16-le")


def _refuse_no_rows(source: Source, rows: int) -> None:
    if not rows:
        raise Unusable(f"{source.name} has a header but no data rows")
