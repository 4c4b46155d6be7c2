"""`muster forget`: erases all that leads to one person."""

from typing import Any

import click

from jobs.commands.options import confirmed, effective, options, progress_of, show_json, the_clock
from jobs.errors import ExitCode


@click.command("forget")
@click.option("--subject", required=True, help="-: the identity number is read from the terminal or stdin.")
@options("ledger", "lock_timeout", "yes", "output")
def command(subject: str, **given: Any) -> None:
    """Erase all that leads to one person from the ledger and from every run; the target is not touched.

    \b
    Example:
      muster forget --subject -

    Ends with 1 when nobody like that is known. What goes and what stays: docs/privacy.md.
    """
    from jobs.commands.subject import typed_subject
    from jobs.operations.erase import forget

    settings = effective(given)
    person = typed_subject(subject, "--subject")
    confirmed("Erase all that leads to this person from the ledger and every run?", settings)
    done = forget(settings, person, the_clock(), progress_of(settings, given))
    if settings.output == "json":
        show_json({"schema_version": 1, "runs": list(done.runs), "rows": done.rows, "absent": list(done.absent)})
    else:
        click.echo(f"{done.rows:,} rows in {len(done.runs)} runs were erased")
        for run_id in done.absent:
            click.echo(f"muster: the folder of run {run_id} was not there; the ledger was cleaned", err=True)
    raise click.exceptions.Exit(ExitCode.OK if done.rows else ExitCode.ATTENTION)
