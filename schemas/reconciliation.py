"""`reconciliation.csv` and `.parquet`: one line per row compared, one per difference."""

import polars as pl

from schemas.report_column import ReportColumn, types

RECONCILIATION: dict[str, ReportColumn] = {
    "source_row": ReportColumn(pl.Int64(), None),
    "external_unique_id": ReportColumn(pl.String(), "identifying"),
    "customer_id": ReportColumn(pl.String(), "identifying"),
    "class": ReportColumn(pl.String(), None),
    "field": ReportColumn(pl.String(), None),
    "file_value_masked": ReportColumn(pl.String(), "showing"),
    "target_value_masked": ReportColumn(pl.String(), "showing"),
    "read_at": ReportColumn(pl.String(), None),
    "similarity": ReportColumn(pl.Int64(), None),  # 0-100, of names that differ; never makes them a match
}
"""Columns in the order that the contract fixes; `similarity` follows them."""

RECONCILIATION_SCHEMA = types(RECONCILIATION)
