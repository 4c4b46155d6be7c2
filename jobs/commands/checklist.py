"""`muster checklist`: what is verified of each row before its onboarding is complete."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import chosen_run, effective, options, say, show_json
from jobs.commands.run_name import RUN
from jobs.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.ledger.rows import RunRow
    from jobs.operations.checklist import Checked


@click.command("checklist")
@click.argument("run_id_before", type=RUN, metavar="[RUN]", required=False)
@click.option("--missing", is_flag=True, help="Show only rows that lack something.")
@options("ledger", "output")
def command(run_id_before: str | None, missing: bool, **given: Any) -> None:
    """Show for each row of RUN whether customer, decision, allowed wallet type and wallet are there.

    \b
    Examples:
      muster checklist
      muster checklist 20261121T021500Z-7f3a --missing

    It is read from the ledger: nothing is sent. A system without wallets has no such items. Ends with 1 when a row
    lacks something, with 5 when nothing is lacking but decisions that are outstanding: look again in 30 to 60 seconds.
    """
    settings = effective(given)
    lacking: list[bool] = []
    shown: list[Checked] = []
    for row in _rows(settings.ledger, chosen_run(settings.ledger, run_id_before)):
        if row.missing:
            lacking.append(row.waits)
        if row.missing or not missing:
            shown.append(row)
    if settings.output == "json":
        show_json({"schema_version": 1, "rows": [document(row) for row in shown]})
    else:
        for row in shown:
            say(line(row))
    if lacking:
        raise click.exceptions.Exit(ExitCode.PENDING if all(lacking) else ExitCode.ATTENTION)


def _rows(ledger: str, run: "RunRow") -> "Iterator[Checked]":
    from jobs.ledger.store import Store
    from jobs.operations.checklist import checklist

    with Store.opened(ledger, create=False) as store:
        yield from checklist(store, run)


def document(row: "Checked") -> dict[str, object]:
    """A row as JSON."""
    return {
        "source_row": row.source_row,
        "row_ref": row.row_ref,
        "outcome": row.outcome.value,
        "customer_id": row.customer_id,
        "decision_status": row.decision,
        "items": dict(row.items),
        "missing": row.missing,
    }


def line(row: "Checked") -> str:
    """A row as people read it."""
    from jobs.printable import printable

    items = "  ".join(f"{name} {found}" for name, found in row.items.items())
    status = f" ({printable(row.decision)})" if row.decision else ""
    return f"{row.source_row:>7}  {printable(row.row_ref or '-'):<20} {row.outcome:<18} {items}{status}"
