"""The few lines that a quiet run which did not end with 0 leaves in somebody's mail, and that a notice is made of."""

from jobs.printable import printable
from jobs.reports.summary import Summary, since_the_last
from jobs.reports.verdict import verdict

FEW = 5
"""Notes shown; chosen."""


def render_brief(summary: Summary, report: str | None = None) -> str:
    """Code and meaning, verdict, counts by outcome, why it stopped, where the report is, and every next step.

    `report`: the path of report.html; None: there is none. Ends with a line end. Nothing personal.
    """
    counts = ", ".join(f"{rows:,} {name}" for name, rows in summary.outcome_counts().items() if rows)
    since = [f"{rows:,} {what}" for what, rows in since_the_last(summary).items()]
    lines = [
        f"run {summary.run_id} ended with {int(summary.exit_code)}: {summary.exit_meaning}",
        verdict(summary).sentence,
        f"{summary.input.rows:,} rows of {summary.input.name}: {counts or 'none has an outcome'}",
        *([f"stopped: {summary.stop}"] if summary.stop else []),
        *(f"note: {note}" for note in summary.notes[:FEW] if not (summary.stop and note.startswith(summary.stop))),
        *([f"since the last run: {', '.join(since)}"] if since else []),
        *([f"report: {report}"] if report else []),
        *(f"next: {step}" for step in summary.next_steps),
    ]
    return "\n".join(printable(line) for line in lines) + "\n"
