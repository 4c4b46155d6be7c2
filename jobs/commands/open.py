"""`muster open`: what is still open over all runs."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import effective, ledger_there, options, say, show_json, the_clock

if TYPE_CHECKING:
    from jobs.operations.open_items import OpenItems


@click.command("open")
@click.option("--closed", is_flag=True, help="List the rows that somebody closed, with who and why, instead.")
@click.option("--all-tenants", is_flag=True, help="Of all systems and tenants of the ledger.")
@options("system", "tenant", "ledger", "output")
def command(closed: bool, all_tenants: bool, **given: Any) -> None:
    """List what is still open over all runs of the tenant: by cause, with age, owner and the next command.

    A row is open until it is complete (by whatever run or file), corrected in a file of muster mend, given up, or
    closed with muster close. Without --tenant, and with --all-tenants, all tenants of the ledger are listed.

    \b
    Examples:
      muster open --tenant 1001
      muster open --all-tenants --output json
      muster open --closed
    """
    from jobs.ledger.open_rows import standings
    from jobs.ledger.store import Store
    from jobs.operations.open_items import closed_rows, gathered

    settings = effective(given)
    ledger_there(settings.ledger)
    one = settings.tenant is not None and not all_tenants
    place = (settings.job_name.ledger_system, settings.tenant) if one else (None, None)
    with Store.opened(settings.ledger, create=False) as store:
        files = standings(store, *place)
        if closed:
            _show_closed(closed_rows(store, the_clock(), files), settings.output)
            return
        found = gathered(store, the_clock(), files)
    if settings.output == "json":
        show_json({"schema_version": 1, **document(found)})
    else:
        say(text(found))


def document(found: "OpenItems") -> dict[str, Any]:
    """What is open, for programs."""
    from jobs.clock import from_milliseconds, iso

    return {
        "rows": found.rows,
        "closed_rows": found.closed,
        "open": [
            {
                "system": group.system,
                "tenant": group.tenant,
                "outcome": group.outcome,
                "reason_code": group.reason_code or None,
                "rows": group.rows,
                "owner": group.owner,
                "since": iso(from_milliseconds(group.since_ms)),
                "runs": dict(sorted(group.runs.items())),
                "examples": [{"run_id": run_id, "source_row": row} for run_id, row in group.examples],
                "next_commands": [step.command for step in group.commands],
            }
            for group in found.groups
        ],
        "interrupted": [
            {"run_id": run.run_id, "next_command": f"muster resume {run.run_id}"} for run in found.interrupted
        ],
    }


def text(found: "OpenItems") -> str:
    """The same for people."""
    from jobs.printable import printable

    if found.none:
        return f"nothing is open{f'; {found.closed:,} rows were closed by people' if found.closed else ''}"
    lines, place = [], None
    now = the_clock().now()
    for group in found.groups:
        if place != (place := (group.system, group.tenant)):
            rows = sum(each.rows for each in found.groups if (each.system, each.tenant) == place)
            lines.append(f"{group.system}, tenant {group.tenant}: {rows:,} rows open")
        cause = f"{group.outcome}, {group.reason_code}" if group.reason_code else group.outcome
        lines.append(
            f"  {group.rows:>9,}  {printable(cause)}  since {age(group.since_ms, now)}, {printable(group.owner)}"
        )
        lines += [f"             {step.command}" for step in group.commands[:3]]
        if len(group.commands) > 3:
            lines.append(f"             and {len(group.commands) - 3} more runs: --output json names them")
    lines += [f"  interrupted: muster resume {run.run_id}" for run in found.interrupted]
    if found.closed:
        lines.append(f"  {found.closed:>9,}  closed by people (muster open --closed)")
    return "\n".join(lines)


def age(since_ms: int, now: Any) -> str:
    """How long ago: `3 days`, `5 h`, `12 min`."""
    from jobs.clock import milliseconds

    minutes = max(0, milliseconds(now) - since_ms) // 60_000
    if minutes >= 2 * 1440:
        return f"{minutes // 1440:,} days"
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"


def _show_closed(found: Any, output: str) -> None:
    from jobs.clock import from_milliseconds, iso
    from jobs.printable import printable

    rows = [
        {
            "run_id": row.run_id,
            "source_row": row.source_row,
            "outcome": row.outcome,
            "reason_code": row.reason_code,
            "as": word.choice,
            "reason": word.reason,
            "decided_by": word.decided_by,
            "at": iso(from_milliseconds(word.at_ms)),
            "until": None if word.until_ms is None else iso(from_milliseconds(word.until_ms)),
        }
        for _, row, word in found
    ]
    if output == "json":
        show_json({"schema_version": 1, "closed": rows})
        return
    for each in rows:
        until = f" until {each['until']}" if each["until"] else ""
        told = f"{each['as']}{until}, by {each['decided_by']} at {each['at']}: {each['reason']}"
        say(printable(f"{each['run_id']} row {each['source_row']} ({each['outcome']}): {told}"))
    if not rows:
        say("no row was closed", err=True)
