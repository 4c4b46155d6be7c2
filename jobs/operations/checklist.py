"""The onboarding checklist, row by row, from the ledger: customer, decision, allowed type, wallet. No network."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.errors import Unusable
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import COMPLETE, Outcome
from jobs.systems import capabilities
from jobs.systems.contract import Capabilities
from jobs.value import value
from schemas.job_name import ONBOARDING, JobName

YES, NO, OPEN = "yes", "no", "open"
"""Checked and so; checked and not so; not known yet, or nothing was asked."""

UNSENT = frozenset({Outcome.QUARANTINED, Outcome.NOT_ATTEMPTED, Outcome.CONFLICT})
"""Outcomes of rows for which nothing of ours is at the target."""


@value
class Checked:
    """One row. `items`: what has to be verified before an onboarding is complete, each yes, no or open."""

    source_row: int
    row_ref: str | None
    outcome: Outcome
    items: Mapping[str, str]
    decision: str | None
    customer_id: str | None

    @property
    def missing(self) -> list[str]:
        """The items that are not yes."""
        return [name for name, found in self.items.items() if found != YES]

    @property
    def waits(self) -> bool:
        """Whether nothing is missing but a decision that is outstanding, and what follows it."""
        return self.outcome is Outcome.PENDING and NO not in self.items.values()


def checklist(store: Store, run: RunRow) -> Iterator[Checked]:
    """Every row of `run`, in input order. Raises Unusable for a run that onboarded nobody."""
    job = str(run.settings.get("job") or ONBOARDING)
    if job != ONBOARDING:
        raise Unusable(f"run {run.run_id} was a {job}: the checklist is that of an onboarding")
    able = capabilities(JobName.parse(run.system).system)
    for window in store.outcomes(run.run_id):
        yield from (checked(row, able) for row in window)


def checked(row: Mapping[str, Any], able: Capabilities) -> Checked:
    """The items of one row, as far as the system has them."""
    outcome = Outcome(row["outcome"])
    items = {"customer": YES if row["customer_id"] and outcome not in UNSENT else NO if outcome in UNSENT else OPEN}
    if able.decision is not None:
        items["decision"] = decided(row["decision_status"], outcome, able)
    if able.wallets:
        there = YES if row["wallet_id"] else OPEN
        items["allowed type"] = NO if outcome is Outcome.NOT_ELIGIBLE else there
        items["wallet"] = NO if outcome in {Outcome.NOT_ELIGIBLE, Outcome.DECLINED} else there
    return Checked(row["source_row"], row["row_ref"], outcome, items, row["decision_status"], row["customer_id"])


def decided(status: str | None, outcome: Outcome, able: Capabilities) -> str:
    """Whether the decision is the one that a complete row has; where none is promised, the outcome says it."""
    if outcome is Outcome.DECLINED:
        return NO
    promised = able.decided.get(Outcome.ONBOARDED)
    if promised is None:
        return YES if outcome in COMPLETE else OPEN
    return YES if status in promised else OPEN
