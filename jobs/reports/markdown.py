"""`report.md`: the run in at most 60 lines, to be pasted into a chat or a ticket. Counts and words, no rows."""

import re
from collections.abc import Iterable, Mapping

from jobs.printable import printable
from jobs.reports.advice import advice
from jobs.reports.bar import share
from jobs.reports.summary import Cause, Equation, Summary, otherwise, since_the_last
from jobs.reports.verdict import verdict

MOST_CAUSES, MOST_EQUATIONS, MOST_NOTES = 8, 12, 5
"""Chosen: with every outcome, and what surrounds them, that makes at most 60 lines."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~])")


def render_markdown(summary: Summary) -> str:
    """The whole text, with a line end. Text of others is escaped: it can form no link, mention or table."""
    facts = (
        f"Run {plain(summary.run_id)} · {plain(summary.command)} · {plain(summary.system)}, "
        f"tenant {plain(summary.tenant)} · {plain(summary.started_at)} to {plain(summary.ended_at)}"
    )
    why = [f"Why: {plain(summary.stop)}", ""] if summary.stop else []
    stand_in = [f"**{plain(summary.stand_in)}**", ""] if summary.stand_in else []
    head = [f"# {plain(verdict(summary).sentence)}", "", *stand_in, *why, facts, ""]
    head.append(f"Exit code {int(summary.exit_code)}: {summary.exit_meaning}.")
    head += _steps(summary)
    blocks = [
        _outcomes(summary),
        _causes(summary.causes),
        _equations(summary.equations),
        _counts("Target", summary.class_counts()),
        _counts("Not read at the target, so not compared", summary.not_read.causes),
        _counts("Since the last run", since_the_last(summary)),
        _counts("Otherwise than planned", otherwise(summary)),
        _counts("Warnings", summary.warnings),
        _counts("Checks that failed", summary.failed_checks),
        _counts("Pending for", summary.pending_ageing),
        _notes(summary.notes),
    ]
    lines = [*head, *(line for block in blocks if block for line in ("", *block))]
    return "\n".join(lines) + "\n"


def _steps(summary: Summary) -> list[str]:
    """The next steps: one in a line of its own, several in a list."""
    steps = [f"{code(step.command)} {plain(step.why)}".rstrip() for step in summary.next_steps]
    return (
        ["", f"Next: {steps[0]}"] if len(steps) == 1 else ["", "Next:", *(f"- {step}" for step in steps)] * bool(steps)
    )


def plain(text: str) -> str:
    """`text` as words only, on one line."""
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("@", "&#64;").replace("://", ":&#47;&#47;")


def code(text: str) -> str:
    """`text` as code; a backtick in it would end it and becomes a quote."""
    return "`" + printable(text).replace("`", "'") + "`"


def _outcomes(summary: Summary) -> list[str]:
    rows = summary.input.rows
    lines = [f"| {rows:,} rows of {plain(summary.input.name)} | rows | share |", "|---|---:|---:|"]
    counts = summary.outcome_counts().items()
    return lines + [f"| {plain(name)} | {count:,} | {share(count, rows)} |" for name, count in counts if count]


def _causes(causes: Iterable[Cause]) -> list[str]:
    frequent = sorted(causes, key=lambda cause: (-cause.rows, cause.outcome, cause.reason_code))
    if not frequent:
        return []
    lines = ["| why | rows | first | what to do |", "|---|---:|---|---|"]
    for cause in frequent[:MOST_CAUSES]:
        first = ", ".join(map(str, cause.examples))
        next_ = advice(cause.outcome, cause.reason_code)
        lines.append(f"| {plain(cause.outcome)}, {code(cause.reason_code)} | {cause.rows:,} | {first} | {next_} |")
    more = len(frequent) - MOST_CAUSES
    return [*lines, "", f"{more} more causes are in report.html."] if more > 0 else lines


def _equations(equations: Iterable[Equation]) -> list[str]:
    """Shows the equations, those that do not hold first."""
    ordered = sorted(equations, key=lambda equation: equation.ok)
    signs = {True: ("ok", "="), False: ("**not ok**", "≠")}
    lines = [
        f"- {signs[each.ok][0]}: {plain(each.name)}: {each.left:,} {signs[each.ok][1]} {each.right:,}"
        for each in ordered[:MOST_EQUATIONS]
    ]
    more = len(ordered) - MOST_EQUATIONS
    return [*lines, f"- {more} more are in report.html."] if more > 0 else lines


def _counts(title: str, counts: Mapping[str, int]) -> list[str]:
    some = [f"{plain(name)} {count:,}" for name, count in counts.items() if count]
    return [f"{title}: {', '.join(some)}."] if some else []


def _notes(notes: Iterable[str]) -> list[str]:
    lines = [f"- {plain(note)}" for note in notes]
    return lines[:MOST_NOTES] + ([f"- {len(lines) - MOST_NOTES} more notes."] if len(lines) > MOST_NOTES else [])
