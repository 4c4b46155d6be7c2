"""`changes.csv` and `.parquet` of a reconciliation: what differs from the one before it."""

import polars as pl

from schemas.reconciliation import RECONCILIATION_SCHEMA

CHANGES_SCHEMA: dict[str, pl.DataType] = {
    "change": pl.String(),  # appeared, cleared or other_value
    **RECONCILIATION_SCHEMA,
    "file_value_before": pl.String(),  # masked, like all values
    "target_value_before": pl.String(),
}
"""The line as it stands now; of a cleared one, as it stood before."""
