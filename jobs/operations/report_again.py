"""The files of a run, made again from the ledger and the input."""

from contextlib import ExitStack
from dataclasses import replace

from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.intake.workspace import workspace
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.progress import Progress
from jobs.publishing.findings import Findings
from jobs.publishing.publish import publish
from jobs.reports.summary import Summary
from jobs.run.place import Place
from jobs.run.read_input import read_again
from jobs.settings.settings import Settings


def report_again(run: RunRow, settings: Settings, clock: Clock, *, progress: Progress | None = None) -> Summary:
    """Makes the files of `run` again, in its folder, from the ledger and the input. Raises Unusable."""
    found, ended_ms = ended(run)
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.workplace, clock))
        store = stack.enter_context(Store.opened(settings.ledger))
        place = Place(work, clock, progress or Progress())
        batch = read_again(run, settings, place)
        earlier = replace(found, calls=store.calls(run.run_id))
        return publish(store, run, batch, earlier, ended_ms)


def ended(run: RunRow) -> tuple[Findings, int]:
    """What `run` found, and when it ended in milliseconds. Raises Unusable for one that has not ended."""
    if run.ended_ms is None or run.summary is None:
        raise Unusable(f"run {run.run_id} has not ended", hint=f"muster resume {run.run_id}")
    return Findings.of(run.summary), run.ended_ms
