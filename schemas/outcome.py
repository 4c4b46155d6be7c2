"""`outcome.csv` and `outcome.parquet`: one line per input row, in input order."""

import polars as pl

OUTCOME_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),  # 1 = first data row
    "row_ref": pl.String(),
    "external_unique_id": pl.String(),
    "outcome": pl.String(),
    "reason_code": pl.String(),
    "reason": pl.String(),
    "failed_step": pl.String(),
    "customer_id": pl.String(),
    "wallet_id": pl.String(),
    "wallet_external_unique_id": pl.String(),
    "decision_status": pl.String(),
    "failed_checks": pl.String(),
    "customer_origin": pl.String(),
    "attempts": pl.Int64(),  # mutating requests that this run sent for the row
    "http_status": pl.Int64(),
    "error_code": pl.String(),
    "trace_id": pl.String(),
    "phone_masked": pl.String(),
    "national_id_masked": pl.String(),
    "first_attempt_at": pl.String(),  # UTC, ISO 8601 with milliseconds and Z
    "last_attempt_at": pl.String(),
    "run_id": pl.String(),
    "warnings": pl.String(),
}
"""Columns in the order that the contract fixes. Columns of the input that no system knows follow."""
