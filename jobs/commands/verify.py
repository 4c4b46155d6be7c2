"""`muster verify`: checks the evidence of a run; needs no network and no credential."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import chosen_run, effective, options, show_json
from jobs.errors import ExitCode


@click.command("verify")
@click.argument("run_id_before", metavar="RUN")
@options("ledger", "output")
def command(run_id_before: str, **given: Any) -> None:
    """Check file hashes, event chain and control totals of RUN (its id, or its folder).

    \b
    Examples:
      muster verify 20261121T021500Z-7f3a
      muster verify runs/20261121T021500Z-7f3a
    """
    from jobs.reports.evidence import verify_folder

    settings = effective(given)
    folder = Path(run_id_before)
    if not folder.is_dir():
        folder = Path(chosen_run(settings.ledger, run_id_before).folder)
    problems = verify_folder(folder)
    if settings.output == "json":
        show_json({"schema_version": 1, "folder": str(folder), "verified": not problems, "problems": problems})
    else:
        click.echo(f"{folder}: {'verified' if not problems else 'does not verify'}")
        for problem in problems:
            click.echo(f"  {problem}")
    raise click.exceptions.Exit(ExitCode.INTEGRITY if problems else ExitCode.OK)
