"""`muster decide`: commands about customers that are there: approve, reject, blacklist and the like."""

from itertools import chain
from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import RUNNING, chosen_run, effective, options, progress_of, show, the_clock
from jobs.commands.run_name import RUN
from jobs.settings.settings import DECISIONS


@click.command("decide")
@click.argument("input_path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--command", "decision", type=click.Choice(DECISIONS), required=True, help="What is done with them.")
@click.option(
    "--from", "origin", type=RUN, metavar="RUN", help="Make FILE from the rows of RUN that wait for a decision."
)
@click.option("--reason", metavar="TEXT", help="The reason in each row of a FILE that --from makes.")
@options(*RUNNING)
def command(input_path: Path, decision: str, origin: str | None, reason: str | None, **given: Any) -> None:
    """Give one command about each customer that FILE names: approve, reject, blacklist, and so on (BankLingo).

    \b
    Examples:
      muster decide approved.csv --command approve --from 20261121T021500Z-7f3a
      muster decide fraud.csv --command blacklist
      MUSTER_TOKEN_FILE=checker.token muster decide refused.csv --command reject

    FILE has the columns contact_encoded_key, reason, notes and optionally id and row_ref. What the customer's state
    does not allow is refused before anything is sent; who created a customer does not approve or reject it.
    """
    from jobs.errors import Unusable
    from jobs.flow import onboard
    from jobs.ledger.store import Store
    from jobs.operations.decisions import able, open_rows, write_rows

    settings = effective(given | {"job": "decide", "decision": decision})
    able(settings)
    if origin is not None:
        run = chosen_run(settings.ledger, origin)
        with Store.opened(settings.ledger, create=False) as store:
            rows = open_rows(store, run)
            first = next(rows, None)
            if first is None:
                raise Unusable(f"no row of run {origin} waits for a decision")
            write_rows(input_path, chain([first], rows), reason)
    summary = onboard("decide", input_path, settings, the_clock(), progress=progress_of(settings, given))
    keep_retention(settings, given)
    show(summary, settings, given)
