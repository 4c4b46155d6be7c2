"""The jobs, each on one page: onboarding (run, resume, retry), reconciling, reporting.

    read and validate -> lease -> log in -> folder -> onboard -> reconcile -> publish

Nothing is sent before the whole file was read and validated; a folder is made only when the target let us in;
reports are made from the ledger; the reconciliation reads the target afresh.
"""

import asyncio
import gc
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import uvloop
from polars.exceptions import PolarsError

from jobs.batch import Batch, read_batch
from jobs.clock import Clock, Stamp, milliseconds
from jobs.disk import unusable
from jobs.earlier import Earlier
from jobs.engine.case import Taking
from jobs.engine.driver import Patience, RowDriver
from jobs.engine.feed import Feed
from jobs.engine.stops import ErrorBudget, Stops, next_showing
from jobs.engine.workers import WorkerPool
from jobs.errors import Unusable
from jobs.intake.control import ControlRecord, control_record
from jobs.intake.workspace import workspace
from jobs.keys import Pseudonyms
from jobs.ledger import lease
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.origin import MOVED_FROM
from jobs.ledger.rows import RunRow, Transition
from jobs.ledger.sqlite import path_of
from jobs.ledger.store import Store
from jobs.ledger.writer import Writer
from jobs.progress import Progress
from jobs.publishing.publish import Findings, publish, signing
from jobs.reconciliation.resolutions import prove, rows_of
from jobs.reports.folder import RunFolder, safe_run_id
from jobs.reports.summary import Summary
from jobs.run.admission import check_maker_checker
from jobs.run.ask_again import Candidate, Retrigger
from jobs.run.canary import send_first, with_default_canary
from jobs.run.context import Resolutions, RunContext
from jobs.run.cut_short import cut_short
from jobs.run.delivery import check_password_delivery, passwords_of
from jobs.run.facts import run_facts
from jobs.run.fresh_read import judge_canary, reread_if_possible
from jobs.run.privileges import check_privileged_rows
from jobs.run.signals import Signals, apart
from jobs.run.target import same_target
from jobs.run.throttling import Throttling, span
from jobs.run.wiring import connected, credential_of, keys_of, outage_of, system_of
from jobs.settings.settings import Settings, pseudonym_key
from jobs.systems.messages import CallClass
from jobs.transport.address import origin_of
from jobs.transport.client import Client
from jobs.transport.limiter import Window
from jobs.transport.quota import SharedWindow

SET_CLOCK_MS = 10_000
"""Chosen: a clock that is corrected by less confuses nobody who reads the files of a run."""


def onboard(
    command: str,
    path: Path,
    settings: Settings,
    clock: Clock,
    *,
    taking: Taking | None = None,
    sha256: str | None = None,
    decisions: Resolutions | None = None,
    again: Retrigger | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Takes `path` through all stages and gives the summary as it was written.

    `taking`: which outcomes of earlier runs it goes on with. `sha256`: what the file must be (resume, retry); None:
    whatever it is. `decisions`, and what is asked `again`, are checked before anything is sent.
    Raises Unusable, Locked, and NotPermitted and Unreachable at the first login; then there is no run folder. Raises
    what `cut_short` makes of it when ledger or disk fail later.
    """
    progress = progress or Progress()
    due = None if settings.deadline is None else next_showing(settings.deadline, clock.now())
    system = system_of(settings, path.parent, passwords=passwords_of(settings))
    settings = with_default_canary(settings, system.capabilities)
    credential_of(settings)
    signing()
    settings.need("base_url")
    same_target(settings)  # before a large file is read
    run_id = safe_run_id(settings.run_id or new_run_id(clock))
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        work = stack.enter_context(workspace(settings.out, clock, stays=lambda: not signals.came, tell=progress.note))
        batch = read(path, settings, work, clock, progress, Earlier.of(settings))
        same_input(batch, sha256)
        check_password_delivery(batch, settings)
        check_privileged_rows(batch, settings)
        control = control_record(batch.staged, settings.control)
        store = stack.enter_context(Store.opened(settings.ledger))
        store.know_key(pseudonyms_of(settings, make=not store.knows_key()).of("key", "check"))
        space_id = store.space(settings.job_name.ledger_system, settings.need("tenant"))
        owner = lease.Owner.me(run_id)
        epoch = stack.enter_context(
            lease.held(store, space_id, owner, settings.lock_timeout, clock, tell=progress.note)
        )
        stops = policies(settings, batch)
        stops.due = due
        store.hear(stops.signalled.is_set)
        discard_drafts(store, space_id)
        if (before := same_target(settings, store)) is not None:
            known = "--moved-from" if settings.moved_from else "as its newest run says; taken for the same target"
            stops.note(f"the ledger knew this target as {before} ({known})")
        run = run_row(command, run_id, path, batch, settings, clock, control, before)
        decided = decisions.open(store, space_id) if decisions else ()
        context = RunContext(
            settings,
            system,
            batch,
            store,
            run,
            space_id,
            epoch,
            work,
            clock,
            progress,
            stops,
            decisions,
            decided,
            again,
        )
        signals.hand_over(stops)
        try:
            findings = finish(online(context, taking or Taking(), signals))
            folder, ended_ms = RunFolder.existing(Path(run.folder)), milliseconds(clock.now())
            return publish(store, run, batch, folder, findings, ended_ms, hurried=stops.signalled.is_set())
        except (LedgerBroken, OSError, ImportError, MemoryError, PolarsError) as error:
            told = cut_short(context, taking or Taking(), error)
            if told is None:
                raise
            raise told from error


def policies(settings: Settings, batch: Batch) -> Stops:
    """What the operator lets the run be stopped by. Raises Unusable for decisions that are not theirs to give."""
    budget = ErrorBudget.given(settings.max_errors, batch.validated.accepted_rows)
    stops = Stops(budget=budget, breaker=settings.breaker, same_cause=settings.same_cause)
    for note in check_maker_checker(batch, settings):
        stops.note(note)
    return stops


async def online(context: RunContext, taking: Taking, signals: Signals) -> Findings:
    """What needs the target: onboarding, then a fresh read of what the ledger claims."""
    signals.listen(asyncio.get_running_loop())
    settings, clock, began = context.settings, context.clock, context.clock.stamp()
    outage = outage_of(settings, clock, context.progress.note)
    try:
        async with AsyncExitStack() as stack:
            throttling = Throttling(context.stops, context.progress, clock)
            given, hear = credential_of(settings), throttling.heard
            opening = connected(settings, context.system, given, clock, store=context.store, outage=outage, hear=hear)
            client = await context.unless_signalled(stack.enter_async_context(opening))
            throttling.begin(tuple(client.limiters.values()))
            window = client.limiters[CallClass.WRITE].window
            if window is not None:
                tell_kept(window, context.progress)
            asked = await checked_first(context, client)
            folder = RunFolder.create(Path(context.run.folder))
            begin, target = context.store.begin_run, origin_of(settings.need("base_url"))
            await asyncio.to_thread(begin, context.space_id, context.run, target)
            try:
                await send(context, taking, client, asked)
            finally:
                context.calls.update(client.calls)
            throttling.note()
        note_clock(context, began)
        seen = await reread_if_possible(context, outage)
        if outage.waited:
            context.stops.note(f"the target did not answer for {outage.waited:,.0f} s in all, and was waited for")
        context.leave_to_resume()
        await asyncio.to_thread(context.store.add_calls, context.run.run_id, context.calls)
        return Findings(
            codes=frozenset(context.stops.codes),
            notes=context.stops.notes,
            repeated_writes=client.repeated_writes,
            calls=context.calls,
            steps=tuple(step.name for step in context.system.steps),
            limit=window.most if window else None,
            **seen.written(folder),
        )
    finally:
        signals.deaf()


def tell_kept(window: Window, progress: Progress) -> None:
    """Says that the run begins below its limit, or behind calls of others, where it does."""
    if isinstance(window, SharedWindow) and window.undated:
        progress.note(
            f"{window.undated} calls were made before this machine was started, or by another one: they count as just "
            f"made, so that the first of this run may wait up to {window.rate.seconds:g} s"
        )
    if window.rate != window.most:
        most, rate = (f"{each.calls} calls in {each.seconds:g} s" for each in (window.most, window.rate))
        progress.note(f"the target has refused {most}: beginning with {rate}, as learned earlier")


def note_clock(context: RunContext, began: Stamp) -> None:
    """Lets the report say that the wall clock was set while the run worked: its times jump there."""
    now = context.clock.stamp()
    set_by = (now.wall_ms - began.wall_ms) - (now.up_ms - began.up_ms)
    if abs(set_by) >= SET_CLOCK_MS:
        way = "forward" if set_by > 0 else "back"
        by = span(abs(set_by) / 1000)
        context.stops.note(
            f"the clock of this machine was set {way} by {by} during the run: the times in its files jump"
        )


async def checked_first(context: RunContext, client: Client) -> Sequence[Candidate]:
    """Proves what people decided, and gives the rows that are asked again. Raises Unusable, Interrupted."""
    if context.decisions is not None:
        wanted = rows_of(context.batch, context.decided)
        await context.unless_signalled(prove(context.decisions.path, context.decided, context.system, client, wanted))
    if context.again is None:
        return ()
    return await context.unless_signalled(
        context.again.examined(context.store, context.space_id, context.system, client)
    )


async def send(context: RunContext, taking: Taking, client: Client, asked: Sequence[Candidate]) -> None:
    """Brings every row of the batch to its outcome, in the ledger."""
    settings, stops = context.settings, context.stops
    async with Writer(context.store, context.space_id, context.epoch, context.run.run_id) as writer:
        await record(context, asked, writer)
        with context.progress.stage("onboarding", context.batch.rows) as count:
            patience = Patience(decision_poll=settings.decision_poll, decision_wait=settings.decision_wait)
            engine = RowDriver(context.system, client, writer, stops, context.clock, patience, progress=count)
            feed = Feed(context.batch, writer, engine, context.clock, pseudonyms_of(settings), taking)
            await feed.quarantine()
            with stops.watching(context.clock):
                rows = feed.fresh(settings.limit)
                if settings.canary:
                    first = await send_first(engine, rows, settings.canary, settings.concurrency)
                    await writer.commit(Transition())
                    await judge_canary(context, client, first)
                await WorkerPool(engine).run(rows, settings.concurrency)
            await writer.commit(Transition())
            context.leave_to_resume()
            await feed.sweep()


async def record(context: RunContext, asked: Sequence[Candidate], writer: Writer) -> None:
    """What people decided, and what is asked again, goes into the ledger before any row is begun."""
    now_ms, first = milliseconds(context.clock.now()), context.system.steps[0].name
    decided = (each.transitions(first, now_ms) for each in context.decided)
    for transition in chain.from_iterable(chain(decided, (each.transitions(now_ms) for each in asked))):
        await writer.commit(transition)


def report(run: RunRow, settings: Settings, clock: Clock, *, progress: Progress | None = None) -> Summary:
    """Makes the files of `run` again, in its folder, from the ledger and the input. Raises Unusable."""
    progress = progress or Progress()
    found, ended_ms = ended(run)
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.out, clock))
        store = stack.enter_context(Store.opened(settings.ledger))
        batch = read(Path(run.input_path), settings, work, clock, progress, Earlier.of(settings, run))
        same_input(batch, run.input_sha256)
        earlier = replace(found, calls=store.calls(run.run_id))
        return publish(store, run, batch, RunFolder.existing(Path(run.folder)), earlier, ended_ms)


def ended(run: RunRow) -> tuple[Findings, int]:
    """What `run` found, and when it ended in milliseconds. Raises Unusable for one that has not ended."""
    if run.ended_ms is None or run.summary is None:
        raise Unusable(f"run {run.run_id} has not ended", hint=f"muster resume {run.run_id}")
    return Findings.of(run.summary), run.ended_ms


def discard_drafts(store: Store, space_id: int) -> None:
    """Removes what runs that died left half written. Who holds the lease knows that none of them still works."""
    for folder in store.unfinished(space_id):
        with suppress(Unusable):  # it died before it made its folder, or somebody removed it
            RunFolder.existing(Path(folder)).discard_drafts()


def read(
    path: Path, settings: Settings, work: Path, clock: Clock, progress: Progress, earlier: Earlier | None = None
) -> Batch:
    """The file, read to its end and validated; `earlier`: with what runs before found. Raises Unusable."""
    try:
        with progress.stage("reading and validating", None):
            return apart(partial(read_batch, path, settings, keys_of(settings), work, clock.now().date(), earlier))
    except (OSError, PolarsError) as error:
        told = unusable(error, work)
        if told is None:
            raise
        raise told from error


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs the coroutine on the fast loop."""
    gc.freeze()  # what was imported stays; walking it again and again was an eighth of a large stop (measured)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.unfreeze()


def new_run_id(clock: Clock) -> str:
    """Sorts by time: `20261121T021500Z-7f3a`."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{clock.random.getrandbits(16):04x}"


def pseudonyms_of(settings: Settings, *, make: bool = False) -> Pseudonyms:
    """The keyed HMACs of this ledger; `make`: with a new key, where there is none. Raises Unusable."""
    return Pseudonyms(pseudonym_key(path_of(settings.ledger), make=make))


def same_input(batch: Batch, sha256: str | None) -> None:
    """Raises Unusable when the file is not the one that was recorded."""
    if sha256 is not None and batch.file.sha256 != sha256:
        raise Unusable(
            f"{batch.file.path} was changed since that run: its content is another",
            hint=f"run it as a new file: muster run {batch.file.path}",
        )


def run_row(
    command: str,
    run_id: str,
    path: Path,
    batch: Batch,
    settings: Settings,
    clock: Clock,
    control: ControlRecord | None = None,
    moved_from: str | None = None,
) -> RunRow:
    """The run as it begins. `moved_from`: the origin under which the ledger knew its target before."""
    facts = run_facts() | ({"control_record": control.facts()} if control else {})
    return RunRow(
        run_id=run_id,
        system=settings.job_name.ledger_system,
        tenant=settings.need("tenant"),
        command=command,
        input_path=str(path.resolve()),
        input_sha256=batch.file.sha256,
        rows=batch.rows,
        folder=str(settings.out / run_id),
        settings=settings.shown(),
        facts=facts | ({MOVED_FROM: moved_from} if moved_from else {}),
        started_ms=milliseconds(clock.now()),
        ended_ms=None,
        exit_code=None,
        summary=None,
    )
