"""`muster dashboard`: all nights on one page."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import effective, ledger_there, options, say, show_json, the_clock


@click.command("dashboard")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("dashboard.html"),
    show_default=True,
    help="The page; an older one is written over.",
    metavar="FILE",
)
@click.option("-n", "--last", type=click.IntRange(1, 366), default=60, show_default=True, help="Runs of each tenant.")
@click.option("--all-tenants", is_flag=True, help="Of all systems and tenants of the ledger.")
@options("system", "tenant", "ledger", "output")
def command(to: Path, last: int, all_tenants: bool, **given: Any) -> None:
    """Make one page of all nights: what is open, trends, the limit used. From the ledger alone; needs no network.

    Without --tenant, and with --all-tenants, each tenant of the ledger has a section.

    \b
    Examples:
      muster dashboard
      muster dashboard --tenant 1001 --to /srv/www/nights.html --last 30
    """
    from jobs.operations.dashboard import write_dashboard

    settings = effective(given)
    ledger_there(settings.ledger)
    one = settings.tenant is not None and not all_tenants
    place = (settings.job_name.ledger_system, str(settings.tenant)) if one else None
    boards = write_dashboard(settings.ledger, to, the_clock(), last, place)
    if settings.output == "json":
        shown = [
            {"system": each.system, "tenant": each.tenant, "runs": len(each.nights.nights), "open": each.open_rows}
            for each in boards
        ]
        show_json({"schema_version": 1, "file": str(to), "tenants": shown})
    elif not given.get("quiet"):
        runs = sum(len(each.nights.nights) for each in boards)
        say(f"{to}: {runs} runs, {sum(each.open_rows for each in boards):,} rows open")
