"""`muster close`: a person's last word about rows that stay as they are."""

from datetime import datetime
from typing import Any

import click

from jobs.commands.kyc import numbers
from jobs.commands.options import chosen_run, effective, options, say, show_json, the_clock
from jobs.commands.run_name import RUN

LONGEST = 200
"""Characters of a reason or a name that are kept; chosen."""


@click.command("close")
@click.argument("run_id_before", type=RUN, metavar="RUN")
@click.option("--rows", metavar="N,N", callback=numbers, help="Only these rows of RUN, by their source_row.")
@click.option("--outcome", "named", metavar="NAMES", help="Only rows that ended so (comma-separated).")
@click.option("--reason-code", "code", metavar="CODE", help="Only rows with this reason code.")
@click.option(
    "--as", "choice", type=click.Choice(("known", "waiting", "give_up", "open")), required=True, help="What they are."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the ledger, so without personal data.")
@click.option("--by", metavar="NAME", help="Who says so.  [default: the user of the operating system]")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="From then on they are open again."
)
@click.option("--owner", metavar="NAME", help="Who has to act, for muster open.")
@options("ledger", "output")
def command(
    run_id_before: str,
    choice: str,
    reason: str,
    by: str | None,
    until: datetime | None,
    owner: str | None,
    **given: Any,
) -> None:
    """Close open rows of RUN: they are known, wait for somebody, or are given up. Nothing is sent or stopped by it.

    A closed row counts as settled in muster open, in the exit code of later runs and in their reports, as long as it
    ends with the same outcome and reason; --as open opens it again. Who said what, when and why stays in the ledger.

    \b
    Examples:
      muster close 20261121T021500Z-7f3a --rows 7,9 --as known --reason "left the bank in May"
      muster close 20261121T021500Z-7f3a --outcome declined --as give_up --reason "letter sent" --by "T. Nkosi"
      muster close 20261121T021500Z-7f3a --rows 12 --as waiting --reason "ticket 4711" --owner bank --until 2026-12-31
    """
    from jobs.clock import from_milliseconds, milliseconds
    from jobs.commands.mend import outcomes_named
    from jobs.errors import Unusable
    from jobs.ledger.dispositions import Disposition, dispose
    from jobs.ledger.open_rows import left_open
    from jobs.ledger.store import Store
    from jobs.os_user import os_user
    from jobs.privacy import masking

    settings = effective(given)
    run = chosen_run(settings.ledger, run_id_before)
    rows, named, code = given["rows"], given["named"], given["code"]
    wanted = None if named is None else outcomes_named(named)
    if rows is None and named is None and code is None:
        raise Unusable("which rows?", hint="--rows N,N, --outcome NAMES or --reason-code CODE")
    now_ms = milliseconds(the_clock().now())
    until_ms = None if until is None else milliseconds(until.astimezone())
    if until_ms is not None and until_ms <= now_ms:
        raise Unusable("--until is not in the future")
    texts = [masking.text(text)[:LONGEST] for text in (reason, by or os_user(), owner or "")]
    if not all(text.strip() for text in texts[:2]):
        raise Unusable("--reason and --by can't be empty")
    with Store.opened(settings.ledger, create=False) as store:
        found = [
            row
            for row in left_open(store, [run.run_id])
            if (rows is None or row.source_row in rows)
            and (wanted is None or row.outcome in wanted)
            and (code is None or code in {row.cause, row.cause.partition(":")[0]})
        ]
        if rows is not None and (absent := sorted(rows - {row.source_row for row in found})):
            raise Unusable(f"row {absent[0]} of run {run.run_id} is not open", hint=f"muster status {run.run_id}")
        count = dispose(store, found, Disposition(choice, texts[0], texts[1], now_ms, until_ms, texts[2] or None))
    if settings.output == "json":
        show_json({"schema_version": 1, "run_id": run.run_id, "as": choice, "rows": count})
    elif not given["quiet"]:
        ending = f" until {from_milliseconds(until_ms):%Y-%m-%d}" if until_ms is not None else ""
        say(f"{count:,} rows of run {run.run_id}: {choice}{ending}, says {texts[1]}")
