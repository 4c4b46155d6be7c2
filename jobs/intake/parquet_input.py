"""A Parquet input as text: which types become which text, and which are refused.

Numbers are the trap: a phone stored as a float reads `27821234567.0`, one stored as an integer has lost its zero.
"""

import io
import os
import re
import zoneinfo
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import polars as pl

from jobs.errors import Unusable
from jobs.intake.parquet_footer import Footer, damaged, examined
from jobs.intake.records import FIELD_LIMIT
from jobs.intake.source import Source, refuse_bomb
from jobs.intake.width import refuse_wide
from jobs.value import value

os.putenv("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")
"""Else polars panics at a zone that it does not know (`SAST`); such times are read as what they are stored as, UTC."""

EXACT_FLOAT = 2**53
"""Beyond, a float no longer tells neighbouring whole numbers apart (IEEE 754)."""

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 in days from 1970-01-01: what has a text of four digits."""
A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}

Type = pl.DataType | pl.datatypes.DataTypeClass

_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):?([0-5][0-9])")


@value
class ParquetShape:
    """Header, number of rows, and the headers whose columns are stored as numbers."""

    header: tuple[str, ...]
    rows: int
    numeric: frozenset[str]


def parquet_shape(source: Source, needed: Callable[[Sequence[str]], Collection[str]]) -> ParquetShape:
    """The shape of a Parquet file. Raises Unusable: unreadable, or a column of `needed` of a type that has no text."""
    footer = examined(source)
    schema = schema_of(source, footer)
    refuse_wide(source.name, tuple(schema))
    for name, dtype in schema.items():
        if name in needed(tuple(schema)) and not _has_text(dtype):
            raise Unusable(
                f"{source.name}: column {name!r} is of type {dtype}, which has no text; store it as a string"
            )
    numeric = frozenset(name for name, dtype in schema.items() if dtype.is_numeric())
    return ParquetShape(tuple(schema), footer.rows, numeric)


def schema_of(source: Source, footer: Footer) -> pl.Schema:
    """The columns as polars reads them. Raises Unusable, also for two columns of one name."""
    try:
        return pl.Schema(pl.read_parquet_schema(io.BytesIO(footer.alone())))
    except pl.exceptions.DuplicateError as error:
        name = re.search("'(.*)'", str(error))
        words = f"{source.name} has two columns of the name {name[1] if name else 'of one'!r}"
        raise Unusable(words, hint="rename one, or leave it out") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise damaged(source) from None


def parquet_texts(source: Source, names: dict[str, str], folder: Path) -> pl.LazyFrame:
    """The columns as text under `names` (original header -> name). A null stays null. Raises Unusable.

    `folder`: where a copy with a plainer footer is made, if the file needs one.
    """
    footer = examined(source)
    schema = schema_of(source, footer)
    rows = pl.scan_parquet(footer.copied(source.path, folder), glob=False)
    _refuse_large(source, rows, schema)
    return rows.select(_text(pl.col(name), schema[name]).alias(name_) for name, name_ in names.items())


def _refuse_large(source: Source, rows: pl.LazyFrame, schema: pl.Schema) -> None:
    """Raises Unusable for a cell that is longer than one of a CSV file may be, and for a bomb.

    A page holds a text that many rows have only once, so that no size in the file tells what they have together.
    """
    lengths = {name: _length(pl.col(name), dtype) for name, dtype in schema.items()}
    told = [(each.max().alias(f"max {name}"), each.sum().alias(f"sum {name}")) for name, each in lengths.items()]
    found = rows.select(each for pair in told for each in pair).collect(engine="streaming").row(0, named=True)
    for name in lengths:
        if (length := found[f"max {name}"] or 0) > FIELD_LIMIT:
            words = f"{source.name}: column {name!r} has a cell of {length:,} bytes"
            raise Unusable(f"{words}; at most {FIELD_LIMIT:,} are read", hint="leave the column out")
    refuse_bomb(source, source.size, sum(found[f"sum {name}"] or 0 for name in lengths))


def _length(value: pl.Expr, dtype: Type) -> pl.Expr:
    """The bytes of the texts and bytes in a cell, without writing them out; 0 for what has none."""
    if isinstance(dtype, pl.BaseExtension):
        return _length(value.ext.storage(), dtype.ext_storage())
    if isinstance(dtype, pl.Struct):
        return pl.sum_horizontal(_length(value.struct.field(each.name), each.dtype) for each in dtype.fields)
    if isinstance(dtype, pl.List):
        return value.list.eval(_length(pl.element(), dtype.inner)).list.sum()
    if isinstance(dtype, pl.Array):
        return _length(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.Map):
        pairs = _pairs(dtype)
        return _length(value.cast(pairs), pairs)
    if dtype == pl.Binary:
        return value.bin.size().cast(pl.Int64) * 2
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return value.cast(pl.String).str.len_bytes().cast(pl.Int64)
    return value.is_null().cast(pl.Int64) * 0


def _pairs(dtype: pl.Map) -> pl.List:
    """What a map is stored as."""
    return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))


def _has_text(dtype: Type) -> bool:
    """Whether values of the type are written in one way. Durations, lists, structs and bytes are not."""
    if isinstance(dtype, pl.BaseExtension):
        return _has_text(dtype.ext_storage())
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object, pl.Duration)


def _text(value: pl.Expr, dtype: Type) -> pl.Expr:
    if isinstance(dtype, pl.BaseExtension):
        return _text(value.ext.storage(), dtype.ext_storage())
    if dtype == pl.Binary:
        return value.bin.encode("hex")
    if dtype.is_nested():
        whole = pl.struct(_writable(value, dtype).alias("v")).struct.json_encode()  # which takes structs alone
        return pl.when(value.is_not_null()).then(whole.str.strip_prefix('{"v":').str.strip_suffix("}"))
    if dtype == pl.Duration:
        return value.dt.to_string("iso")
    if dtype.is_float():
        whole = value.is_finite() & (value == value.round(0)) & (value.abs() <= EXACT_FLOAT)
        digits = pl.when(whole).then(value).cast(pl.Int64).cast(pl.String)
        return pl.when(whole).then(digits).otherwise(value.cast(pl.String))
    if dtype == pl.Date:
        stored = value.to_physical().cast(pl.Int64)
        day = pl.when(stored.is_between(FIRST_DAY, LAST_DAY)).then(value).dt.strftime("%Y-%m-%d")
        return pl.coalesce(day, stored.cast(pl.String))  # such as the `infinity` of PostgreSQL
    if isinstance(dtype, pl.Datetime):
        return _moment(value, dtype)
    return value.cast(pl.String)


def _moment(value: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """A date where it is midnight in its own zone, else the moment with all its digits and its offset."""
    stored = value.to_physical()
    first, last = FIRST_DAY * A_DAY[dtype.time_unit], (LAST_DAY + 1) * A_DAY[dtype.time_unit] - 1
    inside = stored.is_between(max(first, -(2**63)), min(last, 2**63 - 1))
    utc = pl.when(inside).then(stored).cast(pl.Datetime(dtype.time_unit))
    local, offset = _in_zone(utc, dtype.time_zone)
    whole = local.dt.strftime("%Y-%m-%dT%H:%M:%S%.f") + offset
    midnight = (local.dt.time() == pl.time(0, 0, 0)) & (offset != "Z")
    text = pl.when(midnight).then(local.dt.strftime("%Y-%m-%d")).otherwise(whole)
    return pl.coalesce(text, stored.cast(pl.String))


def _in_zone(utc: pl.Expr, zone: str | None) -> tuple[pl.Expr, pl.Expr]:
    """The moment as it is told in its zone, and the offset there; UTC and `Z` for a zone that nobody knows."""
    if zone is None:
        return utc, pl.lit("")
    if found := _OFFSET.fullmatch(zone):
        minutes = int(f"{found[1]}1") * (int(found[2]) * 60 + int(found[3]))
        return utc + pl.duration(minutes=minutes), pl.lit(f"{found[1]}{found[2]}:{found[3]}")
    if zone not in zoneinfo.available_timezones():
        return utc, pl.lit("Z")
    zoned = utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return zoned.dt.replace_time_zone(None), zoned.dt.strftime("%:z")


def _writable(value: pl.Expr, dtype: Type) -> pl.Expr:
    """A value within others, as JSON can hold it: polars panics at bytes and at moments beyond its calendar."""
    if isinstance(dtype, pl.Struct):
        fields = [_writable(value.struct.field(each.name), each.dtype).alias(each.name) for each in dtype.fields]
        return pl.when(value.is_not_null()).then(pl.struct(fields)) if fields else value
    if isinstance(dtype, pl.List):
        return value.list.eval(_writable(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Array):
        return _writable(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.Map):
        return _writable(value.cast(_pairs(dtype)), _pairs(dtype))
    return value if dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Null) else _text(value, dtype)
