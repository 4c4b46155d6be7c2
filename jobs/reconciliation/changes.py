"""What changed since the last time: one reconciliation of a run against the one before it.

Rows that could not be read this time prove nothing: their earlier differences are not called cleared.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from jobs.model import AGREEING, MatchClass
from jobs.reports.folder import RunFolder
from jobs.reports.table import write_table
from jobs.value import value
from schemas.changes import CHANGES_SCHEMA
from schemas.reconciliation import RECONCILIATION_SCHEMA

TABLE = "reconciliation.parquet"

VALUES = ("file_value_masked", "target_value_masked")
"""What may differ between the two."""


@value
class Changes:
    """What changed since the reconciliation in `before`, counted."""

    before: str
    counts: Mapping[str, int]
    """`appeared`, `cleared` and `other_value`."""


def earlier(run_folder: Path, now: RunFolder | None = None) -> Path | None:
    """The newest reconciliation of the run but the one in `now`: a later one, or the run's own; None: there is none.

    One that a signal ended before it read anything does not count.
    """
    folders = sorted((path for path in run_folder.glob("reconcile-*") if now is None or path != now.path), reverse=True)
    return next((path for path in [*folders, run_folder] if _has_lines(path)), None)


def ambiguous_rows(run_folder: Path) -> frozenset[int]:
    """Rows for which the newest reconciliation found several customers."""
    newest = earlier(run_folder)
    if newest is None:
        return frozenset()
    lines = pl.scan_parquet(newest / TABLE, glob=False).filter(pl.col("class") == MatchClass.AMBIGUOUS)
    return frozenset(lines.select("source_row").collect()["source_row"].drop_nulls())


def write_changes(before: Path, now: RunFolder) -> Changes:
    """`changes.csv` and `.parquet` in `now`: only what changed since `before`."""
    frame = changes(_differences(before / TABLE), _differences(now.path / TABLE), _unverified(now.path / TABLE))
    write_table([frame], now, "changes", CHANGES_SCHEMA)
    found = dict(frame["change"].value_counts().iter_rows())
    counts = {name: int(found.get(name, 0)) for name in ("appeared", "cleared", "other_value")}
    return Changes(before.name, counts)


def changes(before: pl.DataFrame, now: pl.DataFrame, unverified: pl.Series) -> pl.DataFrame:
    """Lines that appeared, were cleared or have another value, in order. Both are lines that do not agree.

    `unverified`: source rows that could not be read now.
    """
    values = [pl.col(name).alias(_before(name)) for name in VALUES]
    joined = now.with_columns(_place()).join(
        before.with_columns(_place()).select("place", *values, pl.lit(value=True).alias("known")),
        on="place",
        how="left",
    )
    other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(_before(name))) for name in VALUES)
    change = pl.when(pl.col("known").is_null()).then(pl.lit("appeared")).when(other).then(pl.lit("other_value"))
    here = joined.with_columns(change.alias("change")).drop_nulls("change")
    gone = before.with_columns(_place()).join(now.with_columns(_place()), on="place", how="anti")
    gone = gone.filter(~pl.col("source_row").is_in(unverified.implode()).fill_null(value=False))
    gone = gone.with_columns(pl.lit("cleared").alias("change"), *values)
    columns = list(CHANGES_SCHEMA)
    return pl.concat([here.select(columns), gone.select(columns)]).sort(
        "source_row", nulls_last=True, maintain_order=True
    )


def _before(name: str) -> str:
    return name.replace("_masked", "_before")


def _place() -> pl.Expr:
    """One text for what makes a line this line."""
    row = pl.col("source_row").cast(pl.String)
    whose = pl.coalesce(
        row, pl.format("{}/{}", pl.col("external_unique_id").fill_null(""), pl.col("customer_id").fill_null(""))
    )
    return pl.format("{}|{}|{}", whose, pl.col("class"), pl.col("field").fill_null("")).alias("place")


def _differences(table: Path) -> pl.DataFrame:
    """The lines that do not agree; a column that an older muster did not write is null."""
    lines = pl.scan_parquet(table, glob=False).filter(~pl.col("class").is_in(list(AGREEING))).collect()
    missing = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in RECONCILIATION_SCHEMA.items() if name not in lines
    ]
    return lines.with_columns(missing).select(list(RECONCILIATION_SCHEMA))


def _unverified(table: Path) -> pl.Series:
    lines = pl.scan_parquet(table, glob=False).filter(pl.col("class") == MatchClass.UNVERIFIED)
    return lines.select("source_row").collect()["source_row"].drop_nulls()


def _has_lines(folder: Path) -> bool:
    table = folder / TABLE
    try:
        return table.is_file() and bool(pl.scan_parquet(table, glob=False).select(pl.len()).collect().item())
    except pl.exceptions.PolarsError:
        return False  # damaged: `verify` says so
