"""The leader of a run whose rows several processes share: it shares them out, has workers work, and sees to the end.

    shards made -> workers started, watched, followed -> all shards at their end, or the run stopped -> shards closed

It holds the lease of the space, and sends nothing meanwhile. Where a worker dies, or falls silent, its shard is taken
from it and given to the next one; what is left at the end, the leader ends as it stands.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from jobs.alive import Watch
from jobs.clock import milliseconds
from jobs.errors import NotPermitted
from jobs.ledger.lease import PULSE
from jobs.ledger.roster import Roster
from jobs.ledger.shards import (
    Shard,
    ShardState,
    close,
    intents_among,
    leader_of,
    make_shards,
    shards_of,
    stop_all,
    take_from,
)
from jobs.ledger.transitions import Fenced
from jobs.progress import Count
from jobs.run.context import RunContext
from jobs.run.engines import Elsewhere, Engine, Names
from jobs.run.local_engine import LocalEngine
from jobs.run.ray_engine import RayEngine
from jobs.run.staff import Staff
from jobs.settings.settings import Settings
from jobs.systems import capabilities
from schemas.job_name import ONBOARDING

LOOK_SECONDS = 0.5
"""Between two looks at the shards (chosen)."""

A_WORKER = 20
"""Shards for each worker at least, where there are rows enough (chosen): the last one to end is then a twentieth of
the work of one."""

FEWEST_ROWS, MOST_ROWS = 32, 10_000
"""Rows of a shard: at least so many for each row that is worked on at the same time, because a shard ends as slowly as
its last row; at most so many, because a worker has them in memory (chosen)."""

MOST_LOST = 3
"""So many workers that died with a shard are followed (chosen); the next one's rows are left as they stand."""

DRAIN_SECONDS = 27.0
"""How long workers may take to come to a rest after a stop (chosen): calls under way have 25 s."""

DISMISS_SECONDS = 5.0
"""How long workers may take to end that have nothing left to do (chosen)."""

LOST = ("unknown", "POST", "unknown")
"""As what calls are counted that a worker may have made which did not live to tell."""


def shared(settings: Settings) -> bool:
    """Whether several processes work on the rows. A run of --limit, or that makes logins, works in one."""
    several = settings.workers > 1 or settings.engine != "local"
    plain = settings.job == ONBOARDING and not capabilities(settings.job_name.adapter).logins
    return several and plain and settings.limit is None


def engine_of(settings: Settings) -> Engine:
    """What runs the workers, as the settings say."""
    if settings.engine == "ray":
        return RayEngine()
    return LocalEngine() if settings.engine == "local" else Elsewhere()


def shares(first: int, last: int, settings: Settings) -> Iterator[tuple[int, int]]:
    """The source rows `first` to `last`, shared out in parts that lie one behind the other."""
    rows = last - first + 1
    if settings.shards is not None:
        parts = settings.shards
    else:
        most = rows // (FEWEST_ROWS * settings.concurrency)
        parts = max(-(-rows // MOST_ROWS), min(most, A_WORKER * settings.workers), settings.workers)
    for number in range(parts):
        begin, end = (first + rows * each // parts for each in (number, number + 1))
        yield begin, end - 1


@dataclass(slots=True)
class Lead:
    """The rows of a run under way in shards."""

    context: RunContext
    staff: Staff
    count: Count
    repeated: int = 0
    """Writes that workers sent once more after a 401."""
    _busy: set[str] = field(default_factory=set)
    """Who had a shard at the last look."""
    _watches: dict[tuple[int, int], Watch] = field(default_factory=dict)
    _shown: Counter[str] = field(default_factory=Counter)
    _roster: Roster = field(init=False)

    def __post_init__(self) -> None:
        self._roster = Roster(self.context.session.store, self.context.run.run_id)

    @classmethod
    def of(cls, context: RunContext, count: Count) -> "Lead":
        """The lead of a run, with what runs its workers as the settings say."""
        settings, names = context.given.settings, Names(context.run.run_id, context.given.settings.ledger)
        staff = Staff(engine_of(settings), names, settings.workers, context.place.clock)
        return cls(context, staff, count)

    async def through(self, first: int, last: int) -> None:
        """Has source rows `first` to `last` worked on, until each has ended or the run is stopped."""
        store, run_id = self.context.session.store, self.context.run.run_id
        if first > last or self.context.stops.requested.is_set():
            return
        await asyncio.to_thread(make_shards, store, run_id, shares(first, last, self.context.given.settings))
        if isinstance(self.staff.engine, Elsewhere):
            self.context.place.progress.note(f"waiting for workers: muster run-shard --run {run_id} (docs/scale.md)")
        try:
            await self._followed()
            await self._dismissed()
        finally:
            await asyncio.to_thread(self.staff.engine.close)
        await asyncio.to_thread(close, store, run_id)
        await asyncio.to_thread(self._account)

    async def _followed(self) -> None:
        stops, clock = self.context.stops, self.context.place.clock
        while True:
            await asyncio.to_thread(self._look)
            self._show()
            if self._roster.all_ended:
                return None
            if stops.requested.is_set():
                return await self._stopped()
            self._work()
            await clock.pause(LOOK_SECONDS, stops.requested)

    def _look(self) -> None:
        """Sees how the shards stand, once those of the dead are taken from them."""
        store, run_id = self.context.session.store, self.context.run.run_id
        wrong = self.staff.bury(self._busy)
        self._roster.look(self.staff.most)
        self._busy = {each.worker for each in self._roster.taken}
        lost = [shard for shard in self._roster.taken if self._is_lost(shard)]
        for shard in lost:
            self.staff.engine.cancel(shard.worker)  # first: frozen within a commit, it has the shard's lock
            take_from(store, shard, ShardState.OPEN if shard.lost < MOST_LOST else ShardState.LEFT)
        if lost:
            self._roster.look(self.staff.most)
        leader = leader_of(store, run_id)
        if leader is None or leader.epoch != self.context.session.lease.epoch:
            raise Fenced.taken_over()
        if leader.stop is not None:
            self.context.stops.heard(leader.stop)
        elif wrong is not None and self.staff.refused:
            self.context.stops.block(NotPermitted(f"the credential of workers was refused: {wrong}"))
        elif wrong is not None:
            self.context.stops.policy("worker_died", f"stopped: {wrong}")

    def _is_lost(self, shard: Shard) -> bool:
        """Whether the owner of a shard is dead, or its heart has stopped: frozen, or cut off from the ledger."""
        if shard.worker in self.staff.ended:
            return True
        if shard.owner is not None and shard.owner.lives() is False:
            return True
        key = shard.number, shard.part.epoch
        watch = self._watches.setdefault(key, Watch(PULSE, self.context.place.clock))
        if self.context.session.lease.fresh():
            watch.saw(shard.beats)
        else:  # nobody can write to the ledger now, or could until just now: silence means nothing
            watch.saw_nothing()
        return watch.dead

    def _work(self) -> None:
        """Starts as many workers as there is work for."""
        now_ms = milliseconds(self.context.place.clock.now())
        self.staff.start({each.worker for each in self._roster.taken}, self._roster.free(now_ms))

    async def _stopped(self) -> None:
        """Lets all workers come to a rest: for DRAIN_SECONDS, or until a second signal."""
        stops, clock = self.context.stops, self.context.place.clock
        store, run_id = self.context.session.store, self.context.run.run_id
        await asyncio.to_thread(stop_all, store, run_id, stops.told())
        until = clock.monotonic() + DRAIN_SECONDS
        while clock.monotonic() < until and not await clock.pause(LOOK_SECONDS, stops.at_once):
            await asyncio.to_thread(self._look)
            self._show()
            if not self._roster.taken:
                return
        if stops.at_once.is_set():  # workers elsewhere give up what is under way; those here are killed
            await asyncio.to_thread(partial(stop_all, store, run_id, stops.told(), anew=True))

    async def _dismissed(self) -> None:
        """Lets workers that have nothing left give back what they hold of permits: for DISMISS_SECONDS."""
        stops, clock = self.context.stops, self.context.place.clock
        until = clock.monotonic() + DISMISS_SECONDS
        here = not isinstance(self.staff.engine, Elsewhere)
        while here and self.staff.running and clock.monotonic() < until and not stops.at_once.is_set():
            await asyncio.to_thread(self.staff.bury, self._busy)
            await clock.pause(LOOK_SECONDS / 5, stops.at_once)

    def _show(self) -> None:
        """Shows how many rows have ended since the last look."""
        ended = self._roster.tally().outcomes
        for outcome, rows in (ended - self._shown).items():
            self.count.advance(rows, outcome)
        self._shown = ended

    def _account(self) -> None:
        """Counts what the workers sent; of those that died, what their intents say that they may have sent."""
        context = self.context
        store, run_id = context.session.store, context.run.run_id
        context.calls.update(store.calls(run_id))
        shards = shards_of(store, run_id)
        for shard in shards:
            self.repeated += shard.repeated
            if shard.lost:
                part = shard.part
                untold = intents_among(store, run_id, part.first_row, part.last_row) - shard.counted
                context.calls[LOST] += untold
        if not context.calls[LOST]:
            del context.calls[LOST]
        left = sum(each.lost > MOST_LOST for each in shards)
        if left and not context.stops.requested.is_set():
            context.stops.abandoned(left)
