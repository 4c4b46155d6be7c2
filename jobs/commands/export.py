"""`muster export`: what a system shows of its customers, as a file."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import PRINTING, TARGET, effective, options, progress_of, say, show_json, the_clock

FILE = click.Path(path_type=Path)


@click.command("export")
@click.option("--what", required=True, metavar="NAME", help="customers, persons, kyc or addresses.")
@click.option("--to", type=FILE, metavar="FILE", help="Where the records go, masked.")
@click.option("--reveal-to", type=FILE, metavar="FILE", help="Where the records go as they are: they are personal.")
@options(*TARGET, "ledger", "recipient", *PRINTING)
def command(what: str, to: Path | None, reveal_to: Path | None, **given: Any) -> None:
    """Export all that the target shows of its customers, persons, KYC records or addresses (SIX bLink).

    \b
    Examples:
      muster export --system blink --what persons --to persons.ndjson
      muster export --system blink --what kyc --reveal-to kyc.ndjson

    FILE has one JSON object a line, mode 0600, and is whole or absent. Ids and codes are shown, everything else is
    masked; --reveal-to masks nothing, and --recipient encrypts that to a public key of age.
    """
    import asyncio

    from jobs.errors import Unusable
    from jobs.operations.access_log import note_access
    from jobs.operations.export import export
    from jobs.operations.lookup import refuse_place
    from jobs.run.signals import Signals
    from jobs.systems import capabilities

    target = to or reveal_to
    if target is None or (to is not None and reveal_to is not None):
        raise Unusable("give --to FILE (masked), or --reveal-to FILE (as they are)")
    settings = effective(given)
    able = capabilities(settings.job_name.adapter)
    if what not in able.exports:
        words = ", ".join(able.exports) or "nothing"
        raise Unusable(f"{able.title} exports no {what}", hint=f"it exports {words}; muster systems says who does")
    refuse_place(target)
    note_access(settings, the_clock(), "export", of=what, revealed=reveal_to is not None)
    progress = progress_of(settings, given)
    with Signals(), progress.stage("exporting", None) as count:
        written = asyncio.run(export(settings, the_clock(), what, target, count, full=reveal_to is not None))
    if reveal_to is not None and settings.recipient is None:
        say(f"muster: {target} holds personal data as they are: keep it as such", err=True)
    if settings.output == "json":
        masked = reveal_to is None
        show_json({"schema_version": 1, "what": what, "records": written, "result": str(target), "masked": masked})
    elif not given["quiet"]:
        say(f"{written:,} {what}: see {target}")
