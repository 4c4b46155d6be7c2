"""`muster status`: where a run stands, once or again and again."""

import shutil
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import chosen_run, draw_over, effective, ledger_there, options, say, show_json, the_clock
from jobs.commands.run_name import RUN_OR_FOLDER
from jobs.printable import printable

if TYPE_CHECKING:
    from jobs.ledger.going_on import GoingOn
    from jobs.ledger.lease import Holding
    from jobs.ledger.open_rows import Standing
    from jobs.ledger.rows import RunRow


QUIET_SECONDS = 15
"""Chosen: a run that writes nothing for so long waits for something."""

WATCH_SECONDS = 2.0
"""Between two looks of `--watch` (chosen): each costs the ledger some hundredths of a second."""


@click.command("status")
@click.argument("run_id_before", type=RUN_OR_FOLDER, metavar="[RUN|BATCH]", required=False)
@click.option("--watch", is_flag=True, help="Look again every two seconds, until the run ends; from any terminal.")
@click.option("--row", type=click.IntRange(1), metavar="N", help="Tell what happened to source row N in this run.")
@options("ledger", "output")
def command(run_id_before: str | None, watch: bool, row: int | None, **given: Any) -> None:
    """Show where RUN stands, also while it works; the newest one by default.

    BATCH, all runs over one file, is closed when nothing is open: its path or name, or the beginning of its SHA-256 (8
    digits or more).

    \b
    Examples:
      muster status
      muster status --watch
      muster status 20261121T021500Z-7f3a --row 17
      muster status 20261121T021500Z-7f3a --output json
      muster status customers.csv
    """
    settings = effective(given)
    if watch and settings.output == "json":
        raise click.UsageError("--watch is for people; a program asks for --output json as often as it likes")
    if row is None and run_id_before and (files := batches(settings.ledger, run_id_before)):
        _show_batches(settings.ledger, files, settings.output)
        return
    run = chosen_run(settings.ledger, run_id_before)
    if row is not None:
        _show_story(settings.ledger, run, row, settings.output)
        return
    document = _document(settings.ledger, run)
    if settings.output == "json":
        show_json(document)
        return
    if watch:
        document = _watched(settings.ledger, document)
    say(_text(document))


def _show_story(ledger: str, run: "RunRow", row: int, output: str) -> None:
    """What happened to one row, oldest first: each event in words, with its time."""
    from jobs.ledger.store import Store
    from jobs.operations.story import story

    with Store.opened(ledger, create=False) as store:
        told = story(store, run.run_id, row)
    if output == "json":
        show_json({"schema_version": 1, "run_id": run.run_id, "source_row": row, "events": told})
        return
    say(f"Row {row} of run {run.run_id}" + ("" if told else ": the ledger knows nothing of it"))
    for each in told:
        say(f"  {each['at']}  {each['words']}")


def _watched(ledger: str, document: dict[str, Any]) -> dict[str, Any]:
    """Shows a run until it works no more, and gives how it stands then. A terminal is drawn over, a file gets lines."""
    drawn, before = 0, ""
    while document["state"] in {"running", "unclear"}:
        text = _text(document)
        if sys.stdout.isatty():
            draw_over(drawn, _narrow(text))
            drawn = text.count("\n") + 1
        elif text != before:
            say(text)
        before = text
        the_clock().wait(WATCH_SECONDS)
        document = _document(ledger, chosen_run(ledger, document["run_id"]))
    if drawn:
        draw_over(drawn)
    return document


def _narrow(text: str) -> str:
    """`text` with no line wider than the terminal, so that lines drawn are lines counted."""
    width = shutil.get_terminal_size().columns
    return "\n".join(printable(line)[:width] for line in text.split("\n"))


def batches(ledger: str, named: str) -> "list[Standing]":
    """The files that the ledger knows by this path, name or beginning of their SHA-256; none where it is a run."""
    from jobs.ledger.open_rows import standings
    from jobs.ledger.store import Store
    from jobs.privacy.file_names import is_shown_as

    ledger_there(ledger)
    with Store.opened(ledger, create=False) as store:
        files = [] if store.run(named) is not None else standings(store)
    digits = len(named) >= 8 and set(named) <= set("0123456789abcdef")
    return [
        each
        for each in files
        if any(is_shown_as(named, run.input_path) for run in each.runs)
        or (digits and each.runs[0].input_sha256.startswith(named))
    ]


def _show_batches(ledger: str, files: "list[Standing]", output: str) -> None:
    from jobs.commands.open import document, text
    from jobs.ledger.store import Store
    from jobs.operations.open_items import gathered

    with Store.opened(ledger, create=False) as store:
        found = gathered(store, the_clock(), files)
    runs = [run for each in files for run in each.runs]
    if output == "json":
        state = "closed" if found.none else "open"
        show_json({"schema_version": 1, "state": state, "batches": list(map(_batch, files)), **document(found)})
        return
    closed = "closed, " if found.none else ""
    say(f"{runs[-1].input_path}: {closed}{len(runs)} runs, the newest {runs[-1].run_id}")
    say(text(found))


def _batch(standing: "Standing") -> dict[str, Any]:
    run = standing.runs[-1]
    return {
        "input": {"path": run.input_path, "sha256": run.input_sha256, "rows": run.rows},
        "system": run.system,
        "tenant": run.tenant,
        "runs": [{"run_id": each.run_id, "exit_code": each.exit_code} for each in standing.runs],
    }


def _document(ledger: str, run: "RunRow") -> dict[str, Any]:
    from jobs.clock import from_milliseconds, iso, milliseconds
    from jobs.ledger.going_on import going_on
    from jobs.ledger.lease import working
    from jobs.ledger.shards import shards_of
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
        busy = going_on(store, run, now) if state in {"running", "unclear"} else None
        shards = Counter(shard.state.value for shard in shards_of(store, run.run_id)) if busy else Counter()
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
        "going_on": None if busy is None else _going_on(busy, now),
        "shards": dict(sorted(shards.items())) or None,
        "pending_ageing": ages,
        "failed_checks": checks,
        "next_command": (run.summary or {}).get("next_command") if state == "ended" else f"muster resume {run.run_id}",
    }


def _going_on(busy: "GoingOn", now_ms: int) -> dict[str, Any]:
    """What a run at work does, as the JSON document has it."""
    from jobs.clock import from_milliseconds, iso

    until, newest = busy.paused_until_ms, busy.newest_ms
    return {
        "under_way": busy.under_way,
        "decisions_outstanding": busy.outstanding,
        "calls_last_minute": busy.calls,
        "rows_last_minute": busy.ended,
        "idle_seconds": None if newest is None else max(0, (now_ms - newest) // 1000),
        "paused_until": None if until is None else iso(from_milliseconds(until)),
    }


def _busy(document: dict[str, Any]) -> list[str]:
    """The same for people, with how far it is and the time left at the pace of the last minute."""
    from jobs.face import span

    busy, rows, open_rows = document["going_on"], document["input"]["rows"], document["rows_left"]
    pace = busy["rows_last_minute"]
    left = f", {span(60 * open_rows / pace)} left" if pace and open_rows else ""
    lines = [f"{rows - open_rows:,} of {rows:,} rows ({100 * (rows - open_rows) // max(1, rows)} %){left}"]
    parts = [f"last minute: {pace:,} rows, {busy['calls_last_minute']:,} calls", f"{busy['under_way']:,} unanswered"]
    outstanding = busy["decisions_outstanding"]
    parts += [f"{outstanding:,} decisions outstanding"] if outstanding else []
    lines.append(" · ".join(parts))
    if busy["paused_until"]:
        lines.append(f"waits: the target asked for no calls until {busy['paused_until']}")
    elif open_rows and (busy["idle_seconds"] or 0) >= QUIET_SECONDS:
        lines.append(f"waits: nothing has happened for {busy['idle_seconds']:,} s (an outage, a limit, or decisions)")
    return lines


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
    if document["going_on"]:
        lines += [f"  {line}" for line in _busy(document)]
    if document["shards"]:
        lines.append("  shards: " + ", ".join(f"{count:,} {state}" for state, count in document["shards"].items()))
    lines += [f"  {rows:>9,}  {outcome}" for outcome, rows in document["outcomes"].items()]
    if document["rows_left"]:
        lines.append(f"  {document['rows_left']:>9,}  not settled yet")
    lines += [f"  {rows:>9,}  pending {age}" for age, rows in document["pending_ageing"].items() if rows]
    lines += [f"  {rows:>9,}  failed {check}" for check, rows in document["failed_checks"].items()]
    if document["next_command"] and document["state"] != "running":
        lines.append(f"  next: {document['next_command']}")
    return "\n".join(lines)
