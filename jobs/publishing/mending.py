"""What a person who corrects rows is told of each, and `quarantine.xlsx`: the refused rows for a spreadsheet.

In the workbook every cell is text: no formula, no number that loses its zeros, no date. Saved as CSV from there, the
rows go back in as they came, and a later run knows by `_reasons` which row each one was.
"""

from collections.abc import Iterator

import polars as pl

from jobs.batch import Batch
from jobs.intake.mended import taken_from
from jobs.intake.quarantine import REASON, Cells, header_of, originals, write_quarantine
from jobs.intake.stage import SOURCE_ROW
from jobs.ledger.rows import RunRow
from jobs.model import Outcome
from jobs.privacy import age_files
from jobs.reports import workbook
from jobs.reports.advice import OUTCOME_MEANINGS, advice
from jobs.reports.folder import RunFolder
from jobs.windows import A_FRAME


def sentence(run_id: str, source_row: int, outcome: str, reason_code: str | None, reason: str | None) -> str:
    """Why a row comes back and what to do, behind the run and the row that it is."""
    why = (reason or OUTCOME_MEANINGS[outcome]).rstrip(".")
    return f"{taken_from(run_id, source_row)}{outcome}, {why}. {advice(outcome, reason_code or '')}"


def write_refused(run: RunRow, batch: Batch, folder: RunFolder) -> None:
    """Writes `quarantine.csv`, or `quarantine.csv.age` where the run has somebody to encrypt it to."""
    key, target = str(run.settings.get("recipient") or ""), folder.path / "quarantine.csv"
    plain = batch.staged.path.with_name("refused.csv") if key else target
    write_quarantine(batch.staged, batch.validated.quarantined, plain)
    if key:
        age_files.encrypt(plain, target.with_name(target.name + age_files.ENDING), key)


def write_quarantine_book(run: RunRow, batch: Batch, folder: RunFolder) -> None:
    """Writes `quarantine.xlsx` where there are refused rows that may lie there in clear. Raises ImportError without the
    extra `xlsx`."""
    if run.settings.get("recipient"):
        return
    run_id, staged, quarantined = run.run_id, batch.staged, batch.validated.quarantined
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
