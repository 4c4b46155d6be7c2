"""`muster approve`: the second person's word about a sealed plan."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import confirmed, effective, options, say, show_json, the_clock


@click.command("approve")
@click.argument("plan_path", metavar="PLAN", type=click.Path(path_type=Path))
@options("profile", "approvers", "yes", "output")
def command(plan_path: Path, **given: Any) -> None:
    """Approve PLAN, which somebody else made with muster plan INPUT --out PLAN.

    Somebody else is another user of the operating system, or whoever signs with another key (MUSTER_SIGNING_KEY_FILE)
    than the plan is signed with. The approval is written beside it, as PLAN.approved. Ends with 8 when the plan
    expired, was changed, or is one's own.

    \b
    Examples:
      muster approve tonight.plan
      MUSTER_SIGNING_KEY_FILE=/etc/muster/approver.pem muster approve tonight.plan --yes
    """
    from jobs.evidence.sealed_plan import read_plan
    from jobs.operations.seal_plan import approve

    settings = effective(given)
    plan = read_plan(plan_path).plan
    if settings.output == "text" and not given["quiet"]:
        say(told(plan), err=True)
    confirmed("Approve that?", settings)
    approved, written = approve(plan_path, settings, the_clock())
    assert approved.approved_by is not None
    if settings.output == "json":
        show_json({"schema_version": 1, "file": str(written), **approved.facts()})
    elif not given["quiet"]:
        say(f"{written}: approved by {approved.approved_by.user}")


def told(plan: Any) -> str:
    """What is approved, in a few lines."""
    target, rows = plan["target"], plan["rows"]
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in rows.items())
    return (
        f"{plan['input']['name']}: {plan['input']['rows']:,} rows to {target['system']}, tenant {target['tenant']}, "
        f"{target['origin']}\n  {counts}\n  {plan['mutating_calls']:,} mutating calls, {plan['seconds']:,} s; "
        f"made by {plan['made_by']['user']} at {plan['made_at']}, expires at {plan['expires_at']}"
    )
