"""Gates of the operator over a new file, before anything is sent: how many rows it has, how many may be refused."""

import polars as pl

from jobs.batch import Batch
from jobs.errors import Unusable
from jobs.intake.stage import SOURCE_ROW
from jobs.privacy import file_names
from jobs.settings.settings import Settings
from jobs.storage.arrival import called

NAMED = 3
"""Rows that are named; the contract's three."""


def check_gates(batch: Batch, settings: Settings) -> None:
    """Raises Unusable, with all that is wrong, for a file that the operator does not want to be sent."""
    wrong = [*_rows(batch, settings), *_refused(batch, settings)]
    if wrong:
        raise Unusable(
            f"{file_names.shown(batch.file.path.name)}: {'; '.join(wrong)}; nothing was sent",
            hint=f"muster validate {called(batch.file.path)} --quarantine refused.csv shows what is refused; "
            "ask the sender for the whole file",
        )


def _rows(batch: Batch, settings: Settings) -> list[str]:
    found = []
    if settings.expect_rows is not None and batch.rows != settings.expect_rows:
        found.append(f"it has {batch.rows:,} rows, and --expect-rows says {settings.expect_rows:,}")
    if settings.min_rows is not None and batch.rows < settings.min_rows:
        found.append(f"it has {batch.rows:,} rows, fewer than --min-rows {settings.min_rows:,}")
    return found


def _refused(batch: Batch, settings: Settings) -> list[str]:
    given, refused = settings.max_quarantined, batch.validated.quarantined_rows
    if given is None or refused <= most(given, batch.rows):
        return []
    rows = pl.scan_parquet(batch.validated.quarantined, glob=False).select(SOURCE_ROW).head(NAMED).collect()
    named = ", ".join(f"{row:,}" for row in rows[SOURCE_ROW]) + (" ..." if refused > NAMED else "")
    return [f"{refused:,} of {batch.rows:,} rows fail validation (rows {named}), more than --max-quarantined {given}"]


def most(given: str, rows: int) -> float:
    """How many rows `N` or `P%` of `rows` are."""
    return rows * float(given[:-1]) / 100 if given.endswith("%") else float(given)
