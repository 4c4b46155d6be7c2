"""A plan becomes a file that is sealed, and a second person approves it."""

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

from jobs.clock import Clock, iso
from jobs.engine.stops import next_showing, seconds_before
from jobs.evidence.manifest import Signer
from jobs.evidence.sealed_plan import (
    KIND,
    Person,
    SealedPlan,
    StalePlan,
    approval_of,
    check_approval,
    check_expiry,
    fingerprint,
    read_plan,
    write_approval,
    write_plan,
)
from jobs.evidence.signature import signer
from jobs.operations.plan import Plan
from jobs.os_user import os_user
from jobs.privacy import file_names
from jobs.run.planned import approvers_of, settings_seal
from jobs.settings.secrets import secret
from jobs.settings.settings import Settings
from jobs.storage.arrival import recorded
from jobs.transport.address import origin_of


def seal_plan(path: Path, found: Plan, source: Path, settings: Settings, clock: Clock, hours: float) -> str:
    """Writes PLAN for the input `source`; gives its seal. It expires after `hours`. Raises Unusable."""
    me, sign = _me()
    now = clock.now()
    document = {
        "kind": KIND,
        "schema_version": 1,
        "made_at": iso(now),
        "made_by": me.facts(),
        "expires_at": iso(now + timedelta(hours=hours)),
        "input": {
            "name": file_names.shown(source.name),
            "path": recorded(source),
            "sha256": found.prediction.sha256,
            "rows": found.rows,
        },
        "target": {
            "system": settings.system,
            "tenant": settings.need("tenant"),
            "origin": origin_of(settings.need("base_url")),
            "profile": settings.profile,
        },
        "settings_sha256": settings_seal(settings),
        "rows": dict(sorted(found.verdicts.items())),
        "mutating_calls": found.writes,
        "limit": found.rate and {"calls": found.rate.calls, "seconds": found.rate.seconds},
        "seconds": round(found.seconds),
        "finishes_at": iso(now + timedelta(seconds=found.seconds)),
        "deadline": deadline(found, settings, clock),
        "predicted": found.prediction.spans(),
    }
    return write_plan(path, document, sign)


def deadline(found: Plan, settings: Settings, clock: Clock) -> dict[str, Any] | None:
    """What fits before --deadline, were the run begun now: calls, and about how many rows; None: no deadline."""
    if settings.deadline is None:
        return None
    now = clock.now()
    left = seconds_before(next_showing(settings.deadline, now), now)
    calls = found.fitting(left)
    working = sum(rows for verdict, rows in found.verdicts.items() if verdict in {"create", "finish", "unknown"})
    rows = working if calls >= found.writes else working * calls // max(1, found.writes)
    return {"at": settings.deadline.strftime("%H:%M"), "seconds_left": round(left), "calls": calls, "rows": rows}


def approve(path: Path, settings: Settings, clock: Clock) -> tuple[SealedPlan, Path]:
    """Approves the plan in `path` as the user or key of this process. Raises Unusable, StalePlan."""
    plan = read_plan(path)
    check_expiry(plan, clock.now())
    if plan.approved_by is not None:
        check_approval(plan, needed=True, approvers=approvers_of(settings))
        raise StalePlan(f"{path} is approved already, by {plan.approved_by.user}", hint=f"muster run --plan {path}")
    me, sign = _me()
    if not me.another_than(plan.made_by):
        raise StalePlan(
            f"{me.user} made this plan; another user of the system, or another signing key, has to approve it",
            hint="who approves sets MUSTER_SIGNING_KEY_FILE, and so does who makes the plan",
        )
    if approvers_of(settings) and not me.names & approvers_of(settings):
        raise StalePlan(f"{me.user} may not approve plans", hint="approvers in muster.toml names who may")
    written = write_approval(plan, {"by": me.facts(), "at": iso(clock.now())}, sign)
    assert written == approval_of(path)
    return read_plan(path), written


def _me() -> tuple[Person, Signer | None]:
    """Who works here, and what signs for it; None: no signing key is given. Raises Unusable."""
    pem = secret("signing_key")
    sign = None if pem is None else signer(pem)
    key = None if sign is None else fingerprint(sign.public_key)
    return Person(os.geteuid(), os_user(), socket.gethostname(), key), sign
