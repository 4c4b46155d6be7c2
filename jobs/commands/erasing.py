"""What `purge` and `forget` have in common on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import progress_of, say, show_json, the_clock

if TYPE_CHECKING:
    from jobs.operations.erase import Erased
    from jobs.settings.settings import Settings

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
        found |= {"unseen": list(done.unseen)} if done.unseen else {}
        certificate = None if done.certificate is None else str(done.certificate)
        show_json({"schema_version": 1, **found, "certificate": certificate})
        return
    say(sentence)
    if done.certificate is not None:
        say(f"certificate: {done.certificate}")
    for run_id in done.absent:
        say(f"muster: the folder of run {run_id} was not there; the ledger was cleaned", err=True)
    for path in done.left:
        say(f"muster: {path} may be of a command at work, or of another machine: it was left", err=True)
    for folder in done.unseen:
        say(
            f"muster: {folder}: earlier versions are not seen; where the bucket keeps any, they are still there",
            err=True,
        )


def keep_retention(settings: "Settings", given: dict[str, Any]) -> None:
    """Purges what is due at the end of a run, and says so."""
    from jobs.operations.retention import keep_retention as keep

    note = keep(settings, the_clock(), progress_of(settings, given))
    if note is not None and not given.get("quiet"):
        say(f"muster: {note}", err=True)
