"""What `_reasons` says in a file of `muster mend`: which row of which run a row is. Nothing else is read of it."""

import polars as pl

REASONS = "_reasons"
"""The column that `quarantine.csv` and `muster mend` add; in an input it is muster's own."""

_TAKEN = r"^run (\S{1,80}), row ([1-9][0-9]{0,11}): "


def taken_from(run_id: str, source_row: int) -> str:
    """How a sentence of `_reasons` begins: the run and the row that it speaks of."""
    return f"run {run_id}, row {source_row}: "


def mended_rows(staged: pl.LazyFrame) -> pl.LazyFrame:
    """`source_row`, `from_run`, `from_row` of the rows of a staged file with `_reasons` that were taken from a run."""
    text = pl.col(REASONS)
    found = staged.select(
        "source_row",
        text.str.extract(_TAKEN, 1).alias("from_run"),
        text.str.extract(_TAKEN, 2).cast(pl.Int64).alias("from_row"),
    )
    return found.drop_nulls()
