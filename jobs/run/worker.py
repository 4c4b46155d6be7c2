"""A worker: a process that takes shards of a run, brings their rows to their ends, and gives the shards back.

It works for the run's leader, which holds the lease of the space: when that is gone, or the run is stopped, the worker
stops too and leaves the rows as they stand. Whoever takes a shard next goes on with them; the leader ends the rest.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.alive import Watch, beating
from jobs.batch import Slice
from jobs.clock import milliseconds
from jobs.engine.case import Case
from jobs.engine.driver import Patience, RowDriver
from jobs.engine.feed import Feed
from jobs.engine.newcomers import Newcomers
from jobs.engine.stops import Stops
from jobs.engine.workers import WorkerPool
from jobs.errors import ExitCode, MusterError, strongest
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.history import sent_among
from jobs.ledger.lease import PULSE
from jobs.ledger.readings import Reading
from jobs.ledger.roster import Roster
from jobs.ledger.rows import Transition
from jobs.ledger.shards import (
    Leader,
    Leaving,
    Sent,
    Shard,
    ShardLease,
    ShardState,
    give_back,
    leader_of,
    let_go,
    stop_all,
    take,
    tell,
)
from jobs.ledger.tally import Tally
from jobs.ledger.transitions import Fenced
from jobs.ledger.writer import Writer
from jobs.progress import Look, Progress
from jobs.publishing.books import mutating
from jobs.run.context import unless
from jobs.run.shard_read import ShardReader
from jobs.run.signals import Signals
from jobs.run.throttling import Throttling
from jobs.run.wiring import connected, credential_of, outage_of
from jobs.run.work import Work
from jobs.transport.client import Client

LOOK_SECONDS = 0.5
"""So often a worker hears whether the run goes on, and says how its rows fare (chosen)."""

PARKED_SECONDS = 5.0
"""A shard of which only decisions are outstanding is parked when the next is not due for so long (chosen): a process
costs a second to start."""

GONE: Mapping[str, Any] = {
    "reason": "interrupted",
    "code": int(ExitCode.UNREACHABLE),
    "why": "the process that leads the run is gone",
    "notes": [],
    "unreadable": True,
}
"""What a worker hears when nobody leads its run any more."""


class NoLeader(MusterError):
    """Nobody leads the run: a worker has nothing to do, now."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, run_id: str) -> None:
        super().__init__(f"nobody leads run {run_id} now", hint=f"muster resume {run_id}")


@dataclass(slots=True)
class Worker:
    """A worker at work."""

    work: Work
    stops: Stops
    shard: Shard | None = None
    """The one that it has now."""
    had: dict[int, ShardState | None] = field(default_factory=dict)
    """Its shards so far, and how it gave each of them back; None: not yet."""
    _calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """What the ledger knows of its calls, and of the writes among them that were sent once more."""
    _repeated: int = 0
    _told: str = ""
    _heard: bool = False
    """Whether it was stopped by what it heard."""
    _roster: Roster = field(init=False)
    _reader: ShardReader = field(init=False)

    def __post_init__(self) -> None:
        self._roster = Roster(self.work.store, self.work.run.run_id)

    async def online(self, signals: Signals) -> None:
        """Works on shards until none is free, or the run is stopped. Raises NotPermitted, Unreachable, LedgerBroken."""
        signals.listen(asyncio.get_running_loop())
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._listening())
                client = await unless(self.stops.requested, stack.enter_async_context(self._connected()))
                if client is not None:
                    await self._on_shards(client)
        finally:
            signals.deaf()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Client]:
        work, settings = self.work, self.work.settings
        throttling = Throttling(self.stops, work.progress, work.clock)
        outage, given = outage_of(settings, work.clock, work.progress.note), credential_of(settings)
        opening = connected(
            settings,
            work.system,
            given,
            work.clock,
            store=work.store,
            outage=outage,
            hear=throttling.heard,
            sharers=settings.workers,
        )
        async with opening as client:
            throttling.begin(tuple(client.limiters.values()))
            own_reads = work.system.reads_with((await client.credential.token()).positions)
            async with ShardReader(work, outage, throttling.heard, own_reads) as self._reader:
                yield client

    async def _on_shards(self, client: Client) -> None:
        work = self.work
        newcomers = Newcomers(work.system, client, work.clock, work.settings.concurrency)
        while not self.stops.requested.is_set():
            since, now_ms = work.clock.monotonic(), milliseconds(work.clock.now())
            named = (work.run.run_id, work.names.worker, now_ms, work.names.shard)
            shard = await asyncio.to_thread(take, work.store, *named)
            if shard is None:
                return
            await self._on(shard, client, newcomers, since)
            if work.names.shard is not None:
                return

    async def _on(self, shard: Shard, client: Client, newcomers: Newcomers, since: float) -> None:
        """Brings the rows of a shard as far as they go, and gives it back."""
        work, place = self.work, (self.work.leader.space_id, self.work.leader.epoch)
        lease = ShardLease(work.store, place, shard, work.clock, PULSE, since)
        shard.tally.in_a_row = self.stops.tally.in_a_row
        self.stops.tally, self.shard, self.had[shard.number] = shard.tally, shard, None
        with beating(lease.renew, PULSE.beat):
            try:
                rows = await asyncio.to_thread(self._rows, shard)
                waiting = await self._sent(shard, rows, client, newcomers, lease)
                reading = await self._seen(shard, rows, waiting)
            except LedgerBroken:
                with suppress(LedgerBroken):
                    await asyncio.to_thread(let_go, work.store, shard)
                raise
            finally:
                self.shard = None
            made = client.calls + Counter(self._reader.calls)
            calls, repeated = made - self._calls, client.repeated_writes - self._repeated
            self._calls, self._repeated = made, client.repeated_writes
            counted = mutating(calls) - repeated
            leaving = Leaving(ShardState.DONE, shard.tally, calls, counted, repeated, reading=reading)
            leaving = self._as_it_stands(leaving, shard, waiting)
            if not await asyncio.to_thread(give_back, work.store, shard, leaving):
                raise Fenced.taken_over()
            self.had[shard.number] = leaving.state

    def _as_it_stands(self, leaving: Leaving, shard: Shard, waiting: Sequence[Case]) -> Leaving:
        """`leaving`, where the shard is not done: the run stops, or decisions are outstanding, to be read later."""
        if self.stops.requested.is_set():
            return replace(leaving, state=ShardState.OPEN, reading=None)
        if not waiting:
            return leaving
        now_ms, now = milliseconds(self.work.clock.now()), self.work.clock.monotonic()
        until = max(case.wait_until or now for case in waiting)
        until_ms = shard.until_ms or now_ms + int(1000 * max(0.0, until - now))
        due_ms = now_ms + int(1000 * self.work.settings.decision_poll)
        return replace(
            leaving,
            state=ShardState.PARKED,
            until_ms=until_ms,
            due_ms=min(due_ms, max(until_ms, now_ms)),
            waiting={
                case.row.source_row: (case.attempts, case.first_attempt_ms, case.last_attempt_ms) for case in waiting
            },
        )

    def _rows(self, shard: Shard) -> Slice:
        named = str(self.work.settings.job_name)
        return Slice.of(self.work.accepted, named, shard.part.first_row, shard.part.last_row)

    async def _seen(self, shard: Shard, rows: Slice, waiting: Sequence[Case]) -> Reading | None:
        """What the target shows of the rows once all of them have ended; None: they have not, or it can't be read."""
        if waiting or self.stops.requested.is_set():
            return None
        return await unless(self.stops.requested, self._reader.seen(shard.part, rows))

    async def _sent(
        self, shard: Shard, rows: Slice, client: Client, newcomers: Newcomers, lease: ShardLease
    ) -> Sequence[Case]:
        """Works on the rows; gives those that wait for a decision and for nothing else."""
        work, settings, part = self.work, self.work.settings, shard.part
        wait = settings.decision_wait
        if shard.until_ms is not None:
            wait = max(0.0, (shard.until_ms - milliseconds(work.clock.now())) / 1000)
        sent: Sent = shard.waiting or {}
        if part.epoch > 1 and shard.waiting is None:
            sent = await asyncio.to_thread(sent_among, work.store, work.run.run_id, part.first_row, part.last_row)
        writing = Writer(work.store, work.leader.space_id, work.leader.epoch, work.run.run_id, lease=lease, part=part)
        async with writing as writer:
            patience = Patience(decision_poll=settings.decision_poll, decision_wait=wait)
            counting = Counting(shard.tally)
            engine = ShardDriver(work.system, client, writer, self.stops, work.clock, patience, progress=counting)
            feed = Feed(
                rows,
                writer,
                engine,
                work.clock,
                work.pseudonyms,
                work.taking,
                newcomers=newcomers,
                again=True,
                sent=sent,
            )
            waiting = await WorkerPool(engine).run(feed.fresh(None), settings.concurrency, PARKED_SECONDS)
            await writer.commit(Transition())
        return waiting

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """While the block works: hears when the run stops. At its end the others hear what stopped this worker."""
        task = asyncio.create_task(self._listen(), name="listening")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self.stops.requested.is_set() and not (self._heard or self.stops.signalled.is_set()):
                await asyncio.to_thread(stop_all, self.work.store, self.work.run.run_id, self.stops.told())

    async def _listen(self) -> None:
        watch = Watch(PULSE, self.work.clock)
        while not await self.work.clock.pause(LOOK_SECONDS, self.stops.at_once):
            with suppress(LedgerBroken):  # whoever writes next hears of it
                await self._look(watch)

    async def _look(self, watch: Watch) -> None:
        work = self.work
        leader = await asyncio.to_thread(leader_of, work.store, work.run.run_id)
        stop: Mapping[str, Any] | None = GONE
        if leader is not None and leader.epoch == work.leader.epoch and not gone(leader, watch):
            stop = leader.stop
        if stop is None:
            return await self._compare()
        self._heard = self._heard or not self.stops.requested.is_set()
        self.stops.heard(stop)
        if stop.get("at_once"):
            self.stops.at_once.set()
        return None

    async def _compare(self) -> None:
        """Tells how the rows of the own shard fare, and hears how those of the others do."""
        work, mine = self.work, self.shard
        told = "" if mine is None else mine.tally.told()
        if mine is not None and told != self._told:
            await asyncio.to_thread(tell, work.store, mine, Tally.read(told))
            self._told = told
        await asyncio.to_thread(self._roster.look)
        self.stops.others = self._roster.tally(None if mine is None else mine.number)


class ShardDriver(RowDriver):
    """Drives rows of a shard: one that is left as it stands, because the run stops, is ended by the run's leader."""

    async def leave(self, case: Case, reason: str | None = None) -> None:
        """See RowDriver."""
        if not self.stops.requested.is_set():
            await super().leave(case, reason)


class Counting(Progress):
    """Counts how rows end, into a tally."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """See Count."""
        if outcome is not None:
            self.tally.outcomes[str(outcome)] += rows

    def watch(self, look: Look) -> None:
        """See Count."""


def gone(leader: Leader, watch: Watch) -> bool:
    """Whether the process that leads the run is dead: its kernel says so, or its heart has stopped."""
    lives = leader.process.lives()
    if lives is None:
        watch.saw(leader.beats)
        return watch.dead
    return not lives


def code_of(worker: Worker) -> ExitCode:
    """What a worker ends with: 0, or 5 where only decisions are outstanding, or what it was stopped for."""
    if worker.stops.requested.is_set():
        return strongest(worker.stops.codes)
    return ExitCode.PENDING if ShardState.PARKED in worker.had.values() else ExitCode.OK
