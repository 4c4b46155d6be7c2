"""Whether a run is the one that its sealed plan speaks of, checked before anything is sent."""

from jobs.batch import Batch
from jobs.clock import Clock
from jobs.evidence.sealed_plan import SealedPlan, StalePlan, check_approval, check_expiry, read_plan, sealed
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.settings.settings import OPTIONS, Settings
from jobs.storage.arrival import called
from jobs.transport.address import origin_of
from schemas.job_name import ONBOARDING

FACT = "plan"
"""Where a run's facts hold the seal of its plan and who made and approved it."""

ABOUT_THE_PLACE = frozenset({"out", "profile", "protected", "approvers", "base_url", "tenant", "system"})
"""Kept settings that change nothing of what is sent, or that the plan names by themselves."""

AGAIN = "make it again: muster plan INPUT --out PLAN"


def settings_seal(settings: Settings) -> str:
    """SHA-256 over all settings that decide what is sent for a row, how the file is read, and how fast."""
    shown = settings.shown()
    left_out = {each.name for each in OPTIONS if not each.keeps} - {"rate", "limit"} | ABOUT_THE_PLACE
    return sealed({name: text for name, text in shown.items() if name not in left_out and text})


def check_plan(batch: Batch, settings: Settings, clock: Clock) -> SealedPlan | None:
    """The plan that the run was given; None: none, and none is needed.

    Raises StalePlan: it speaks of another file, target or settings, it expired, was run already, or lacks an approval.
    """
    if settings.plan is None:
        if settings.protected and settings.job == ONBOARDING:
            named = called(batch.file.path)
            raise StalePlan(
                "the profile is protected: it runs approved plans only",
                hint=f"muster plan {named} --out PLAN; somebody else: muster approve PLAN; then --plan PLAN",
            )
        return None
    plan = read_plan(settings.plan)
    check_expiry(plan, clock.now())
    _same(plan, batch, settings)
    check_approval(plan, needed=settings.protected, approvers=approvers_of(settings))
    _refuse_used(plan, settings)
    return plan


def approvers_of(settings: Settings) -> frozenset[str]:
    """Users and key fingerprints that may approve; empty: everybody but who made the plan."""
    return frozenset(name.strip() for name in settings.approvers.split(",") if name.strip())


def _same(plan: SealedPlan, batch: Batch, settings: Settings) -> None:
    given, target = plan.plan["input"], plan.plan["target"]
    if given["sha256"] != batch.file.sha256:
        raise StalePlan(f"{plan.path} was made for another content than that of {called(batch.file.path)}", hint=AGAIN)
    here = {"system": settings.system, "tenant": settings.tenant, "origin": origin_of(settings.need("base_url"))}
    for name, value in here.items():
        if target[name] != value:
            raise StalePlan(f"{plan.path} was made for {name} {target[name]}, not for {value}", hint=AGAIN)
    if plan.plan["settings_sha256"] != settings_seal(settings):
        raise StalePlan(f"{plan.path} was made with other settings", hint=f"give those of the plan, or {AGAIN}")


def _refuse_used(plan: SealedPlan, settings: Settings) -> None:
    """Raises StalePlan when a run of the ledger was given this plan: what is left of it is for resume."""
    if not place_of(settings.ledger).exists():
        return
    with Store.opened(settings.ledger) as store:
        for run in store.runs(10_000):
            known = run.facts.get(FACT)
            if isinstance(known, dict) and known.get("seal") == plan.seal:
                raise StalePlan(f"{plan.path} was run already, as {run.run_id}", hint=f"muster resume {run.run_id}")
