"""`muster runs`: the list of runs."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import effective, no_ledger, options, say, show_json, the_clock

if TYPE_CHECKING:
    from jobs.ledger.rows import RunRow
    from jobs.ledger.store import Store


@click.command("runs")
@click.option("-n", "--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@options("ledger", "output")
def command(last: int, **given: Any) -> None:
    """List the runs that the ledger knows, the newest first.

    \b
    Example:
      muster runs --last 5
    """
    from jobs.ledger.place import place_of

    settings = effective(given)
    listed = _listed(settings.ledger, last) if place_of(settings.ledger).exists() else []
    if settings.output == "json":
        show_json({"schema_version": 1, "ledger": place_of(settings.ledger).whole_name, "runs": listed})
        return
    for run in listed:
        state = f"exit {run['exit_code']}" if run["state"] == "ended" else run["state"]
        onward = f"  (gone on with by {run['continued_by']})" if run["continued_by"] else ""
        say(f"{run['run_id']}  {run['command']:<8} {state:<11} {run['rows']:>9,} rows  {run['input']}{onward}")
    if listed:
        return
    if place_of(settings.ledger).exists():
        say(f"no runs yet in {place_of(settings.ledger).whole_name}", err=True)
    else:
        words, hint = no_ledger(place_of(settings.ledger))
        say(f"no runs yet: {words}; {hint}", err=True)


def _listed(ledger: str, last: int) -> list[dict[str, Any]]:
    from jobs.clock import from_milliseconds, iso, milliseconds
    from jobs.commands.status import state_of
    from jobs.ledger.lease import working
    from jobs.ledger.store import Store

    with Store.opened(ledger) as store:
        found = store.runs(last)
        now = milliseconds(the_clock().now())
        open_runs = [run for run in found if run.ended_ms is None]
        owners = {(run.system, run.tenant): working(store, run.system, run.tenant, now) for run in open_runs}
        states = {run.run_id: state_of(run, owners[run.system, run.tenant]) for run in open_runs}
        onward = {run.run_id: _continued_by(store, run) for run in open_runs if states[run.run_id] == "interrupted"}
    return [
        {
            "run_id": run.run_id,
            "command": run.command,
            "system": run.system,
            "tenant": run.tenant,
            "started_at": iso(from_milliseconds(run.started_ms)),
            "state": states.get(run.run_id, "ended"),
            "continued_by": onward.get(run.run_id),
            "exit_code": run.exit_code,
            "rows": run.rows,
            "input": run.input_path,
        }
        for run in found
    ]


def _continued_by(store: "Store", run: "RunRow") -> str | None:
    """The newest later run over the same input, which settled what the interrupted one left; None: there is none."""
    batch = [each.run_id for each in store.runs_of_batch(run)]
    return batch[-1] if batch[-1] != run.run_id else None
