"""Limits that all processes on one ledger share, exact over restarts: windows of calls, lessons and pauses.

Two windows in one: the process's own, and the ledger's, which knows the calls of earlier runs and of other processes.
Both are on the clock of the boot, which no change of the wall clock can fool.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from math import ceil

from jobs.clock import Clock, from_milliseconds
from jobs.ledger.boots import met
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.learned import Learned, keep_rate, learned, teach
from jobs.ledger.pauses import Asked, keep_pause, kept_pause
from jobs.ledger.permits import LOST_SECONDS, Pool, hand_back, renew, reserve, undated
from jobs.ledger.store import Store
from jobs.ledger.writer import Offload
from jobs.model import Rate
from jobs.rates import within
from jobs.transport.limiter import REFUSED, STARTING_PACE, Closed, Pace, Window
from jobs.transport.pauses import Hear, Hold, Pauses, nobody
from jobs.transport.retry import MAX_RETRY_AFTER_SECONDS

SHARE_AT_ONCE = 10
"""A tenth of the window is taken from the ledger at a time at most (chosen): a thousand calls a second cost it ten
transactions, and sixty in three minutes go out six at a time."""

FIRST_SHARE, MOST_SHARE = 10, 1000
"""Permits taken at a time, at first and at most (chosen): what a job does not use is taken from others, and a share's
lines are written in one transaction, during which nobody else writes."""

SHARE_SECONDS = 1.0
"""Chosen: a share that was used up sooner was too small, and the next is twice as large; else it is half as large. Each
share is a transaction of its own, which costs as much as a row."""

PACE_SECONDS = 60.0
"""A pace is kept as calls in a minute (chosen): the slowest one, a call in 20 s, is still three of them."""

RENEW_SECONDS = LOST_SECONDS / 4
"""So often a process says that it still has its permits: three times it may come too late (chosen)."""

LOOK_SECONDS = 1.0
"""A pause that another process was asked for is heard of so much later at most (chosen)."""


class Lessons:
    """What the target taught of one pool: `known` to the ledger, and `pending` to be told; None where there is none."""

    def __init__(self, clock: Clock, store: Store, pool: str, offload: Offload) -> None:
        self.clock, self.store, self.pool, self.offload = clock, store, pool, offload
        met(store, pool, clock)
        self.known = learned(store, pool, clock.stamp()).get(pool)
        self.pending: Learned | None = None

    def note(self, rate: Rate, source: str) -> None:
        """A refusal left `rate`."""
        self.pending = Learned(rate, self.clock.stamp(), source)

    async def tell(self) -> None:
        """Brings the ledger up to date."""
        while (lesson := self.pending) is not None:
            self.known = await self.offload(teach, self.store, self.pool, lesson, self.known)
            if self.pending is lesson:
                self.pending = None


class SharedWindow(Window):
    """`Window` that also holds over restarts and processes. `aclose` hands unused permits back."""

    def __init__(self, rate: Rate, clock: Clock, store: Store, pool: str, offload: Offload = asyncio.to_thread) -> None:
        super().__init__(rate, clock)
        self.pool, self.offload = Pool(store, pool, f"{clock.random.getrandbits(128):032x}", clock), offload
        self.lessons = Lessons(clock, store, pool, offload)
        known = self.lessons.known
        self.rate = rate if known is None else within(known.rate, rate)
        self.undated = undated(self.pool, self.rate.seconds)
        """Calls of other boots that counted in the window at the beginning."""
        self._stock = self._waiting = 0
        self._taken = False
        """Whether the ledger had no permit when it was asked last."""
        self._share, self._shared_at = FIRST_SHARE, float("-inf")
        self._unreported: list[int] = []
        self._asking = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def full(self) -> bool:
        """See Window; also where other processes have taken all places."""
        return super().full or self._taken

    def enter_at_once(self) -> bool:
        """See Window; the ledger is asked for nothing."""
        if not self._stock or self.lessons.pending is not None or self._asking.locked() or not super().enter_at_once():
            return False
        self._stock -= 1
        return True

    async def enter(self) -> None:
        """Waits for a place in both windows. Raises Closed."""
        await self.lessons.tell()  # who was refused comes back here at once, long before there is a place
        self._waiting += 1
        try:
            async with self._asking:
                while not self._stock:
                    await self._refill()
                self._stock -= 1
        finally:
            self._waiting -= 1
        try:
            await super().enter()
        except BaseException:
            self._stock += 1
            raise

    def refused(self, source: str = REFUSED) -> bool:
        """See Window; the ledger hears of it before the next call."""
        learnt = super().refused(source)
        if learnt:
            self.lessons.note(self.rate, source)
        return learnt

    def leave(self) -> None:
        """The call was answered, or given up; the ledger hears of it with the next refill."""
        super().leave()
        self._unreported.append(ceil(self.clock.monotonic() * 1000))  # never earlier than it was

    async def aclose(self) -> None:
        """Tells the ledger what was learned, what was answered, and what was never used."""
        self._ended.set()
        if self._renewing is not None:
            await self._renewing
        await self.lessons.tell()
        answered, self._unreported, unused, self._stock = self._unreported, [], self._stock, 0
        await self.offload(hand_back, self.pool, answered, unused)

    async def _refill(self) -> None:
        if self.closed.is_set():
            raise Closed
        answered, self._unreported = self._unreported, []
        found = await self.offload(reserve, self.pool, self.most, self._wanted(), answered)
        if self.lessons.pending is None:
            self.rate = found.rate
        self._stock, self._taken = found.permits, not found.permits
        if found.permits:
            self._keep_alive()
        else:
            await self.clock.pause(min(found.wait_seconds, self.rate.seconds), self.closed)

    def _wanted(self) -> int:
        """Permits to ask for: as many as are used in a while, a part of the window at most; and for all who wait now.

        Those go out at once, so that nothing is kept from others; half of the window is left to them all the same.
        """
        now = self.clock.monotonic()
        soon, self._shared_at = now - self._shared_at < SHARE_SECONDS, now
        self._share = min(MOST_SHARE, 2 * self._share) if soon else max(FIRST_SHARE, self._share // 2)
        stock = min(self._share, self.rate.calls // SHARE_AT_ONCE)
        return max(1, stock, min(self._waiting, self.rate.calls // 2))

    def _keep_alive(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name="permits")

    async def _renew(self) -> None:
        """While there are permits: gives back now and then what nobody uses, and says that the others are not lost.

        One can be out for long: its call may wait for a pause that the target asked for, or for a login.
        """
        while self._under_way + self._stock and not await self.clock.pause(RENEW_SECONDS, self._ended):
            async with self._asking:
                unused, self._stock = self._stock, 0
                with suppress(LedgerBroken):  # who asks for permits next hears of it
                    await self.offload(renew, self.pool, unused)


class KeptPace(Pace):
    """`Pace` that begins where earlier runs on the ledger learned to, never faster than any other. To be closed."""

    def __init__(
        self, clock: Clock, store: Store, pool: str, offload: Offload = asyncio.to_thread, *, sharers: int = 1
    ) -> None:
        """`sharers`: how many processes of one run find the pace together; each of them has its part of it."""
        self.lessons, self.sharers = Lessons(clock, store, pool, offload), sharers
        super().__init__(clock, STARTING_PACE / sharers, self._known_limit())

    def refused(self, source: str = REFUSED, *, first: bool = True) -> None:
        """See Pace; the ledger hears of it before the next call."""
        before = self.limit
        super().refused(source, first=first)
        if self.limit != before:
            self.lessons.note(self._rate(), source)

    async def tell(self) -> None:
        """Writes down what was learned; where another process taught a stricter limit meanwhile, that one holds."""
        if (lesson := self.lessons.pending) is None:
            return
        await self.lessons.tell()
        if self.lessons.known is not None and self.lessons.known.rate != lesson.rate:
            self.limit = min(self.limit, self._known_limit())
            self.per_second = min(self.per_second, self.limit)

    async def aclose(self) -> None:
        """Tells the ledger what was learned, and how far it was tried higher since."""
        await self.tell()
        lessons, known = self.lessons, self.lessons.known
        if known is not None and known.rate != self._rate():
            found = replace(known, rate=self._rate())
            await lessons.offload(keep_rate, lessons.store, lessons.pool, found, lessons.clock.stamp())

    def _known_limit(self) -> float:
        """In calls a second, of this process."""
        known = self.lessons.known
        return float("inf") if known is None else known.rate.calls / known.rate.seconds / self.sharers

    def _rate(self) -> Rate:
        return Rate(max(1, int(self.limit * self.sharers * PACE_SECONDS)), PACE_SECONDS)


class KeptPauses(Pauses):
    """`Pauses` that the next process keeps too, and others on the ledger. To be closed."""

    def __init__(
        self, clock: Clock, store: Store, pool: str, offload: Offload = asyncio.to_thread, hear: Hear = nobody
    ) -> None:
        super().__init__(clock, hear)
        self.store, self.pool, self.offload = store, pool, offload
        met(store, pool, clock)
        self._pending: Asked | None = None
        self._seen: Asked | None = None
        self._look_at = float("-inf")

    def begin(self, hold: Hold) -> None:
        """See Pauses; the ledger hears of what the target asked for before the next call."""
        super().begin(hold)
        if hold.asked and not hold.kept:
            seconds = min(hold.asked, MAX_RETRY_AFTER_SECONDS)
            self._pending = self._seen = Asked(seconds, hold.asked, self.clock.stamp(), hold.source)

    def behind(self, now: float) -> bool:
        """See Pauses; it is looked at every LOOK_SECONDS."""
        return self._pending is not None or now >= self._look_at

    async def keep(self) -> None:
        """Tells the ledger what the target asked for, and takes over what it asked others for."""
        await self._tell()
        now = self.clock.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        found = await self.offload(kept_pause, self.store, self.pool, self.clock.stamp())
        if found is None or found[0] == self._seen:
            return
        self._seen, left = found
        open_at = self.clock.monotonic() + left
        if open_at > self.open_at:
            self.open_at = open_at
            at = from_milliseconds(self._seen.at.wall_ms)
            self.begin(Hold(left, self._seen.asked_seconds, at, self._seen.source, kept=True))

    async def aclose(self) -> None:
        """Tells the ledger what the target asked for last."""
        await self._tell()

    async def _tell(self) -> None:
        if (asked := self._pending) is not None:
            self._pending = None
            await self.offload(keep_pause, self.store, self.pool, asked)
