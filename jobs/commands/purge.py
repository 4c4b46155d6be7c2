"""`muster purge`: erases what shows people from old runs."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import certificate_option, show_erased
from jobs.commands.options import confirmed, effective, options, progress_of, the_clock
from jobs.errors import Usage


@click.command("purge")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, 36_500),
    metavar="DAYS",
    help="Days since a run ended.  [default: [retention] personal]",
)
@certificate_option
@options("ledger", "out", "work", "retention", "lock_timeout", "yes", "output")
def command(days: int | None, certificate: Path | None, **given: Any) -> None:
    """Erase personal data from runs that ended long ago; counts, ids and the chain of evidence stay.

    \b
    Examples:
      muster purge --older-than 365
      muster purge                     (as [retention] personal = "90d" in muster.toml says)

    Ends with 7 when a folder is not as it was sealed: then nothing was erased. What goes and what stays:
    docs/privacy.md.
    """
    from jobs.operations.erase import purge

    settings = effective(given)
    days = settings.retention if days is None else days
    if days is None:
        raise Usage("--older-than DAYS is missing", hint='or set [retention] personal = "90d" in muster.toml')
    confirmed(f"Erase personal data from all runs that ended more than {days:,} days ago?", settings)
    done = purge(settings, days, the_clock(), progress_of(settings, given), certificate=certificate)
    show_erased(done, f"{len(done.runs)} runs with {done.rows:,} rows were purged", settings.output)
