"""`muster run`: the nightly job in one go."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import RUNNING, SHARING, effective, options, progress_of, show, the_clock


@click.command("run")
@click.argument("input_path", metavar="INPUT", type=click.Path(path_type=Path))
@options("control", "plan", "approvers", *RUNNING, *SHARING)
def command(input_path: Path, **given: Any) -> None:
    """Validate, onboard, report and reconcile INPUT.

    \b
    Examples:
      muster run customers.csv --base-url https://eclipse.example --tenant 1001
      muster run customers.csv --rate 60/180 --deadline 06:00
      muster run customers.csv --plan tonight.plan --profile prod --confirm-tenant 2002
      MUSTER_PASSWORD_FILE=/run/secrets/eclipse muster run customers.parquet --output json

    The same file again changes nothing at the target: finished rows are already_onboarded.
    """
    from jobs.flow import onboard

    settings = effective(given)
    summary = onboard("run", input_path, settings, the_clock(), progress=progress_of(settings, given))
    keep_retention(settings, given)
    show(summary, settings, given)
