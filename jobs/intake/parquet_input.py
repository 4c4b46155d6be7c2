"""A Parquet input as text: which types become which text, and which are refused.

Numbers are the trap: a phone stored as a float reads `27821234567.0`, one stored as an integer has lost its zero.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.errors import Unusable
from jobs.intake.source import Source
from jobs.intake.width import refuse_wide

EXACT_FLOAT = 2**53
"""Beyond, a float no longer tells neighbouring whole numbers apart (IEEE 754)."""


@dataclass(frozen=True, slots=True)
class ParquetShape:
    """Header, number of rows, and the headers whose columns are stored as numbers."""

    header: tuple[str, ...]
    rows: int
    numeric: frozenset[str]


def parquet_shape(source: Source, needed: Callable[[Sequence[str]], Collection[str]]) -> ParquetShape:
    """The shape of a Parquet file. Raises Unusable: unreadable, or a column of `needed` of a type that has no text."""
    try:
        schema = pl.read_parquet_schema(source.path)
        refuse_wide(source.name, tuple(schema))
        rows = int(pl.scan_parquet(source.path, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise Unusable(f"{source.name} is no readable Parquet file; it may be cut short or damaged") from None
    for name, dtype in schema.items():
        if name in needed(tuple(schema)) and not _has_text(dtype):
            raise Unusable(
                f"{source.name}: column {name!r} is of type {dtype}, which has no text; store it as a string"
            )
    numeric = frozenset(name for name, dtype in schema.items() if dtype.is_numeric())
    return ParquetShape(tuple(schema), rows, numeric)


def parquet_texts(path: Path, names: dict[str, str]) -> pl.LazyFrame:
    """The columns as text under `names` (original header -> name). A null stays null."""
    schema = pl.read_parquet_schema(path)
    return pl.scan_parquet(path, glob=False).select(
        _text(name, schema[name]).alias(name_) for name, name_ in names.items()
    )


def _has_text(dtype: pl.DataType) -> bool:
    """Whether values of the type are written in one way. Durations, lists, structs and bytes are not."""
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object, pl.Duration)


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if dtype == pl.Binary:
        return value.bin.encode("hex")
    if dtype.is_nested() or dtype == pl.Duration:
        return pl.when(value.is_not_null()).then(pl.struct(value).struct.json_encode())  # only ever given back
    if dtype.is_float():
        whole = value.is_finite() & (value == value.round(0)) & (value.abs() <= EXACT_FLOAT)
        digits = pl.when(whole).then(value).cast(pl.Int64).cast(pl.String)
        return pl.when(whole).then(digits).otherwise(value.cast(pl.String))
    if dtype == pl.Date:
        return value.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        midnight = value.dt.time() == pl.time(0, 0, 0)
        return pl.when(midnight).then(value.dt.strftime("%Y-%m-%d")).otherwise(value.dt.strftime("%Y-%m-%dT%H:%M:%S"))
    return value.cast(pl.String)
