"""A run as the text format of Prometheus, for the textfile collector of its node exporter."""

from collections.abc import Iterator
from datetime import datetime

from jobs.operations.notices import Notice
from jobs.reports.summary import Summary

SUCCESS = "muster_success_timestamp_seconds"

HELP = {
    "muster_exit_code": "Exit code of the newest command.",
    "muster_end_timestamp_seconds": "When it ended.",
    SUCCESS: "When the newest one that ended with 0 did.",
    "muster_duration_seconds": "How long the run took.",
    "muster_rows": "Rows of the run by outcome.",
    "muster_new_rows": "Rows that need attention and did not before, by outcome.",
    "muster_standing_rows": "Rows that need attention and did before.",
    "muster_requests": "Requests of the run by HTTP status.",
    "muster_reconciliation_lines": "Lines of the reconciliation by class.",
}


def exposition(notice: Notice, now: datetime, before: str = "") -> str:
    """All metrics, each with its help and type. `before`: the same of the end before, whose last success stays told."""
    lines: list[str] = []
    known: set[str] = set()
    for name, labels, value in _samples(notice, now):
        if name not in known:
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
            known.add(name)
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{shown}}} {value:g}" if isinstance(value, int) else f"{name}{{{shown}}} {value:.3f}")
    if SUCCESS not in known:
        lines += [line for line in before.splitlines() if SUCCESS in line]
    return "\n".join(lines) + "\n"


_Sample = tuple[str, dict[str, str], int | float]


def _samples(notice: Notice, now: datetime) -> Iterator[_Sample]:
    summary = notice.summary
    place = {"tenant": str(notice.facts.get("tenant") or ""), "command": str(notice.facts.get("command") or "")}
    place |= {"system": summary.system} if summary else {}
    yield "muster_exit_code", place, notice.exit_code
    yield "muster_end_timestamp_seconds", place, now.timestamp()
    if notice.exit_code == 0:
        yield SUCCESS, place, now.timestamp()
    if summary is not None:
        yield from _of_run(summary, place)


def _of_run(summary: Summary, place: dict[str, str]) -> Iterator[_Sample]:
    began, ended = (datetime.fromisoformat(each) for each in (summary.started_at, summary.ended_at))
    yield "muster_duration_seconds", place, (ended - began).total_seconds()
    for outcome, rows in summary.outcome_counts().items():
        yield "muster_rows", place | {"outcome": outcome}, rows
    for outcome, rows in (summary.new or {}).items():
        yield "muster_new_rows", place | {"outcome": outcome}, rows
    yield "muster_standing_rows", place, summary.standing or 0
    for status, count in summary.requests.by_status.items():
        yield "muster_requests", place | {"status": status}, count
    for name, count in summary.class_counts().items():
        yield "muster_reconciliation_lines", place | {"class": name}, count


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
