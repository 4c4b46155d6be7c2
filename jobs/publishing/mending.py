"""What a person who corrects rows is told of each, and `quarantine.xlsx`: the refused rows for a spreadsheet.

In the workbook every cell is text: no formula, no number that loses its zeros, no date. Saved as CSV from there, the
rows go back in as they came, and a later run knows by `_reasons` which row each one was.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from jobs.intake.mended import taken_from
from jobs.intake.quarantine import REASON, Cells, header_of, originals
from jobs.intake.stage import SOURCE_ROW, Staged
from jobs.model import Outcome
from jobs.reports import workbook
from jobs.reports.advice import OUTCOME_MEANINGS, advice
from jobs.reports.folder import RunFolder
from jobs.windows import A_FRAME


def sentence(run_id: str, source_row: int, outcome: str, reason_code: str | None, reason: str | None) -> str:
    """Why a row comes back and what to do, behind the run and the row that it is."""
    why = (reason or OUTCOME_MEANINGS[outcome]).rstrip(".")
    return f"{taken_from(run_id, source_row)}{outcome}, {why}. {advice(outcome, reason_code or '')}"


def write_quarantine_book(run_id: str, staged: Staged, quarantined: Path, folder: RunFolder) -> None:
    """Writes `quarantine.xlsx` where there are refused rows. Raises ImportError without the extra `xlsx`."""
    refused = pl.scan_parquet(quarantined, glob=False).select(SOURCE_ROW, "reason_code", "reason")
    refused = refused.head(workbook.MOST_ROWS)

    def rows() -> Iterator[Cells]:
        for window in refused.collect().iter_slices(A_FRAME):
            told = [
                (row, sentence(run_id, row, Outcome.QUARANTINED, code, why)) for row, code, why in window.iter_rows()
            ]
            yield from originals(staged, pl.DataFrame(told, {SOURCE_ROW: pl.Int64, REASON: pl.String}, orient="row"))

    if not refused.head(1).collect().is_empty():
        workbook.write_rows("quarantine", header_of(staged.file), rows(), folder)
