"""The beginning of a run: its number, what may stop it, and its row in the ledger."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from jobs.clock import Clock, milliseconds
from jobs.engine.stops import ErrorBudget, Stops, next_showing
from jobs.ledger.origin import MOVED_FROM
from jobs.ledger.rows import RunRow
from jobs.reports.folder import safe_run_id
from jobs.run.checks import check_maker_checker
from jobs.run.context import Given, RunContext
from jobs.run.facts import run_facts
from jobs.run.lead import shared
from jobs.run.place import Place
from jobs.run.planned import FACT
from jobs.run.ray_engine import cluster
from jobs.run.session import Session, place_before
from jobs.run.wiring import api_user
from jobs.settings.settings import Settings
from jobs.storage.address import named
from jobs.storage.arrival import arrival_of, recorded


def run_id_of(settings: Settings, clock: Clock) -> str:
    """The number that the operator gave, else a new one. Raises Unusable for one that can't name a folder."""
    return safe_run_id(settings.run_id or new_run_id(clock))


def new_run_id(clock: Clock) -> str:
    """Sorts by time: `20261121T021500Z-7f3a`."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{clock.random.getrandbits(16):04x}"


def engine_of(settings: Settings) -> AbstractContextManager[None]:
    """What the workers of a run need for as long as it lasts: a cluster, where they are on one. Raises Unusable."""
    return cluster(settings) if settings.engine == "ray" and shared(settings) else nullcontext()


def stops_of(settings: Settings, clock: Clock, asked: Callable[[], bool] | None = None) -> Stops:
    """What the operator lets a run be stopped by. The deadline is the next one from now on."""
    due = None if settings.deadline is None else next_showing(settings.deadline, clock.now())
    return Stops(breaker=settings.breaker, same_cause=settings.same_cause, due=due, asked=asked)


def begun(run_id: str, given: Given, place: Place, session: Session, stops: Stops) -> RunContext:
    """The run as its stages share it; nothing of it is in the ledger yet. Raises Unusable.

    What the operator may not decide alone is refused here, and what people decided is checked against the ledger.
    """
    settings = given.settings
    stops.budget = ErrorBudget.given(settings.max_errors, given.batch.validated.accepted_rows)
    for note in check_maker_checker(given.batch, settings):
        stops.note(note)
    session.store.hear(stops.signalled.is_set)
    before, told = place_before(settings, session.store)
    if told is not None:
        stops.note(told)
    run = run_row(run_id, given, place.clock.now(), before)
    decided = given.resolutions.open(session.store, session.space_id) if given.resolutions else ()
    return RunContext(given, place, session, run, stops, decided)


def run_row(run_id: str, given: Given, began: datetime, moved_from: str | None) -> RunRow:
    """The run as it begins. `moved_from`: the origin under which the ledger knew its target before."""
    settings, batch, control = given.settings, given.batch, given.control
    facts = run_facts() | {"api_user": api_user(settings)} | ({"control_record": control.facts()} if control else {})
    facts |= {"input_object": came.facts()} if (came := arrival_of(batch.file.path)) else {}
    if settings.egress_agreement is not None:
        facts |= {"limit": {"for_each": "egress address", "agreement": settings.egress_agreement}}
    facts |= {FACT: given.plan.facts()} if given.plan else {}
    return RunRow(
        run_id=run_id,
        system=settings.job_name.ledger_system,
        tenant=settings.need("tenant"),
        command=given.command,
        input_path=recorded(batch.file.path),
        input_sha256=batch.file.sha256,
        rows=batch.rows,
        folder=named(settings.out / run_id),
        settings=settings.shown(),
        facts=facts | ({MOVED_FROM: moved_from} if moved_from else {}),
        started_ms=milliseconds(began),
        ended_ms=None,
        exit_code=None,
        summary=None,
    )
