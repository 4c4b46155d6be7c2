"""What a Parquet file says of itself, read before any library may expand it: columns, rows, pages and their sizes.

A few hundred bytes can stand for gigabytes, and a type that the reading library does not know, of a column that nobody
needs, makes it refuse the whole file. Source: parquet.thrift of the Parquet project (field numbers, types).
"""

import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from jobs.errors import Unusable
from jobs.intake.source import Source, refuse_bomb
from jobs.intake.thrift import I32, LIST, STRUCT, Malformed, Reader, Struct, written
from jobs.value import value

MAGIC = b"PAR1"
MOST_FOOTER = 32 << 20
"""Bytes; chosen: 2,000 columns in 50 row groups take 20 MiB."""
MOST_PAGE = 256 << 20
"""Bytes of an expanded page; chosen: writers make pages of 1 MiB, the most generous 100 MB."""
MOST_GROUP = 4 << 30
"""Bytes of an expanded row group, which is read as a whole; chosen: 30 times what writers make."""
MOST_HEADER = 1 << 20
"""Bytes of a page's header; chosen: it repeats the least and the greatest value of the page."""

SCHEMA, ROWS, GROUPS, METADATA, ENCRYPTED = 2, 3, 4, 5, 8
"""Fields of the footer."""
LENGTH, NAME, CHILDREN, CONVERTED, SCALE, PRECISION, LOGICAL = 2, 4, 5, 6, 7, 8, 10
"""Fields of a column of the schema."""
KNOWN_LOGICAL = frozenset({*range(1, 9), *range(10, 16), 17, 18})
"""Members of LogicalType that polars takes; 16 is VARIANT."""
DECIMAL, JSON = 5, 12
"""Logical types."""
UTF8, JSON_CONVERTED, INTERVAL = 0, 19, 21
"""Converted types."""
MOST_DIGITS = 38
"""Of a decimal that polars reads."""


@value
class Footer:
    """A footer that was examined. `readable`: the one that polars reads the columns with, the file's own or a plainer.

    In the plainer one, columns of types that polars does not take are bytes or numbers as they are stored.
    """

    rows: int
    begins: int
    """Where the file's own begins."""
    readable: bytes
    plainer: bool

    def alone(self) -> bytes:
        """A Parquet file with nothing but the footer, from which a schema can be read."""
        return MAGIC + self.tail()

    def tail(self) -> bytes:
        """The footer and what stands behind it."""
        return self.readable + len(self.readable).to_bytes(4, "little") + MAGIC

    def copied(self, path: Path, folder: Path) -> Path:
        """`path`, or a copy of it in `folder` with the plainer footer."""
        if not self.plainer:
            return path
        copy = folder / "plainer.parquet"
        with (
            path.open("rb") as given,
            os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
        ):
            shutil.copyfileobj(given, out, 1 << 20)
            out.truncate(self.begins)
            out.seek(self.begins)
            out.write(self.tail())
        return copy


def examined(source: Source) -> Footer:
    """The footer of `source`, once no page of the file expands beyond bounds. Raises Unusable."""
    try:
        with source.path.open("rb") as file:
            begins, raw = _footer(source, file)
            fields = Reader(raw).struct()
            if _get(fields, ENCRYPTED) is not None:
                raise _encrypted(source)
            _measure(source, file, _elements(fields, GROUPS))
            rows, plain = _number(fields, ROWS), plainer(fields)
    except (Malformed, OSError, ValueError, ArithmeticError, TypeError, LookupError):
        raise damaged(source) from None  # a field of another type than it has in Parquet, too
    return Footer(rows, begins, raw if plain is None else written(plain), plain is not None)


def damaged(source: Source) -> Unusable:
    """The refusal of a file that nobody can read."""
    return Unusable(f"{source.name} is no readable Parquet file; it may be cut short or damaged")


def plainer(fields: Struct) -> Struct | None:
    """The footer with unknown types taken from its columns, and without what writers say of them beside.

    None: there are none.
    """
    columns = _elements(fields, SCHEMA)
    plain = [_plain(column) for column in columns]
    if plain == columns:
        return None
    schema = next(kind_and for number, _, kind_and in fields if number == SCHEMA)
    return [
        (number, kind, (schema[0], plain) if number == SCHEMA else value)
        for number, kind, value in fields
        if number != METADATA
    ]


def _plain(column: Struct) -> Struct:
    """A column that polars takes; JSON is text, which it would take for bytes."""
    logical = _get(column, LOGICAL)
    json = _get(column, CONVERTED) == JSON_CONVERTED or (bool(logical) and logical[0][0] == JSON)
    if not json and not _unknown(column):
        return column
    bare = [each for each in column if each[0] not in _TYPING]
    return sorted([*bare, (CONVERTED, I32, UTF8)], key=lambda each: each[0]) if json else bare


_TYPING = frozenset({CONVERTED, SCALE, PRECISION, LOGICAL})


def _unknown(column: Struct) -> bool:
    """Whether polars refuses a column of this type."""
    logical, digits = _get(column, LOGICAL), _get(column, PRECISION)
    member = logical[0][0] if isinstance(logical, list) and logical else None
    if isinstance(logical, list) and logical and member == DECIMAL and isinstance(logical[0][2], list):
        digits = _get(logical[0][2], 2) or digits
    return (
        (isinstance(logical, list) and member not in KNOWN_LOGICAL)
        or _get(column, CONVERTED) == INTERVAL
        or (isinstance(digits, int) and digits > MOST_DIGITS)
    )


def _footer(source: Source, file: BinaryIO) -> tuple[int, bytes]:
    """Where the footer begins, and its bytes."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 8))
    tail = file.read(8)
    if tail[4:] == b"PARE":
        raise _encrypted(source)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or not 0 < length <= end - 12:
        raise Malformed("no footer")
    if length > MOST_FOOTER:
        raise Unusable(f"{source.name} describes itself in {length >> 20:,} MiB; at most {MOST_FOOTER >> 20} are read")
    file.seek(end - 8 - length)
    return end - 8 - length, file.read(length)


def _encrypted(source: Source) -> Unusable:
    return Unusable(f"{source.name} is encrypted; muster reads plain Parquet files")


def _measure(source: Source, file: BinaryIO, groups: list[Any]) -> None:
    """Raises Unusable for a file whose pages expand beyond bounds, by what each page says of itself."""
    whole = 0
    for group in groups:
        size = 0
        for chunk in _elements(group, 1):
            if _get(chunk, 8) is not None:
                raise _encrypted(source)
            meta = _get(chunk, 3)
            if not isinstance(meta, list):
                raise Malformed("a column without pages")
            size += _expanded(source, file, meta)
            refuse_bomb(source, source.size, whole + size)
        if size > MOST_GROUP:
            words = f"{source.name} has a row group of {size >> 20:,} MiB; at most {MOST_GROUP >> 20:,} are read"
            raise Unusable(words, hint="write it in smaller row groups")
        whole += size


def _expanded(source: Source, file: BinaryIO, meta: Struct) -> int:
    """Bytes of one column's pages in one row group, expanded."""
    packed, size = _number(meta, 7), 0
    if not packed:
        return 0
    at = min((each for each in (_get(meta, 9), _get(meta, 11)) if isinstance(each, int) and each >= 4), default=0)
    end = at + packed
    if at < 4 or end > source.size:
        raise Malformed("pages beyond the file")
    while at < end:
        file.seek(at)
        reader = Reader(file.read(min(MOST_HEADER, end - at)))
        header = reader.struct()
        page = _number(header, 2)
        if page > MOST_PAGE:
            words = f"{source.name} has a page of {page >> 20:,} MiB; at most {MOST_PAGE >> 20} are read"
            raise Unusable(words, hint="look for a cell of that size")
        size += page
        at += reader.at + _number(header, 3)
    return size


def _number(fields: Struct, wanted: int) -> int:
    found = _get(fields, wanted)
    if not isinstance(found, int) or found < 0:
        raise Malformed("a size is missing")
    return found


def _get(fields: Any, wanted: int) -> Any:
    if not isinstance(fields, list):
        raise Malformed("no struct")
    return next((value for number, _, value in fields if number == wanted), None)


def _elements(fields: Struct, wanted: int) -> list[Any]:
    """The structs of a list; empty when it is not there."""
    kinds = {number: kind for number, kind, _ in fields}
    found = _get(fields, wanted)
    if found is None:
        return []
    if kinds[wanted] != LIST or (found[1] and found[0] != STRUCT):
        raise Malformed("no list of structs")
    return list(found[1])
