"""`muster kyc`: asks for KYC again, on purpose."""

import sys
from pathlib import Path
from typing import Any

import click

from jobs.commands.options import RUNNING, chosen_run, effective, options, progress_of, show


@click.command("kyc")
@click.argument("run_id_before", metavar="RUN", required=True)
@click.option("--retrigger", is_flag=True, help="Ask again for the rows whose KYC failed, or went unanswered.")
@click.option("--include-passed", is_flag=True, help="Also for rows that passed: their verification starts over.")
@click.option(
    "--confirm", "confirmed", metavar="N", type=click.IntRange(0), help="How many passed rows are asked again."
)
@options(*RUNNING)
def command(run_id_before: str, retrigger: bool, include_passed: bool, confirmed: int | None, **given: Any) -> None:
    """Ask for KYC again for rows of RUN that were declined, or that are in doubt about it; then go on with them.

    \b
    Examples:
      muster kyc 20261121T021500Z-7f3a --retrigger
      muster kyc 20261121T021500Z-7f3a --retrigger --kyc-type NORMAL --checks sanctionsListCheck
      muster kyc 20261121T021500Z-7f3a --retrigger --include-passed --confirm 12

    The newest result is read first. An outstanding KYC is never asked for again; a passed one only with
    --include-passed, and the number of such rows in --confirm or typed at the terminal.
    """
    from jobs.engine.case import Taking
    from jobs.errors import Unusable
    from jobs.flow import onboard
    from jobs.retrigger import Retrigger

    if not retrigger:
        raise Unusable("muster kyc asks for KYC again only with --retrigger", hint=f"muster status {run_id_before}")
    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before, warn=False)
    if before.ended_ms is None:
        raise Unusable(f"run {before.run_id} has not ended", hint=f"muster resume {before.run_id}")
    if include_passed and confirmed is None and sys.stdin.isatty():
        confirmed = click.prompt("How many rows that passed are to be asked again?", type=click.IntRange(0), err=True)
    summary = onboard(
        "kyc",
        Path(before.input_path),
        settings,
        taking=Taking(frozenset()),
        sha256=before.input_sha256,
        again=Retrigger(before, include_passed, confirmed),
        progress=progress_of(settings, given),
    )
    show(summary, settings, given)
