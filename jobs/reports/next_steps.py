"""What to type next after a run: one command for each kind of rows that are left, the most urgent first."""

from collections.abc import Mapping

from jobs.errors import ExitCode
from jobs.model import Outcome
from jobs.value import value

GOING_ON = (Outcome.PENDING, Outcome.NOT_ATTEMPTED, Outcome.IN_DOUBT)
DECIDABLE = (Outcome.CONFLICT, Outcome.IN_DOUBT)
"""Outcomes that a person's decision settles."""
CORRECTABLE = (Outcome.QUARANTINED, Outcome.REJECTED, Outcome.CONFLICT, Outcome.NOT_ELIGIBLE)
"""Outcomes that other data of the row may change."""


@value
class NextStep:
    """A command as it is typed, and what for."""

    command: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.command}   ({self.why})" if self.why else self.command


@value
class Ended:
    """A run that ended, as far as it matters for what comes next. `retriggers`: whether KYC can be asked for again."""

    run_id: str
    outcomes: Mapping[str, int]
    code: ExitCode
    retriggers: bool = False


def next_steps(ended: Ended) -> tuple[NextStep, ...]:
    """Every command that takes some of the rows further; empty when nothing is left to do."""
    run_id, rows = ended.run_id, ended.outcomes
    if ended.code is ExitCode.INTEGRITY:
        return (NextStep(f"muster status {run_id}", "the books do not close: somebody has to look first"),)
    steps: list[NextStep] = []
    if left := _some(rows, GOING_ON):
        steps.append(NextStep(f"muster resume {run_id}", f"goes on with {left}"))
    if left := _some(rows, (Outcome.FAILED,)):
        steps.append(NextStep(f"muster retry {run_id}", f"tries {left} again"))
    if left := _some(rows, CORRECTABLE):
        steps.append(NextStep(f"muster mend {run_id} --to mend-{run_id}.csv", f"gives {left} to be corrected"))
    if left := _some(rows, DECIDABLE):
        template = f"muster report {run_id} --decisions-template > decisions.csv"
        steps.append(NextStep(template, f"lists {left} to be decided, for muster resume {run_id} --decisions"))
    if ended.retriggers and (left := _some(rows, (Outcome.DECLINED,))):
        steps.append(NextStep(f"muster kyc {run_id} --retrigger", f"asks again about {left}, once that was put right"))
    if not steps and ended.code in {ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.UNREACHABLE}:
        steps.append(NextStep(f"muster reconcile {run_id}", "compares with the target what could not be compared"))
    return tuple(steps)


def _some(rows: Mapping[str, int], outcomes: tuple[Outcome, ...]) -> str:
    """`2 pending and 1 in_doubt`; empty when there are none."""
    found = [f"{rows[outcome]:,} {outcome}" for outcome in outcomes if rows.get(outcome)]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))
