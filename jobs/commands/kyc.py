"""`muster kyc`: asks for KYC again, on purpose."""

import sys
from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import RUNNING, chosen_run, effective, options, progress_of, show, the_clock
from jobs.commands.options import confirmed as agreed
from jobs.commands.run_name import RUN


def numbers(_: click.Context, __: click.Parameter, text: str | None) -> frozenset[int] | None:
    """Row numbers joined by commas; None when none are given."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < len(part) < 13 for part in parts):
        raise click.BadParameter("row numbers joined by commas, 1 the first data row")
    return frozenset(map(int, parts))


@click.command("kyc")
@click.argument("run_id_before", type=RUN, metavar="RUN", required=True)
@click.option("--retrigger", is_flag=True, help="Ask again for the rows whose KYC failed, or went unanswered.")
@click.option("--include-passed", is_flag=True, help="Also for rows that passed: their verification starts over.")
@click.option(
    "--confirm", "confirmed", metavar="N", type=click.IntRange(0), help="How many passed rows are asked again."
)
@click.option("--rows", metavar="N,N", callback=numbers, help="Only these rows of RUN, by their source_row.")
@options(*RUNNING)
def command(
    run_id_before: str,
    retrigger: bool,
    include_passed: bool,
    confirmed: int | None,
    rows: frozenset[int] | None,
    **given: Any,
) -> None:
    """Ask for KYC again for rows of RUN that were declined, or that are in doubt about it; then go on with them.

    \b
    Examples:
      muster kyc 20261121T021500Z-7f3a --retrigger
      muster kyc 20261121T021500Z-7f3a --retrigger --kyc-type NORMAL --checks sanctionsListCheck
      muster kyc 20261121T021500Z-7f3a --retrigger --rows 17,23
      muster kyc 20261121T021500Z-7f3a --retrigger --include-passed --confirm 12

    Before rows that are in doubt are asked about again, somebody has to look at the target whether the triggers that
    went unanswered arrived: each that did is a KYC. --yes says that somebody did.

    The newest result is read first. An outstanding KYC is never asked for again; a passed one only with
    --include-passed, and the number of such rows in --confirm or typed at the terminal.
    """
    from jobs.engine.opening import Taking
    from jobs.errors import Unusable
    from jobs.flow import onboard
    from jobs.ledger.store import Store
    from jobs.run.ask_again import Retrigger, in_doubt

    if not retrigger:
        raise Unusable("muster kyc asks for KYC again only with --retrigger", hint=f"muster status {run_id_before}")
    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before, warn=False)
    if before.ended_ms is None:
        raise Unusable(f"run {before.run_id} has not ended", hint=f"muster resume {before.run_id}")
    if include_passed and confirmed is None and sys.stdin.isatty():
        confirmed = click.prompt("How many rows that passed are to be asked again?", type=click.IntRange(0), err=True)
    with Store.opened(settings.ledger, create=False) as store:
        doubtful = in_doubt(store, before, "kyc", rows)
    if doubtful:
        agreed(f"In doubt: {doubtful}. Did somebody look at the target, and may it be asked for once more?", settings)
    summary = onboard(
        "kyc",
        Path(before.input_path),
        settings,
        the_clock(),
        taking=Taking(frozenset()),
        sha256=before.input_sha256,
        again=Retrigger(before, include_passed, confirmed, rows),
        progress=progress_of(settings, given),
    )
    keep_retention(settings, given)
    show(summary, settings, given)
