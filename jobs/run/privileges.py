"""Whether a file gives rights that muster hands out only when the operator says so."""

import polars as pl

from jobs.batch import Batch
from jobs.errors import Unusable
from jobs.intake.stage import SOURCE_ROW
from jobs.settings.settings import Settings
from schemas.columns import input_of

NAMED = 3
"""Rows that are named; the contract's three."""


def check_privileged_rows(batch: Batch, settings: Settings) -> None:
    """Raises Unusable when rows are held back by their input model, and the operator did not allow them."""
    held = input_of(str(settings.job_name)).held
    if held is None or settings.allow_privileged:
        return
    rows = pl.scan_parquet(batch.validated.accepted, glob=False).filter(held).select(SOURCE_ROW).collect().to_series()
    if len(rows):
        named = ", ".join(str(row) for row in rows.head(NAMED)) + (" ..." if len(rows) > NAMED else "")
        raise Unusable(
            f"{len(rows):,} rows give privileged positions (rows {named}); nothing was sent",
            hint="--allow-privileged, when that is meant",
        )
