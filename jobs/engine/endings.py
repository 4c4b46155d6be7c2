"""How a row's end is told: the words for it, and the cause that it shares with others."""

from jobs.ledger.rows import StepRow
from jobs.model import Outcome
from jobs.systems.messages import Trace
from jobs.systems.verdict import Ended

DEPARTS = "the request would be another one than the unanswered one; restore row and settings, or decide by hand"

HELD = "the target names somebody whom the ledger has under another key ({})"


def held_by_another(step: StepRow, holder: str) -> Ended:
    """The end of a row whose look finds what another key holds: in doubt while a write of its own is unanswered."""
    outcome = Outcome.CONFLICT if step.doubt_since_ms is None else Outcome.IN_DOUBT
    return Ended(outcome, "held_by_another", HELD.format(holder))


LEFT = {
    "decision": "the decision is outstanding",
    "interrupted": "the run was interrupted",
    "deadline": "the run's deadline came first",
    "throttled": "the run was stopped: the target asked for a longer pause than it waits for",
    "max_errors": "the run was stopped by its error budget",
    "limit": "beyond --limit",
    "breaker": "the run was stopped: too many rows in a row failed",
    "same_cause": "the run was stopped: too many rows ended for one cause",
    "canary": "the run was stopped: its first rows did not go well",
    "not_permitted": "the run was stopped: the credential was refused",
    "unreachable": "the run was stopped: the target could not be reached any more",
    "worker_died": "the processes that worked on these rows died, one after the other",
}


def cause(step: str | None, code: str | None, trace: Trace) -> str:
    """The signature of an end: rows that ended for the same cause have the same one. Nothing personal."""
    parts = (step, code, trace.error_code, trace.http_status and f"HTTP {trace.http_status}")
    return ", ".join(str(part) for part in parts if part)
