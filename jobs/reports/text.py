"""The block of text that a run prints at its end."""

from collections.abc import Iterable, Mapping

from jobs.printable import printable
from jobs.reports.next_steps import NextStep
from jobs.reports.summary import Cause, Equation, Summary, otherwise, since_the_last, some
from jobs.reports.totals import ControlTotal
from jobs.reports.verdict import verdict

SCREEN = 79
"""Characters of a line that a terminal of 80 shows as one (chosen)."""


def render_text(summary: Summary) -> str:
    """The block that a run prints at its end: plain text, aligned, without colours, ends with a line end.

    Outcomes and classes that did not occur are left out; every equation is shown.
    """
    head = f"Run {summary.run_id}: {summary.command}, {summary.system}, tenant {summary.tenant}"
    stand_in = [summary.stand_in] if summary.stand_in else []
    opening = [head, *stand_in, verdict(summary).sentence, *([f"Why: {summary.stop}"] if summary.stop else [])]
    parts = [opening, *filter(None, _blocks(summary)), _last_lines(summary)]
    lines = [printable(line) for part in parts for line in (*part, "")]
    return "\n".join(lines[:-1]) + "\n"


def _blocks(summary: Summary) -> list[list[str]]:
    sent = {f"{method} requests": count for method, count in summary.requests.by_method.items()}
    return [
        _table(f"Rows of {summary.input.name}", {"rows read": summary.input.rows} | some(summary.outcome_counts())),
        _table("Why", _reasons(summary.causes)),
        _table("Since the last run", since_the_last(summary)),
        _table("As the plan said", {each.predicted: each.as_predicted for each in summary.prediction}),
        _table("Otherwise (prediction.csv)", otherwise(summary)),
        _table("Warnings", some(summary.warnings)),
        _table("Checks that failed", some(summary.failed_checks)),
        _table("Pending for", some(summary.pending_ageing)),
        _table("Sent", some(sent) and sent | {"of them mutating": summary.requests.mutating}),
        _table("Reconciliation", some(summary.class_counts())),
        _table("Not read at the target, so not compared", summary.not_read.causes),
        _table("Changed since the last reconciliation", some(summary.changes or {})),
        ["Control totals", *(_equation(each) for each in summary.equations)] if summary.equations else [],
        _open_totals(summary.control_totals),
        ["Notes", *(f"  {note}" for note in summary.notes)] if summary.notes else [],
    ]


def _reasons(causes: Iterable[Cause], shown: int = 8) -> dict[str, int]:
    """The most frequent reasons; the report page has all of them."""
    frequent = sorted(causes, key=lambda cause: -cause.rows)[:shown]
    return {f"{cause.outcome}, {cause.reason_code}{_which(cause)}": cause.rows for cause in frequent}


def _which(cause: Cause) -> str:
    """`  (row 7)`, `  (rows 7, 9, 12 ...)`; empty when no row is named."""
    rows = ", ".join(f"{row:,}" for row in cause.examples)
    more = " ..." if cause.rows > len(cause.examples) else ""
    return f"  (row{'s' if cause.rows > 1 else ''} {rows}{more})" if rows else ""


def _table(title: str, counts: Mapping[str, int]) -> list[str]:
    name = max(map(len, counts), default=0)
    number = max((len(f"{count:,}") for count in counts.values()), default=0)
    return [title, *(f"  {label:<{name}}  {count:>{number},}" for label, count in counts.items())] if counts else []


def _equation(equation: Equation) -> str:
    sign = "=" if equation.ok else "!="
    return f"  {'ok    ' if equation.ok else 'NOT OK'}  {equation.name}: {equation.left:,} {sign} {equation.right:,}"


def _open_totals(totals: Iterable[ControlTotal]) -> list[str]:
    """Gives the totals that do not agree; the report shows all."""
    wrong = [each for each in totals if not each.ok]
    lines = [f"  NOT OK  {each.name}: file {each.file}, ledger {each.ledger}, target {each.target}" for each in wrong]
    return ["Control totals that differ", *lines] if lines else []


def _last_lines(summary: Summary) -> list[str]:
    lines = [f"Exit code {int(summary.exit_code)}: {summary.exit_meaning}"]
    return [*lines, *(line for step in summary.next_steps for line in _step_lines(step))]


def _step_lines(step: NextStep) -> list[str]:
    """A step on one line, or what it is for beneath it: a terminal breaks long lines in the middle of a word."""
    whole = f"Next: {step}"
    return [whole] if len(whole) <= SCREEN or not step.why else [f"Next: {step.command}", f"      ({step.why})"]
