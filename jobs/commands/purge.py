"""`muster purge`: erases what shows people from old runs."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import certificate_option, show_erased
from jobs.commands.options import confirmed, effective, options, progress_of, the_clock


@click.command("purge")
@click.option("--older-than", "days", type=click.IntRange(0, 36_500), required=True, help="Days since a run ended.")
@certificate_option
@options("ledger", "out", "lock_timeout", "yes", "output")
def command(days: int, certificate: Path | None, **given: Any) -> None:
    """Erase personal data from runs that ended long ago; counts, ids and the chain of evidence stay.

    \b
    Example:
      muster purge --older-than 365

    Ends with 7 when a folder is not as it was sealed: then nothing was erased. What goes and what stays:
    docs/privacy.md.
    """
    from jobs.operations.erase import purge

    settings = effective(given)
    confirmed(f"Erase personal data from all runs that ended more than {days:,} days ago?", settings)
    done = purge(settings, days, the_clock(), progress_of(settings, given), certificate=certificate)
    show_erased(done, f"{len(done.runs)} runs with {done.rows:,} rows were purged", settings.output)
