"""`report.xlsx`: a sheet that sums the run up, and the rows that need attention, as text cells: no formula, no link, no
number that loses its zeros.

Written when the extra `xlsx` is installed; nobody is told when it is not. Masked as everything else; whole lists are in
`outcome.csv`.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any

from jobs.printable import printable
from jobs.reports.advice import OUTCOME_MEANINGS, advice
from jobs.reports.folder import RunFolder
from jobs.reports.summary import Summary
from jobs.reports.verdict import verdict

MOST_ROWS = 20_000
"""Chosen: what the page shows too; 100,000 cost a stopped run ten seconds of its thirty (measured)."""

MOST_CHARACTERS = 32_767
"""Of a cell, by the format."""

COLUMNS: dict[str, tuple[str, int]] = {
    "source_row": ("Row", 10),
    "outcome": ("Outcome", 16),
    "reason_code": ("Code", 24),
    "reason": ("Reason", 48),
    "next": ("What to do next", 56),
    "row_ref": ("Source reference", 20),
    "phone_masked": ("Phone", 16),
    "national_id_masked": ("Identity", 18),
    "customer_id": ("Customer", 16),
    "failed_step": ("Step", 12),
    "attempts": ("Attempts", 10),
    "http_status": ("HTTP", 8),
    "error_code": ("Error", 14),
    "trace_id": ("Trace", 36),
    "external_unique_id": ("Key", 44),
    "last_attempt_at": ("Last attempt (UTC)", 26),
}
"""Columns with their headings and widths in characters."""

SOME_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 - the format knows no zones
"""When a sheet of rows says that it was made: the same rows give the same bytes."""

ABSENT = "report.xlsx was not written: it needs the extra xlsx (pip install 'muster-onboarding[xlsx]')"
"""A note that older runs carry; it says nothing about a run, and is no longer made."""


def installed() -> bool:
    """Whether workbooks can be written here."""
    return find_spec("xlsxwriter") is not None


def write_workbook(summary: Summary, rows: Iterable[Mapping[str, object]], folder: RunFolder) -> Path:
    """Writes what the run came to, and the first `MOST_ROWS` of `rows` (columns of `OUTCOME_SCHEMA`); gives the path.

    The file names the run's end as its own time, so that the same run gives the same bytes. A last line says so when
    there are more rows. Raises ImportError without the extra.
    """
    created = datetime.fromisoformat(summary.ended_at).replace(tzinfo=None)
    xlsxwriter = import_module("xlsxwriter")
    drafts = Path(tempfile.mkdtemp(prefix=".report.", suffix=".parts", dir=folder.path))
    try:
        with folder.open_atomic("report.xlsx") as draft:
            options = {"constant_memory": True, "tmpdir": str(drafts), "strings_to_urls": False}
            with xlsxwriter.Workbook(str(draft), options) as book:
                book.set_properties({"title": f"Run {printable(summary.run_id)}", "created": created})
                bold = book.add_format({"bold": True, "bottom": 1})
                _sum_up(book.add_worksheet("Summary"), bold, summary)
                _fill(book.add_worksheet("Attention"), bold, rows)
    finally:
        shutil.rmtree(drafts)
    return folder.path / "report.xlsx"


def write_rows(name: str, header: Sequence[str], rows: Iterable[Sequence[str | None]], folder: RunFolder) -> Path:
    """Writes the sheet `name`.xlsx: every cell is text and stays text when it is edited; gives the path.

    No more than the first `MOST_ROWS`. Raises ImportError without the extra.
    """
    xlsxwriter = import_module("xlsxwriter")
    drafts = Path(tempfile.mkdtemp(prefix=".report.", suffix=".parts", dir=folder.path))
    try:
        with folder.open_atomic(f"{name}.xlsx") as draft:
            options = {"constant_memory": True, "tmpdir": str(drafts), "strings_to_urls": False}
            with xlsxwriter.Workbook(str(draft), options) as book:
                book.set_properties({"created": SOME_TIME})
                text, sheet = book.add_format({"num_format": "@"}), book.add_worksheet(name)
                sheet.set_column(0, len(header) - 1, 20, text)
                sheet.freeze_panes(1, 0)
                for place, line in enumerate(chain([header], islice(rows, MOST_ROWS))):
                    for column, cell in enumerate(line):
                        if cell:
                            sheet.write_string(place, column, cell[:MOST_CHARACTERS], text)
    finally:
        shutil.rmtree(drafts)
    return folder.path / f"{name}.xlsx"


def _sum_up(sheet: Any, bold: Any, summary: Summary) -> None:
    """What the run came to: its facts, the rows by outcome, why, and whether the books close."""
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 40)
    sheet.set_column(2, 3, 60)
    for place, line in enumerate(_lines(summary)):
        heading = len(line) > 1 and line[1] in {"Rows", "Holds"}
        for column, cell in enumerate(line):
            if isinstance(cell, int):
                sheet.write_number(place, column, cell)
            else:
                sheet.write_string(place, column, printable(cell)[:MOST_CHARACTERS], bold if heading else None)


def _lines(summary: Summary) -> Iterator[tuple[str | int, ...]]:
    """The lines of the first sheet; numbers are counts of ours."""
    yield (verdict(summary).sentence,)
    yield "File", summary.input.name
    yield "Run", summary.run_id
    yield "System, tenant", f"{summary.system}, {summary.tenant}"
    yield "Began, ended (UTC)", f"{summary.started_at}, {summary.ended_at}"
    yield "Exit code", f"{int(summary.exit_code)}: {summary.exit_meaning}"
    yield from ([("Why", summary.stop)] if summary.stop else [])
    yield from (("Next", step.command, step.why) for step in summary.next_steps)
    yield ()
    yield "Outcome", "Rows", "Meaning"
    yield from ((name, rows, OUTCOME_MEANINGS[name]) for name, rows in summary.outcome_counts().items())
    yield "All rows", summary.input.rows
    yield ()
    if summary.causes:
        yield "Why", "Rows", "What to do next"
    for cause in sorted(summary.causes, key=lambda each: (-each.rows, each.outcome, each.reason_code)):
        yield f"{cause.outcome}, {cause.reason_code}", cause.rows, advice(cause.outcome, cause.reason_code)
    yield ()
    yield "Both sides have to be the same number", "Holds", "Left and right"
    for each in summary.equations:
        yield each.name, "yes" if each.ok else "NO", f"{each.left:,} and {each.right:,}"


def _fill(sheet: Any, bold: Any, rows: Iterable[Mapping[str, object]]) -> None:
    for place, (heading, width) in enumerate(COLUMNS.values()):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, heading, bold)
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:P{MOST_ROWS + 2}"})
    remaining, last = iter(rows), 0
    for last, row in enumerate(islice(remaining, MOST_ROWS), start=1):
        for place, text in enumerate(_cells(row)):
            if text:
                sheet.write_string(last, place, text)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    if next(remaining, None) is not None:
        sheet.write_string(last + 1, 0, f"More than {MOST_ROWS:,} rows need attention; all of them are in outcome.csv.")


def _cells(row: Mapping[str, object]) -> list[str]:
    known = {**row, "next": advice(str(row.get("outcome")), str(row.get("reason_code") or ""))}
    found = (known.get(column) for column in COLUMNS)
    return ["" if value is None else printable(str(value))[:MOST_CHARACTERS] for value in found]
