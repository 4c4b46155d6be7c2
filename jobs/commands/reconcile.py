"""`muster reconcile`: reads the target again, independently, and compares."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import (
    PLACES,
    PRINTING,
    READING,
    TARGET,
    chosen_run,
    decisions_option,
    effective,
    options,
    progress_of,
    show,
    the_clock,
)
from jobs.commands.run_name import RUN


@click.command("reconcile")
@click.argument("run_id_before", type=RUN, metavar="RUN")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Compare with an extract of the target (CSV or Parquet) instead of reading it; no network.",
)
@click.option(
    "--list/--no-list",
    "listing",
    default=None,
    help="List all customers of the target, and name those made at the time of RUN that are not of it. Left out: "
    "listed where that costs fewer reads.",
)
@click.option("--full", is_flag=True, help="Read more of each row: what, muster systems says.")
@decisions_option
@options(*TARGET, *READING, *PLACES, "lock_timeout", "fail_on", "exit_zero", *PRINTING)
def command(
    run_id_before: str, against: Path | None, decisions: Path | None, listing: bool | None, **given: Any
) -> None:
    """Compare RUN with a fresh read of the target, today or weeks later.

    \b
    Examples:
      muster reconcile 20261121T021500Z-7f3a
      muster reconcile 20261121T021500Z-7f3a --against customers-at-target.csv
      muster reconcile 20261121T021500Z-7f3a --full
      MUSTER_RECON_IDENTITY=auditor MUSTER_RECON_PASSWORD_FILE=pw muster reconcile 20261121T021500Z-7f3a

    Each time writes a new folder reconcile-TIME inside the run's own; its changes.csv says what changed since.
    When the input file is gone or was changed, the ledger's pseudonyms are compared instead.
    """
    from jobs.errors import Unusable
    from jobs.operations.reconcile_later import reconcile

    if against is not None and listing:
        raise Unusable("an extract is read as a whole: --list and --against do not go together")

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    progress = progress_of(settings, given)
    summary = reconcile(
        before,
        settings,
        the_clock(),
        against=against,
        decisions=decisions,
        listing=listing,
        progress=progress,
    )
    show(summary, settings, given)
