"""What is told of a command that ended: to people in a few lines, to programs as JSON. Nothing personal, no secret."""

from collections.abc import Mapping
from dataclasses import field

from jobs.codes.exits import EXITS
from jobs.errors import MusterError
from jobs.privacy import masking
from jobs.reports.brief import render_brief
from jobs.reports.summary import Summary
from jobs.reports.verdict import verdict
from jobs.value import value


@value
class Notice:
    """`text` for people, as of `render_brief`; `facts` for programs; `summary` None: there was no run."""

    exit_code: int
    text: str
    facts: Mapping[str, object] = field(default_factory=dict)
    summary: Summary | None = None

    def document(self) -> dict[str, object]:
        """The whole notice. `text` makes it a message that Slack and its like take."""
        return {"schema_version": 1, "exit_code": self.exit_code, "text": self.text, **self.facts}


def of_run(summary: Summary, report: str | None) -> Notice:
    """What is told of a run. `report`: the path of its page; None: it has none."""
    facts: dict[str, object] = {
        "exit_meaning": summary.exit_meaning,
        "verdict": verdict(summary).sentence,
        "command": summary.command,
        "run_id": summary.run_id,
        "system": summary.system,
        "tenant": summary.tenant,
        "input": summary.input.name,
        "rows": summary.input.rows,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "outcomes": summary.outcome_counts(),
        "new": None if summary.new is None else dict(summary.new),
        "standing": summary.standing,
        "closed": dict(summary.closed),
        "stop": summary.stop and masking.text(summary.stop),
        "next_commands": [step.command for step in summary.next_steps],
        "report": report,
    }
    return Notice(int(summary.exit_code), f"muster: {render_brief(summary, report)}", facts, summary)


def of_failure(error: MusterError, command: str, tenant: str | None) -> Notice:
    """What is told of a command that ended before there was a run, or without a report of it."""
    code, message = int(error.exit_code), masking.text(error.message)
    hint = masking.text(error.hint) if error.hint else None
    lines = [f"muster {command} ended with {code}: {EXITS[code].meaning}", message, *([f"try: {hint}"] if hint else [])]
    facts: dict[str, object] = {
        "exit_meaning": EXITS[code].meaning,
        "command": command,
        "tenant": tenant,
        "message": message,
        "hint": hint,
    }
    return Notice(code, "\n".join(lines) + "\n", facts)
