"""`muster runs`: the list of runs."""

from typing import Any

import click

from jobs.commands.options import effective, options, say, show_json


@click.command("runs")
@click.option("-n", "--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@options("ledger", "output")
def command(last: int, **given: Any) -> None:
    """List the runs that the ledger knows, the newest first.

    \b
    Example:
      muster runs --last 5
    """
    from jobs.clock import from_milliseconds, iso
    from jobs.ledger.sqlite import path_of
    from jobs.ledger.store import Store

    settings = effective(given)
    found = []
    if path_of(settings.ledger).exists():
        with Store.opened(settings.ledger) as store:
            found = store.runs(last)
    listed = [
        {
            "run_id": run.run_id,
            "command": run.command,
            "system": run.system,
            "tenant": run.tenant,
            "started_at": iso(from_milliseconds(run.started_ms)),
            "exit_code": run.exit_code,
            "rows": run.rows,
            "input": run.input_path,
        }
        for run in found
    ]
    if settings.output == "json":
        show_json({"schema_version": 1, "runs": listed})
        return
    for run in listed:
        code = "open" if run["exit_code"] is None else run["exit_code"]
        say(f"{run['run_id']}  {run['command']:<8} exit {code!s:<4} {run['rows']:>9,} rows  {run['input']}")
    if not listed:
        say("no runs yet", err=True)
