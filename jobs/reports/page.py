"""`report.html`: the run for people, on one page that needs nothing else. All text is escaped; nothing is fetched.

Rows that need attention, and differences to the target, lie in the page as data and are shown some at a time, so that
20,000 stay readable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from markupsafe import Markup

from jobs.printable import printable
from jobs.reports.advice import CLASS_MEANINGS, OUTCOME_MEANINGS
from jobs.reports.bar import bar
from jobs.reports.chart import Pictures, levels
from jobs.reports.folder import RunFolder
from jobs.reports.rendering import rendered, script_json
from jobs.reports.summary import Summary
from jobs.reports.verdict import verdict

INLINE_ROWS = 20_000
"""Rows of the attention table that the page carries. Chosen: some 5 MB, which a browser opens in a second."""

FIRST_ROWS = 50
"""Rows that also stand in the page as HTML, for readers and printers without scripts. Chosen."""

INLINE_DIFFERENCES = 2_000
"""Differences to the target that the page carries (chosen): more of them have one cause, and that shows by then."""

DIFFERENCES: dict[str, str] = {
    "source_row": "Row",
    "class": "Class",
    "field": "Field",
    "file_value_masked": "In the file",
    "target_value_masked": "At the target",
    "similarity": "Alike",
    "customer_id": "Customer",
    "read_at": "Read",
    "external_unique_id": "Key",
}
"""Columns of the table of differences and their headings."""

COLUMNS: dict[str, str] = {
    "source_row": "Row",
    "outcome": "Outcome",
    "reason_code": "Code",
    "reason": "Reason",
    "row_ref": "Source reference",
    "phone_masked": "Phone",
    "national_id_masked": "Identity",
    "customer_id": "Customer",
    "http_status": "HTTP",
    "error_code": "Error",
    "external_unique_id": "Key",
    "trace_id": "Trace",
}
"""Columns of the attention table and their headings; one that is empty in every row is left out."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Rows of a table as far as the page carries them."""

    columns: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    more: int
    """How many rows are in the file only."""

    @property
    def first_rows(self) -> tuple[tuple[object, ...], ...]:
        """Gives the rows that stand in the page as HTML too."""
        return self.rows[:FIRST_ROWS]

    @property
    def json(self) -> Markup:
        """The rows for the page's script."""
        return script_json({"columns": self.columns, "rows": self.rows})


Rows = Iterable[Mapping[str, object]]


def write_page(summary: Summary, attention: Rows, folder: RunFolder, *, differences: Rows = ()) -> Path:
    """Writes `report.html` and gives its path.

    `attention` are masked rows with columns of `OUTCOME_SCHEMA` (others are not shown), in input order; the first
    `INLINE_ROWS` are shown, how many more there are says the summary. `differences` are lines of the reconciliation
    that do not agree with the target; the first `INLINE_DIFFERENCES` are shown.
    """
    return folder.write_bytes("report.html", page(summary, attention, differences).encode())


def page(summary: Summary, attention: Rows, differences: Rows = ()) -> str:
    """The whole page as text."""
    return rendered(
        "report.html.j2",
        "report.css",
        "report.js",
        summary=summary,
        verdict=verdict(summary),
        bar=bar(summary.outcome_counts()),
        outcome_meanings=OUTCOME_MEANINGS,
        class_meanings=CLASS_MEANINGS,
        causes=sorted(summary.causes, key=lambda cause: (-cause.rows, cause.outcome, cause.reason_code)),
        attention=_carried(attention, COLUMNS, INLINE_ROWS, summary.attention + summary.pending),
        differences=_carried(differences, DIFFERENCES, INLINE_DIFFERENCES, summary.differences),
        levels=levels(summary.funnel),
        pictures=Pictures.of(summary.course) if summary.course else None,
    )


def _carried(rows: Rows, headings: Mapping[str, str], most: int, total: int) -> Carried:
    """The first `most` of `total` rows; a column that is empty in each of them is left out."""
    shown = islice(rows, most)
    kept = [tuple(_shown(column, row.get(column)) for column in headings) for row in shown]
    used = [place for place in range(len(headings)) if any(row[place] is not None for row in kept)]
    names, words = (tuple(list(each)[place] for place in used) for each in (headings, headings.values()))
    return Carried(names, words, tuple(tuple(row[place] for place in used) for row in kept), max(0, total - len(kept)))


def _shown(column: str, value: object) -> object:
    """Numbers stay numbers, so that they sort as numbers; empty text counts as nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return value
    text = printable(str(value))
    return text.replace(";", "; ") if column == "reason_code" else text  # several codes need a place to break
