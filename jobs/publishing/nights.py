"""The runs of a tenant out of the ledger, as pages show them beside each other."""

from pathlib import Path
from typing import Any

from jobs.ledger.history import runs_of
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import AGREEING
from jobs.reports.nights import MOST_NIGHTS, Night


def nights_until(store: Store, run: RunRow) -> list[Night]:
    """`run` and the nights before it, the oldest first."""
    return [night_of(store, each) for each in runs_of(store, run.system, run.tenant, MOST_NIGHTS, until=run.run_id)]


def nights_of(store: Store, system: str, tenant: str, most: int) -> list[tuple[Night, str]]:
    """The newest `most` runs in a space, the oldest first, each with its folder."""
    return [(night_of(store, run), run.folder) for run in runs_of(store, system, tenant, most)]


def night_of(store: Store, run: RunRow) -> Night:
    """A run as a night. One that has not ended is counted as the ledger has it now."""
    counts = {name.value: rows for name, rows in store.outcome_counts(run.run_id).items()} if not run.summary else {}
    told: dict[str, Any] = dict(run.summary or {})
    compared: dict[str, int] = told.get("reconciliation") or {}
    return Night(
        run_id=run.run_id,
        command=run.command,
        file=Path(run.input_path).name,
        started_ms=run.started_ms,
        rows=run.rows,
        outcomes=told.get("outcomes") or counts,
        took_ms=None if run.ended_ms is None else max(0, run.ended_ms - run.started_ms),
        exit_code=run.exit_code,
        differences=sum(lines for name, lines in compared.items() if name not in AGREEING),
        limits=told.get("limits"),
    )
