"""`muster report`: makes the reports again from the ledger."""

from typing import Any

import click

from jobs.commands.options import PLACES, PRINTING, READING, chosen_run, effective, options, progress_of, show


@click.command("report")
@click.argument("run_id_before", metavar="RUN")
@options("system", "tenant", *READING, *PLACES, *PRINTING)
def command(run_id_before: str, **given: Any) -> None:
    """Make the files of RUN again, from the ledger and the input file.

    \b
    Example:
      muster report 20261121T021500Z-7f3a
    """
    from jobs.flow import report

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    show(report(before, settings, progress=progress_of(settings, given)), settings, given)
