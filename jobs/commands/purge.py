"""`muster purge`: erases what shows people from old runs."""

from typing import Any

import click

from jobs.commands.options import confirmed, effective, options, progress_of, show_json, the_clock


@click.command("purge")
@click.option("--older-than", "days", type=click.IntRange(0, 36_500), required=True, help="Days since a run ended.")
@options("ledger", "lock_timeout", "yes", "output")
def command(days: int, **given: Any) -> None:
    """Erase personal data from runs that ended long ago; counts, ids and the chain of evidence stay.

    \b
    Example:
      muster purge --older-than 365

    What goes and what stays: docs/privacy.md.
    """
    from jobs.operations.erase import purge

    settings = effective(given)
    confirmed(f"Erase personal data from all runs that ended more than {days:,} days ago?", settings)
    done = purge(settings, days, the_clock(), progress_of(settings, given))
    if settings.output == "json":
        show_json({"schema_version": 1, "runs": list(done.runs), "rows": done.rows, "absent": list(done.absent)})
        return
    click.echo(f"{len(done.runs)} runs with {done.rows:,} rows were purged")
    for run_id in done.absent:
        click.echo(f"muster: the folder of run {run_id} was not there; the ledger was cleaned", err=True)
