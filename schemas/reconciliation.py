"""`reconciliation.csv` and `.parquet`: one line per row compared, one per difference."""

import polars as pl

RECONCILIATION_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "external_unique_id": pl.String(),
    "customer_id": pl.String(),
    "class": pl.String(),
    "field": pl.String(),
    "file_value_masked": pl.String(),
    "target_value_masked": pl.String(),
    "read_at": pl.String(),
    "similarity": pl.Int64(),  # 0-100, of names that differ; never makes them a match
}
"""Columns in the order that the contract fixes; `similarity` follows them."""
