"""`outcome.csv` and `outcome.parquet`: one line per input row, in input order."""

import polars as pl

from schemas.report_column import ReportColumn, types

OUTCOME: dict[str, ReportColumn] = {
    "source_row": ReportColumn(pl.Int64(), None),  # 1 = first data row
    "row_ref": ReportColumn(pl.String(), "showing"),
    "external_unique_id": ReportColumn(pl.String(), "identifying"),
    "outcome": ReportColumn(pl.String(), None),
    "reason_code": ReportColumn(pl.String(), None),
    "reason": ReportColumn(pl.String(), "showing"),  # the target's own words may stand in it
    "failed_step": ReportColumn(pl.String(), None),
    "customer_id": ReportColumn(pl.String(), "identifying"),
    "wallet_id": ReportColumn(pl.String(), "identifying"),
    "wallet_external_unique_id": ReportColumn(pl.String(), "identifying"),
    "decision_status": ReportColumn(pl.String(), None),
    "failed_checks": ReportColumn(pl.String(), None),
    "customer_origin": ReportColumn(pl.String(), None),
    "attempts": ReportColumn(pl.Int64(), None),  # mutating requests that this run sent for the row
    "http_status": ReportColumn(pl.Int64(), None),
    "error_code": ReportColumn(pl.String(), None),
    "trace_id": ReportColumn(pl.String(), "identifying"),
    "phone_masked": ReportColumn(pl.String(), "showing"),
    "national_id_masked": ReportColumn(pl.String(), "showing"),
    "first_attempt_at": ReportColumn(pl.String(), None),  # UTC, ISO 8601 with milliseconds and Z
    "last_attempt_at": ReportColumn(pl.String(), None),
    "run_id": ReportColumn(pl.String(), None),
    "warnings": ReportColumn(pl.String(), "identifying"),
}
"""Columns in the order that the contract fixes. Named columns of the input, personal all of them, follow."""

ECHO_HASH = "echo_hash"
"""The column behind them: a keyed hash of the unknown columns that were not named, there when the file has any."""

MENDED_FROM = "mended_from"
"""The column between them: the run and row (`RUN:7`) that `muster mend` took the row from, there when it took any."""

OUTCOME_SCHEMA = types(OUTCOME)
