"""What a run knows beside the ledger when its report is made, and how `summary.json` keeps it for a later report."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from jobs.errors import ExitCode
from jobs.model import Rate
from jobs.reports.not_read import ALL_READ, NotRead
from jobs.value import value

INTENTS_SENT = "intents in the ledger = mutating requests"
"""The equation of which an older summary tells how many writes were repeated."""

STOPPED = frozenset({ExitCode.POLICY, ExitCode.PERMISSION, ExitCode.UNREACHABLE, ExitCode.SIGINT, ExitCode.SIGTERM})
"""Exit codes that say why a run stopped; the others follow from its rows."""


@value
class Findings:
    """What a run knows beside the ledger when its report is made."""

    codes: frozenset[ExitCode] = frozenset()
    """Stops that a policy, a signal or the target asked for."""
    reconciliation: Mapping[str, int] = field(default_factory=dict)
    complete_at_target: int | None = None
    """Rows found complete by the fresh read; None when it was not made."""
    not_read: NotRead = ALL_READ
    """Rows that the fresh read, where it was made, could not read."""
    notes: tuple[str, ...] = ()
    stop: str | None = None
    """Why the run stopped before its end, in a sentence; None: it did not."""
    repeated_writes: int = 0
    calls: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """What was sent, by (operation, method, status)."""
    steps: tuple[str, ...] = ()
    """The steps of the system, in order."""
    limit: Rate | None = None
    """Of mutating calls, as the run began; None where no limit was known."""

    def facts(self) -> dict[str, object]:
        """What `summary.json` holds under `findings`: all that it does not show elsewhere as it is."""
        limit = self.limit and {"calls": self.limit.calls, "seconds": self.limit.seconds}
        return {
            "codes": sorted(int(code) for code in self.codes),
            "stop": self.stop,
            "complete_at_target": self.complete_at_target,
            "repeated_writes": self.repeated_writes,
            "steps": list(self.steps),
            "limit": limit,
        }

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> "Findings":
        """The findings of an earlier summary.json, for making the report again; calls are in the ledger."""
        facts = summary.get("findings") or _before_facts(summary)
        limit = facts["limit"]
        return cls(
            codes=frozenset(ExitCode(code) for code in facts["codes"]),
            reconciliation=summary["reconciliation"],
            complete_at_target=facts["complete_at_target"],
            not_read=NotRead.of(summary),
            stop=facts.get("stop"),
            notes=tuple(summary["notes"]),
            repeated_writes=facts["repeated_writes"],
            steps=tuple(facts["steps"]),
            limit=limit and Rate(limit["calls"], limit["seconds"]),
        )


def _before_facts(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a summary that an older muster wrote, read out of its equations, funnel and limits."""
    target = [each["right"] for each in summary["equations"] if each["kind"] == "target"]
    sent = next(each["right"] for each in summary["equations"] if each["name"] == INTENTS_SENT)
    stages = [stage["stage"] for stage in summary.get("funnel", [])]
    limits = summary.get("limits") or {}
    return {
        "codes": {ExitCode(summary["exit_code"])} & STOPPED,
        "complete_at_target": target[0] if target else None,
        "repeated_writes": summary["requests"]["mutating"] - sent,
        "steps": stages[2:-1],
        "limit": limits if limits.get("calls") else None,
    }
