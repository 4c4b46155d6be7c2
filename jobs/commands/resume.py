"""`muster resume`: goes on with what an earlier run left open."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import (
    RUNNING,
    chosen_run,
    decisions_option,
    effective,
    options,
    progress_of,
    show,
    the_clock,
)


@click.command("resume")
@click.argument("run_id_before", metavar="[RUN]", required=False)
@decisions_option
@options(*RUNNING)
def command(run_id_before: str | None, decisions: Path | None, **given: Any) -> None:
    """Go on with what RUN left open: pending decisions, an interruption, a deadline. The newest run by default.

    \b
    Examples:
      muster resume
      muster resume 20261121T021500Z-7f3a --decision-wait 3600
      muster resume 20261121T021500Z-7f3a --decisions decided.csv

    A file of decisions settles rows that are in doubt, ambiguous or in conflict: a CSV of row, decision, customer_id,
    reason and decided_by, where the decision is ours (with the customer's id), not_done, another_person, give_up or
    leave.
    """
    from jobs.flow import onboard
    from jobs.run.context import Resolutions

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    summary = onboard(
        "resume",
        Path(before.input_path),
        settings,
        the_clock(),
        sha256=before.input_sha256,
        decisions=None if decisions is None else Resolutions(decisions, before),
        progress=progress_of(settings, given),
    )
    show(summary, settings, given)
