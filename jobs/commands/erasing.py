"""What `purge` and `forget` have in common on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.commands.options import show_json

if TYPE_CHECKING:
    from jobs.operations.erase import Erased

certificate_option = click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    default=None,
    help="Where the certificate of erasure goes.  [default: erasure-TIME.json beside the ledger]",
)


def show_erased(done: "Erased", sentence: str, output: str) -> None:
    """Prints what was erased, and on stderr what could not be reached."""
    if output == "json":
        found = {"runs": list(done.runs), "rows": done.rows, "absent": list(done.absent), "left": list(done.left)}
        certificate = None if done.certificate is None else str(done.certificate)
        show_json({"schema_version": 1, **found, "certificate": certificate})
        return
    click.echo(sentence)
    if done.certificate is not None:
        click.echo(f"certificate: {done.certificate}")
    for run_id in done.absent:
        click.echo(f"muster: the folder of run {run_id} was not there; the ledger was cleaned", err=True)
    for path in done.left:
        click.echo(f"muster: {path} may be of a command at work, or of another machine: it was left", err=True)
