"""The jobs, each on one page: onboarding (run, resume, retry), reconciling, reporting.

    read and validate -> lease -> log in -> folder -> onboard -> reconcile -> publish

Nothing is sent before the whole file was read and validated; a folder is made only when the target let us in;
reports are made from the ledger; the reconciliation reads the target afresh.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import uvloop

from jobs.access import connected, credential_of, keys_of, reader_given, system_of
from jobs.admission import admitted
from jobs.batch import Batch, read_batch
from jobs.clock import Clock, milliseconds
from jobs.config import Settings, pseudonym_key
from jobs.delivery import deliverable, passwords_of
from jobs.earlier import Earlier
from jobs.engine.canary import DEAD, send_first, suited
from jobs.engine.case import Taking
from jobs.engine.feed import Feed
from jobs.engine.onboard import Onboarding, Patience
from jobs.engine.stops import ErrorBudget, Stops
from jobs.errors import NotPermitted, Unusable, strongest
from jobs.intake.control import ControlRecord, control_record
from jobs.keys import Pseudonyms
from jobs.ledger import lease
from jobs.ledger.rows import RunRow, Transition
from jobs.ledger.sqlite import path_of
from jobs.ledger.store import Store
from jobs.ledger.writer import Writer
from jobs.model import AGREEING, Outcome
from jobs.origin import run_facts
from jobs.privileges import permitted
from jobs.progress import Progress
from jobs.reconciliation.decisions import Decided, open_to_decision, prove, read_decisions, rows_of
from jobs.reconciliation.drift import ambiguous_rows
from jobs.reconciliation.reconcile import Reconciliation, claims
from jobs.report import Findings, publish, signing
from jobs.reports.folder import RunFolder, safe_run_id
from jobs.reports.reconciliation import write_reconciliation
from jobs.reports.summary import Summary
from jobs.retrigger import Candidate, Retrigger
from jobs.signals import Interrupted, Signals
from jobs.systems.base import System
from jobs.systems.exchange import CallClass
from jobs.transport.client import Client
from jobs.workspace import workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decisions:
    """A file of decisions, and the run whose rows they are about."""

    path: Path
    run: RunRow

    def open(self, store: Store, space_id: int) -> Sequence[Decided]:
        """The decisions, checked against the ledger. Raises Unusable naming the line."""
        ambiguous = ambiguous_rows(Path(self.run.folder))
        return open_to_decision(self.path, read_decisions(self.path), store, space_id, self.run, ambiguous)


@dataclass(frozen=True, slots=True)
class Under:
    """A run under way: what its stages share."""

    settings: Settings
    system: System
    batch: Batch
    store: Store
    run: RunRow
    space_id: int
    epoch: int
    work: Path
    clock: Clock
    progress: Progress
    stops: Stops = field(default_factory=Stops)
    decisions: Decisions | None = None
    decided: Sequence[Decided] = ()
    """What a person decided about rows that were left open."""
    again: Retrigger | None = None
    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """All calls of the run, those of the reconciliation too, by (operation, method, status)."""


def onboard(
    command: str,
    path: Path,
    settings: Settings,
    *,
    taking: Taking | None = None,
    sha256: str | None = None,
    decisions: Decisions | None = None,
    again: Retrigger | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Takes `path` through all stages and gives the summary as it was written.

    `taking`: which outcomes of earlier runs it goes on with. `sha256`: what the file must be (resume, retry); None:
    whatever it is. `decisions`, and what is asked `again`, are checked before anything is sent.
    Raises Unusable, Locked, and NotPermitted at the first login; then there is no run folder.
    """
    clock, progress = Clock(), progress or Progress()
    system = system_of(settings, path.parent, passwords=passwords_of(settings))
    settings = suited(settings, system.capabilities)
    credential_of(settings)
    signing()
    settings.need("base_url")
    run_id = safe_run_id(settings.run_id or new_run_id(clock))
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        work = stack.enter_context(workspace(settings.out))
        batch = read(path, settings, work, clock, progress, Earlier.of(settings))
        same_input(batch, sha256)
        deliverable(batch, settings)
        permitted(batch, settings)
        control = control_record(batch.staged, settings.control)
        store = stack.enter_context(Store.opened(settings.ledger))
        store.know_key(pseudonyms_of(settings).of("key", "check"))
        space_id = store.space(settings.realm, settings.tenant)
        stops = Stops(
            budget=ErrorBudget.given(settings.max_errors, batch.validated.accepted_rows),
            breaker=settings.breaker,
            same_cause=settings.same_cause,
        )
        for note in admitted(batch, settings):
            stops.note(note)
        epoch = stack.enter_context(lease.held(store, space_id, lease.Owner.me(run_id), settings.lock_timeout))
        discard_drafts(store, space_id)
        run = run_row(command, run_id, path, batch, settings, clock, control)
        decided = decisions.open(store, space_id) if decisions else ()
        under = Under(
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
        findings = finish(online(under, taking or Taking(), signals))
        folder, ended_ms = RunFolder.existing(Path(run.folder)), milliseconds(clock.now())
        return publish(store, run, batch, folder, findings, ended_ms, hurried=stops.signalled.is_set())


async def online(under: Under, taking: Taking, signals: Signals) -> Findings:
    """What needs the target: onboarding, then a fresh read of what the ledger claims."""
    signals.listen(asyncio.get_running_loop())
    settings, stops = under.settings, under.stops
    try:
        async with AsyncExitStack() as stack:
            opening = connected(settings, under.system, credential_of(settings), under.clock, store=under.store)
            client = await unless(stops.signalled, stack.enter_async_context(opening))
            if client is None:
                raise Interrupted(strongest(stops.codes))
            window = client.limiters[CallClass.WRITE].window
            limit = window.most if window else None
            if window is not None and window.rate != window.most:
                most, rate = (f"{each.calls} calls in {each.seconds:g} s" for each in (window.most, window.rate))
                under.progress.note(f"the target has refused {most}: beginning with {rate}, as learned earlier")
            if under.decisions is not None:
                wanted = rows_of(under.batch, under.decided)
                proof = prove(under.decisions.path, under.decided, under.system, client, wanted)
                await unless(stops.signalled, proof)
                if stops.signalled.is_set():
                    raise Interrupted(strongest(stops.codes))
            asked = await asked_again(under, client)
            folder = RunFolder.create(Path(under.run.folder))
            under.store.begin_run(under.space_id, under.run)
            async with Writer(under.store, under.space_id, under.epoch, under.run.run_id) as writer:
                await record_decisions(under, writer)
                await record_asked(under, asked, writer)
                with under.progress.stage("onboarding", under.batch.rows) as count:
                    patience = Patience(decision_poll=settings.decision_poll, decision_wait=settings.decision_wait)
                    engine = Onboarding(under.system, client, writer, stops, under.clock, patience, progress=count)
                    feed = Feed(under.batch, writer, engine, under.clock, pseudonyms_of(settings), taking)
                    await feed.quarantine()
                    with stops.at(settings.deadline, under.clock):
                        rows = feed.fresh(settings.limit)
                        if settings.canary:
                            outcomes = await send_first(engine, rows, settings.canary, settings.concurrency)
                            await writer.commit(Transition())
                            await unless(stops.signalled, judge_canary(under, client, outcomes))
                        await engine.run(rows, settings.concurrency)
                    await feed.sweep()
            under.calls.update(client.calls)
            repeated = client.repeated_writes
        seen = await reread_if_possible(under)
        under.store.add_calls(under.run.run_id, under.calls)
        return Findings(
            codes=frozenset(stops.codes),
            notes=stops.notes,
            repeated_writes=repeated,
            calls=under.calls,
            steps=tuple(step.name for step in under.system.steps),
            limit=limit,
            **seen.written(folder),
        )
    finally:
        signals.deaf()


async def record_decisions(under: Under, writer: Writer) -> None:
    """What a person decided goes into the ledger before any row is begun."""
    now_ms = milliseconds(under.clock.now())
    for each in under.decided:
        for transition in each.transitions(under.system.steps[0].name, now_ms):
            await writer.commit(transition)


async def asked_again(under: Under, client: Client) -> Sequence[Candidate]:
    """The rows whose decision an operator wants again. Raises Unusable, and Interrupted at a signal."""
    if under.again is None:
        return ()
    work = under.again.examined(under.store, under.space_id, under.system, client)
    found = await unless(under.stops.signalled, work)
    if found is None:
        raise Interrupted(strongest(under.stops.codes))
    return found


async def record_asked(under: Under, asked: Sequence[Candidate], writer: Writer) -> None:
    """What was asked again goes into the ledger before any row is begun."""
    now_ms = milliseconds(under.clock.now())
    for each in asked:
        for transition in each.transitions(now_ms):
            await writer.commit(transition)


@dataclass(frozen=True, slots=True)
class Reread:
    """A fresh read of the target, compared: lines set aside window by window, so that memory stays flat."""

    parts: Sequence[Path]
    complete: int | None
    """Rows found complete at the target; None when it was not read."""

    def written(self, folder: RunFolder) -> dict[str, Any]:
        """Writes the reconciliation; what was found, for `Findings`."""
        counts = write_reconciliation((pl.read_parquet(part) for part in self.parts), folder)
        return {"reconciliation": dict(counts), "complete_at_target": self.complete}


async def reread_if_possible(under: Under) -> Reread:
    """`reread`; nothing when the target is closed to this run, or a signal comes meanwhile."""
    stops, nothing = under.stops, Reread((), None)
    if stops.target_is_closed:
        return nothing
    if not under.system.capabilities.reads_back:
        stops.note(f"{under.system.capabilities.title} shows nothing of what it was sent: nothing was compared")
        return nothing
    if not reader_given(under.settings):
        stops.note("nothing was compared: that takes MUSTER_RECON_IDENTITY or MUSTER_OPERATOR_IDENTITY with a password")
        return nothing
    try:
        return await unless(stops.signalled, reread(under)) or nothing
    except NotPermitted as error:
        stops.block(error)
        return nothing


async def reread(under: Under) -> Reread:
    """Reads the target with a client of its own and compares. Raises NotPermitted."""
    settings, parts = under.settings, list[Path]()
    given = credential_of(settings, reading=True)
    async with connected(settings, under.system, given, under.clock, store=under.store) as client:
        reconciliation = Reconciliation(under.system, client, under.clock)
        windows = claims(under.store, under.run.run_id, under.batch)
        with under.progress.stage("reconciling", under.batch.rows) as count:
            async for frame in reconciliation.frames(windows, settings.concurrency):
                parts.append(under.work / f"reconciliation-{len(parts):06}.parquet")
                frame.write_parquet(parts[-1])
                count.advance(frame["source_row"].n_unique())
        under.calls.update(client.calls)
    return Reread(parts, reconciliation.complete)


async def judge_canary(under: Under, client: Client, outcomes: Mapping[Outcome, int]) -> None:
    """Reads the first rows afresh, and stops the run unless every one of them went well and is there.

    `outcomes`: how those of them ended that say how the rest would fare.
    """
    reconciliation = Reconciliation(under.system, client, under.clock)
    bad = {outcome.value: outcomes[outcome] for outcome in sorted(DEAD) if outcomes.get(outcome)}
    able = under.system.capabilities
    if able.reads_apart or not able.reads_back:  # this credential may not look back; their outcomes have to do
        return stop_canary(under, bad)
    async for frame in reconciliation.frames(
        claims(under.store, under.run.run_id, under.batch), under.settings.concurrency
    ):
        wrong = frame.filter(~pl.col("class").is_in(list(AGREEING)))
        bad |= dict(wrong["class"].value_counts().iter_rows())
    return stop_canary(under, bad)


def stop_canary(under: Under, bad: Mapping[str, int]) -> None:
    """Stops the run when anything is `bad` (outcomes and classes, with their counts)."""
    if bad:
        found = ", ".join(f"{count} {name}" for name, count in sorted(bad.items()))
        under.stops.policy("canary", f"stopped: of the first {under.settings.canary} rows, {found} (--canary)")


def report(run: RunRow, settings: Settings, *, progress: Progress | None = None) -> Summary:
    """Makes the files of `run` again, in its folder, from the ledger and the input. Raises Unusable."""
    clock, progress = Clock(), progress or Progress()
    found, ended_ms = ended(run)
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.out))
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
    with progress.stage("reading and validating", None):
        return read_batch(path, settings, keys_of(settings), work, clock.now().date(), earlier)


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None when `event` comes first: then `work` is given up."""
    task = asyncio.ensure_future(work)
    coming = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([task, coming], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        coming.cancel()
        await asyncio.gather(task, coming, return_exceptions=True)


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs the coroutine on the fast loop."""
    gc.freeze()  # what was imported stays; walking it again and again was an eighth of a large stop (measured)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def new_run_id(clock: Clock) -> str:
    """Sorts by time: `20261121T021500Z-7f3a`."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{clock.random.getrandbits(16):04x}"


def pseudonyms_of(settings: Settings) -> Pseudonyms:
    """The keyed HMACs of this ledger."""
    return Pseudonyms(pseudonym_key(path_of(settings.ledger)))


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
) -> RunRow:
    """The run as it begins."""
    return RunRow(
        run_id=run_id,
        system=settings.realm,
        tenant=settings.tenant,
        command=command,
        input_path=str(path.resolve()),
        input_sha256=batch.file.sha256,
        rows=batch.rows,
        folder=str(settings.out / run_id),
        settings=settings.shown(),
        facts=run_facts() | ({"control_record": control.facts()} if control else {}),
        started_ms=milliseconds(clock.now()),
        ended_ms=None,
        exit_code=None,
        summary=None,
    )
