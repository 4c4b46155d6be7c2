"""`report.html`: the run for people, on one page that needs nothing else. All text is escaped; nothing is fetched.

Rows that need attention, and differences to the target, lie in the page as data and are shown some at a time, so that
20,000 stay readable.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from markupsafe import Markup

from jobs.model import Outcome
from jobs.printable import printable
from jobs.reports.advice import CLASS_MEANINGS, OUTCOME_MEANINGS
from jobs.reports.bar import bar
from jobs.reports.chart import Pictures, duration, levels
from jobs.reports.folder import RunFolder
from jobs.reports.nights import Night, trend
from jobs.reports.rendering import printed_foot, rendered, script_json
from jobs.reports.rules import rules
from jobs.reports.summary import Summary
from jobs.reports.totals import shown
from jobs.reports.verdict import verdict
from jobs.settings.settings import apart_from_defaults
from jobs.value import value

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


@value
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


FILES: dict[str, str] = {
    "outcome.csv": "how each row ended, in input order",
    "quarantine.csv": "refused rows with their original columns",
    "quarantine.csv.age": "the same, encrypted with age",
    "quarantine.xlsx": "the same for a spreadsheet, to be corrected",
    "reconciliation.csv": "the comparison with the target, row by row",
    "report.xlsx": "the rows that need attention, for a spreadsheet",
    "report.md": "this run in 60 lines",
    "summary.json": "all counts, for programs",
    "events.ndjson": "everything that happened, chained",
    "manifest.json": "who, when, where, and the hash of every file",
    "SHA256SUMS": "the hash of every file",
    "README-AUDITOR.md": "how to check all this without muster",
}
"""Files of a run that the page leads to, and what each holds."""

SOMETIMES = frozenset({"report.xlsx", "quarantine.csv", "quarantine.csv.age", "quarantine.xlsx"})
"""Those that not every run has."""

ON_TOP = frozenset({"system", "tenant", "run_id", "job"})
"""Settings that the head of the page shows."""

Rows = Iterable[Mapping[str, object]]


def write_page(
    summary: Summary, attention: Rows, folder: RunFolder, *, differences: Rows = (), nights: Sequence[Night] = ()
) -> Path:
    """Writes `report.html` and gives its path.

    `attention` are masked rows with columns of `OUTCOME_SCHEMA` (others are not shown), in input order; the first
    `INLINE_ROWS` are shown, how many more there are says the summary. `differences` are lines of the reconciliation
    that do not agree with the target; the first `INLINE_DIFFERENCES` are shown. `nights`: this run and those before
    it, the oldest first.
    """
    files = {name: words for name, words in FILES.items() if name not in SOMETIMES or (folder.path / name).exists()}
    text = page(summary, attention, differences, nights=nights, files=files)
    return folder.write_bytes("report.html", text.encode())


def page(
    summary: Summary,
    attention: Rows,
    differences: Rows = (),
    *,
    nights: Sequence[Night] = (),
    files: Mapping[str, str] = FILES,
) -> str:
    """The whole page as text."""
    shown_rows = _Sentences(attention, summary)
    carried = _carried(shown_rows, COLUMNS, INLINE_ROWS, summary.attention + summary.pending)
    return rendered(
        "report.html.j2",
        "report.css",
        "report.js",
        foot=printed_foot(f"muster, run {summary.run_id}"),
        summary=summary,
        lasted=_lasted(summary),
        files=files,
        rules=rules(summary.causes, shown_rows.sentences),
        totals=shown(summary.control_totals, (f"rows {name}" for name in summary.outcome_counts())),
        settings=_settings(summary),
        nights=trend(nights),
        verdict=verdict(summary),
        bar=bar(summary.outcome_counts()),
        outcome_meanings=OUTCOME_MEANINGS,
        class_meanings=CLASS_MEANINGS,
        causes=sorted(summary.causes, key=lambda cause: (-cause.rows, cause.outcome, cause.reason_code)),
        attention=carried,
        differences=_carried(differences, DIFFERENCES, INLINE_DIFFERENCES, summary.differences),
        levels=levels(summary.funnel),
        pictures=Pictures.of(summary.course) if summary.course else None,
    )


class _Sentences:
    """Rows going by; the reasons of those that the causes name as examples are kept."""

    def __init__(self, rows: Rows, summary: Summary) -> None:
        self.rows, self.sentences = rows, dict[int, str]()
        refused = (cause for cause in summary.causes if cause.outcome == Outcome.QUARANTINED)
        self.wanted = {row for cause in refused for row in cause.examples}

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for row in self.rows:
            if row.get("source_row") in self.wanted and row.get("reason"):
                self.sentences[int(str(row["source_row"]))] = str(row["reason"])
            yield row


def _lasted(summary: Summary) -> str:
    """How long the run took, in words."""
    began, ended = (datetime.fromisoformat(moment) for moment in (summary.started_at, summary.ended_at))
    return duration(max(0.0, (ended - began).total_seconds() * 1000))


def _settings(summary: Summary) -> dict[str, object]:
    """The settings that somebody chose, without secrets and without what stands on top of the page."""
    chosen = apart_from_defaults(summary.settings)
    return {name: value for name, value in summary.shown_settings().items() if name in chosen and name not in ON_TOP}


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
