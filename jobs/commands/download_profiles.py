"""`muster download-profiles`: the profiles of a run's customers as files, PDF or data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import (
    PLACES,
    PRINTING,
    TARGET,
    chosen_run,
    effective,
    options,
    progress_of,
    say,
    show_json,
    the_clock,
)
from jobs.commands.run_name import RUN
from jobs.errors import ExitCode, Unusable

if TYPE_CHECKING:
    from jobs.operations.download import Downloads

SHOWN = 3
"""Failures that are shown; all are in the JSON."""


@click.command("download-profiles")
@click.argument("run_id_before", type=RUN, metavar="RUN")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Another folder, 0700.")
@click.option("--form", type=click.Choice(("pdf", "json")), default="pdf", show_default=True, help="PDF, or data.")
@options(*TARGET, *PLACES, "recipient", *PRINTING)
def command(run_id_before: str, to: Path | None, form: str, **given: Any) -> None:
    """Download what the target shows of each customer of RUN, as PDF files or as data.

    \b
    Examples:
      muster download-profiles 20261121T021500Z-7f3a
      muster download-profiles 20261121T021500Z-7f3a --to kyc-files
      muster download-profiles 20261121T021500Z-7f3a --form json

    The files are personal: they lie in profiles-TIME (or profiles-json-TIME) in the folder of RUN, for the owner alone,
    with their SHA256SUMS; purge and forget remove them from there. --recipient encrypts them to a public key of age.
    A download that was broken off is gone on with.
    Ends with 1 when a profile could not be had.
    """
    from jobs.systems import capabilities

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    able = capabilities(settings.job_name.adapter)
    if form not in able.downloads:
        raise Unusable(f"{able.title} has no profiles to download as {form}", hint="muster systems says who has")
    from jobs.operations.access_log import note_access
    from jobs.operations.download import download

    note_access(settings, the_clock(), "download", run_id=before.run_id, form=form)
    done = download(before, settings, to, the_clock(), progress_of(settings, given), form=form)
    _show(done, settings.output, quiet=bool(given.get("quiet")))
    raise click.exceptions.Exit(ExitCode.ATTENTION if done.failed else ExitCode.OK)


def _show(done: "Downloads", output: str, *, quiet: bool) -> None:
    from jobs.storage.copies import shown

    failed = [{"source_row": row, "reason": reason} for row, reason in sorted(done.failed)]
    if output == "json":
        counts = {"written": done.written, "there_before": done.there, "failed": failed}
        show_json({"schema_version": 1, "folder": shown(done.folder), **counts})
        return
    if not quiet:
        say(f"{shown(done.folder)}: {done.written:,} profiles written, {done.there:,} were there before")
    for each in failed[:SHOWN]:
        say(f"muster: row {each['source_row']}: {each['reason']}", err=True)
    if failed:
        say(f"muster: {len(failed):,} profiles could not be had; run it again to try those", err=True)
