"""Limits that all processes on one ledger share, exact over restarts: windows of calls, and what a target taught.

Two windows in one: the process's own, on the monotonic clock, which no change of the wall clock can fool; and the
ledger's, on the wall clock, which knows the calls of earlier runs and of other processes.
"""

import asyncio
from dataclasses import replace

from jobs.clock import Clock, milliseconds
from jobs.ledger.learned import Learned, keep_rate, learned, teach
from jobs.ledger.permits import hand_back, reserve
from jobs.ledger.store import Store
from jobs.ledger.writer import Offload
from jobs.model import Rate
from jobs.rates import within
from jobs.transport.limiter import REFUSED, Closed, Pace, Window

SHARE_AT_ONCE = 10
"""A tenth of the window is taken from the ledger at a time at most (chosen): a thousand calls a second cost it ten
transactions, and sixty in three minutes go out six at a time."""

PACE_SECONDS = 60.0
"""A pace is kept as calls in a minute (chosen): the slowest one, a call in 20 s, is still three of them."""


class Lessons:
    """What the target taught of one pool: `known` to the ledger, and `pending` to be told; None where there is none."""

    def __init__(self, clock: Clock, store: Store, pool: str, offload: Offload) -> None:
        self.clock, self.store, self.pool, self.offload = clock, store, pool, offload
        self.known = learned(store, pool, milliseconds(clock.now())).get(pool)
        self.pending: Learned | None = None

    def note(self, rate: Rate, source: str) -> None:
        """A refusal left `rate`."""
        self.pending = Learned(rate, milliseconds(self.clock.now()), source)

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
        self.store, self.pool, self.offload = store, pool, offload
        self.lessons = Lessons(clock, store, pool, offload)
        known = self.lessons.known
        self.rate = rate if known is None else within(known.rate, rate)
        self._stock = 0
        self._unreported: list[int] = []
        self._asking = asyncio.Lock()

    async def enter(self) -> None:
        """Waits for a place in both windows. Raises Closed."""
        await self.lessons.tell()  # who was refused comes back here at once, long before there is a place
        async with self._asking:
            while not self._stock:
                await self._refill()
            self._stock -= 1
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
        self._unreported.append(milliseconds(self.clock.now()) + 1)  # never earlier than it was

    async def aclose(self) -> None:
        """Tells the ledger what was learned, what was answered, and what was never used."""
        await self.lessons.tell()
        answered, self._unreported, unused, self._stock = self._unreported, [], self._stock, 0
        await self.offload(hand_back, self.store, self.pool, answered, unused)

    async def _refill(self) -> None:
        if self.closed.is_set():
            raise Closed
        answered, self._unreported = self._unreported, []
        wanted = max(1, self.rate.calls // SHARE_AT_ONCE)
        now_ms = milliseconds(self.clock.now())
        found = await self.offload(reserve, self.store, self.pool, self.most, wanted, answered, now_ms)
        if self.lessons.pending is None:
            self.rate = found.rate
        self._stock = found.permits
        if not found.permits:
            await self.clock.pause(min(found.wait_seconds, self.rate.seconds), self.closed)


class KeptPace(Pace):
    """`Pace` that begins where earlier runs on the ledger learned to, never faster than any other. To be closed."""

    def __init__(self, clock: Clock, store: Store, pool: str, offload: Offload = asyncio.to_thread) -> None:
        self.lessons = Lessons(clock, store, pool, offload)
        super().__init__(clock, limit=self._known_limit())

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
            now_ms = milliseconds(self.clock.now())
            await lessons.offload(keep_rate, lessons.store, lessons.pool, replace(known, rate=self._rate()), now_ms)

    def _known_limit(self) -> float:
        """In calls a second."""
        known = self.lessons.known
        return float("inf") if known is None else known.rate.calls / known.rate.seconds

    def _rate(self) -> Rate:
        return Rate(max(1, int(self.limit * PACE_SECONDS)), PACE_SECONDS)
