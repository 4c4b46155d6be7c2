"""`muster forget`: erases all that leads to one person."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import certificate_option, show_erased
from jobs.commands.options import confirmed, effective, options, progress_of, the_clock
from jobs.errors import ExitCode


@click.command("forget")
@click.option("--subject", required=True, help="-: the value is read from the terminal or stdin.")
@click.option(
    "--by",
    type=click.Choice(("identity", "phone", "email", "reference")),
    default="identity",
    help="What is typed.  [default: identity]",
)
@certificate_option
@options("ledger", "out", "work", "region", "lock_timeout", "yes", "output")
def command(subject: str, by: str, certificate: Path | None, **given: Any) -> None:
    """Erase all that leads to one person from the ledger and from every run; the target is not touched.

    \b
    Examples:
      muster forget --subject -
      muster forget --subject - --by email --certificate erased.json

    Ends with 1 when nobody like that is known, with 7 when a folder is not as it was sealed: then nothing was erased.
    What goes and what stays: docs/privacy.md.
    """
    from jobs.commands.subject import typed_subject
    from jobs.operations.erase import forget

    settings = effective(given)
    person = typed_subject(subject, "--subject", by, settings.region)
    confirmed("Erase all that leads to this person from the ledger and every run?", settings)
    done = forget(settings, person, the_clock(), progress_of(settings, given), certificate=certificate)
    show_erased(done, f"{done.rows:,} rows in {len(done.runs)} runs were erased", settings.output)
    raise click.exceptions.Exit(ExitCode.OK if done.rows else ExitCode.ATTENTION)
