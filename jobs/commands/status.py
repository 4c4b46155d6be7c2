"""`muster status`: where a run stands."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import chosen_run, effective, options, say, show_json, the_clock

if TYPE_CHECKING:
    from jobs.ledger.lease import Holding
    from jobs.ledger.rows import RunRow


@click.command("status")
@click.argument("run_id_before", metavar="[RUN]", required=False)
@options("ledger", "output")
def command(run_id_before: str | None, **given: Any) -> None:
    """Show where RUN stands; the newest one by default.

    \b
    Examples:
      muster status
      muster status 20261121T021500Z-7f3a --output json
    """
    settings = effective(given)
    document = _document(settings.ledger, chosen_run(settings.ledger, run_id_before))
    if settings.output == "json":
        show_json(document)
    else:
        say(_text(document))


def _document(ledger: str, run: "RunRow") -> dict[str, Any]:
    from jobs.clock import from_milliseconds, iso, milliseconds
    from jobs.ledger.lease import working
    from jobs.ledger.store import Store
    from jobs.ledger.totals import failed_checks
    from jobs.reports.summary import ageing

    with Store.opened(ledger, create=False) as store:
        outcomes = {outcome.value: rows for outcome, rows in sorted(store.outcome_counts(run.run_id).items())}
        now = milliseconds(the_clock().now())
        owner = working(store, run.system, run.tenant, now)
        checks = failed_checks(store, run.run_id)
        ages = ageing((now - since) / 1000 for since in store.undecided_since(run.run_id))
    state = "ended" if run.ended_ms is not None else state_of(run, owner)
    return {
        "schema_version": 1,
        "run_id": run.run_id,
        "command": run.command,
        "system": run.system,
        "tenant": run.tenant,
        "state": state,
        "owner": owner.words if owner and state in {"running", "unclear"} else None,
        "started_at": iso(from_milliseconds(run.started_ms)),
        "ended_at": None if run.ended_ms is None else iso(from_milliseconds(run.ended_ms)),
        "exit_code": run.exit_code,
        "input": {"path": run.input_path, "sha256": run.input_sha256, "rows": run.rows},
        "folder": run.folder,
        "outcomes": outcomes,
        "rows_left": run.rows - sum(outcomes.values()),
        "pending_ageing": ages,
        "failed_checks": checks,
        "next_command": (run.summary or {}).get("next_command") if state == "ended" else f"muster resume {run.run_id}",
    }


def state_of(run: "RunRow", owner: "Holding | None") -> str:
    """How a run stands that has not ended; `unclear`: it may work elsewhere, but its last heartbeat is old."""
    if owner is None or owner.run_id != run.run_id:
        return "interrupted"
    return "running" if owner.lives or owner.recent() else "unclear"


def _text(document: dict[str, Any]) -> str:
    ended = f"ended {document['ended_at']} with {document['exit_code']}" if document["ended_at"] else document["state"]
    lines = [
        f"Run {document['run_id']}: {document['command']}, {document['system']}, tenant {document['tenant']}",
        f"  {ended}; began {document['started_at']}; {document['input']['rows']:,} rows of {document['input']['path']}",
    ]
    if document["owner"]:
        lines.append(f"  {document['owner']}")
    lines += [f"  {rows:>9,}  {outcome}" for outcome, rows in document["outcomes"].items()]
    if document["rows_left"]:
        lines.append(f"  {document['rows_left']:>9,}  not settled yet")
    lines += [f"  {rows:>9,}  pending {age}" for age, rows in document["pending_ageing"].items() if rows]
    lines += [f"  {rows:>9,}  failed {check}" for check, rows in document["failed_checks"].items()]
    if document["next_command"] and document["state"] != "running":
        lines.append(f"  next: {document['next_command']}")
    return "\n".join(lines)
