"""`muster resume`: goes on with what an earlier run left open."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import RUNNING, chosen_run, effective, options, progress_of, show


@click.command("resume")
@click.argument("run_id_before", metavar="[RUN]", required=False)
@options(*RUNNING)
def command(run_id_before: str | None, **given: Any) -> None:
    """Go on with what RUN left open: pending decisions, an interruption, a deadline. The newest run by default.

    \b
    Examples:
      muster resume
      muster resume 20261121T021500Z-7f3a --decision-wait 3600
    """
    from jobs.flow import onboard

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    summary = onboard(
        "resume",
        Path(before.input_path),
        settings,
        sha256=before.input_sha256,
        progress=progress_of(settings, given),
    )
    show(summary, settings, given)
