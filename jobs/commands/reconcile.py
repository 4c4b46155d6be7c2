"""`muster reconcile`: reads the target again, independently, and compares."""

from typing import Any

import click

from jobs.commands.options import PLACES, PRINTING, READING, TARGET, chosen_run, effective, options, progress_of, show


@click.command("reconcile")
@click.argument("run_id_before", metavar="RUN")
@options(*TARGET, *READING, *PLACES, "fail_on", "exit_zero", *PRINTING)
def command(run_id_before: str, **given: Any) -> None:
    """Compare RUN with a fresh read of the target, today or weeks later.

    \b
    Examples:
      muster reconcile 20261121T021500Z-7f3a
      MUSTER_RECON_IDENTITY=auditor MUSTER_RECON_PASSWORD_FILE=pw muster reconcile 20261121T021500Z-7f3a

    Each time writes a new folder reconcile-TIME inside the run's own.
    """
    from jobs.flow import reconcile

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    show(reconcile(before, settings, progress=progress_of(settings, given)), settings, given)
