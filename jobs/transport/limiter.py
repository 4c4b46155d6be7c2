"""Permits to send: sliding windows and a pace, per class of call, under every request.

A call occupies its window from its sending until the window's length after its answer, because the target counts
arrivals and an arrival lies somewhere between the two. A limiter that counted sendings only would exceed the
target's limit by whatever the network delays.
"""

import asyncio
from collections import deque

from jobs.clock import Clock
from jobs.model import Rate
from jobs.rates import LEARNT, QUIET_SECONDS, lowered
from jobs.transport.latency import Latency
from jobs.transport.pauses import Pauses

STARTING_PACE = 2.0
"""Mutating calls a second with which `auto` begins where the vendor documents no limit (the contract's default)."""

GROWTH = 1.25
"""Chosen: each quiet second lets a quarter more through; from 2 to 100 a second takes 18 s."""

SHORTEST_SECONDS = 0.01
"""Chosen: three times this is not slow, however fast the first answers were."""

SLOWEST_PACE = 0.05
"""Calls a second below which pacing does not go (one in 20 s, chosen)."""


REFUSED = "HTTP 429"
"""With what a target refuses because of a limit, unless something else is said."""


class Closed(Exception):
    """The run is stopping: no new call may leave."""


class Pace:
    """Calls a second, found by trying: grows while all is well, halves when the target refuses or slows down.

    `limit` is what was learned from a refusal: a tenth below the pace that was refused. Growth is quick up to it, and
    then a step for each `QUIET_SECONDS`.
    """

    def __init__(self, clock: Clock, per_second: float = STARTING_PACE, limit: float = float("inf")) -> None:
        self.clock, self.per_second, self.limit = clock, min(per_second, limit), limit
        self.next_at = clock.monotonic()
        self._grown_at = clock.monotonic()
        self._limited_at = clock.monotonic()
        self._halved_at = float("-inf")
        self._answers = 0
        self._latency = Latency(SHORTEST_SECONDS)

    def take(self, at: float) -> None:
        """A call leaves that was due at `at`. `next_at`: the monotonic time before which the next one does not."""
        self.next_at = max(self.next_at, at) + 1 / self.per_second

    def answered(self, latency: float) -> None:
        """Learns from a good answer."""
        self._latency.add(latency)
        self._answers += 1
        now = self.clock.monotonic()
        seconds = now - self._grown_at
        if seconds < 1:
            return
        used = self._answers / seconds
        self._grown_at, self._answers = now, 0
        if not self._latency.flat:
            self.per_second = max(SLOWEST_PACE, self.per_second / GROWTH)
        elif used >= self.per_second / 2:  # a pace that nobody keeps up with has not been tried
            self._grow(now)

    def refused(self, source: str = REFUSED, *, first: bool = True) -> None:  # noqa: ARG002 - for who keeps it
        """Learns from a 429. Calls that were under way together and are all refused halve the pace once.

        `first`: something went well since the last refusal. Otherwise the target is shut, and says nothing of how many
        it would take.
        """
        now = self.clock.monotonic()
        if now - self._halved_at < 1:
            return
        self._halved_at = self._grown_at = now
        if first:
            self._limited_at, self.limit = now, max(SLOWEST_PACE, LEARNT * self.per_second)
        self.per_second = max(SLOWEST_PACE, self.per_second / 2)

    async def tell(self) -> None:
        """Writes down what was learned; this one keeps it to itself."""

    def _grow(self, now: float) -> None:
        if self.per_second < self.limit:
            self.per_second = min(self.limit, self.per_second * GROWTH)
        elif now - self._limited_at >= QUIET_SECONDS:
            self._limited_at = now
            self.per_second = self.limit = self.limit / LEARNT


class Window:
    """At most `rate.calls` in any `rate.seconds`, first come, first served.

    `most` is the limit that was configured or documented; `rate` is lower when the target taught so.
    """

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self.most, self.rate, self.clock = rate, rate, clock
        self.closed = asyncio.Event()
        self._learnt_at = float("-inf")
        self._under_way = 0
        self._answered: deque[float] = deque()
        self._queue = asyncio.Lock()
        self._freed = asyncio.Event()

    def enter_at_once(self) -> bool:
        """Takes a place where that needs no waiting; whether it did. Whoever waits already comes first."""
        if self._queue.locked() or self._full():
            return False
        self._under_way += 1
        return True

    async def enter(self) -> None:
        """Waits for a place. The lock keeps the order of arrival. Raises Closed."""
        async with self._queue:
            while self._full():
                if self.closed.is_set():
                    raise Closed
                if self._answered:
                    free_at = self._answered[0] + self.rate.seconds
                    await self.clock.pause(free_at - self.clock.monotonic(), self.closed)
                else:
                    self._freed.clear()
                    await self._freed.wait()
            self._under_way += 1

    def close(self) -> None:
        """Whoever waits for a place gets Closed."""
        self.closed.set()
        self._freed.set()

    def refused(self, source: str = REFUSED) -> bool:  # noqa: ARG002 - for who keeps it
        """The target refused in spite of the window: its real limit is lower. A tenth less, once a window's length.

        Whether it became less.
        """
        now = self.clock.monotonic()
        if now - self._learnt_at < self.rate.seconds:
            return False
        self._learnt_at, self.rate = now, lowered(self.rate)
        return True

    def leave(self) -> None:
        """The call was answered, or given up."""
        self._under_way -= 1
        self._answered.append(self.clock.monotonic())
        self._freed.set()

    @property
    def used(self) -> int:
        """Calls that count in the window now; may be asked from another thread."""
        since = self.clock.monotonic() - self.rate.seconds
        return self._under_way + sum(at > since for at in tuple(self._answered))

    @property
    def full(self) -> bool:
        """Whether a call would have to wait for a place now; may be asked from another thread."""
        return self.used >= self.rate.calls

    def _full(self) -> bool:
        """Whether those under way and those answered less than the window's length ago take all places."""
        now = self.clock.monotonic()
        while self._answered and self._answered[0] + self.rate.seconds <= now:
            self._answered.popleft()
        return self._under_way + len(self._answered) >= self.rate.calls


class Limiter:
    """The permits of one credential and class of call: a window where there is a limit, a pace where it is unknown."""

    def __init__(
        self, clock: Clock, *, window: Window | None = None, pace: Pace | None = None, pauses: Pauses | None = None
    ) -> None:
        self.clock, self.window, self.pace, self.pauses = clock, window, pace, pauses or Pauses(clock)
        self.closed = asyncio.Event()
        self._queue = asyncio.Lock()
        self._entering = 0
        """How many wait for a permit, at whatever."""

    @property
    def crowded(self) -> bool:
        """Whether somebody waits for the next slot."""
        return self._queue.locked()

    def permit(self) -> "Permit":
        """One permit, held while the call is under way: for `async with`, which raises what `enter` raises."""
        return Permit(self)

    def enter_at_once(self) -> bool:
        """Takes a permit where that needs no waiting, as nearly always; whether it did."""
        if self._entering or self.pace is not None:
            return False
        now = self.clock.monotonic()
        if now < self.pauses.open_at or self.pauses.behind(now):
            return False
        return self.window is None or self.window.enter_at_once()

    async def enter(self) -> None:
        """Waits for a permit. Raises Closed when the run stops meanwhile, and Shut."""
        self._entering += 1
        try:
            await self.pauses.keep()
            await self._opened()
            if self.pace is not None:
                await self.pace.tell()
            if self.window is not None:
                await self.window.enter()
            try:
                await self._turn()
            except BaseException:
                self.leave()
                raise
        finally:
            self._entering -= 1

    def leave(self) -> None:
        """The call was answered, or given up."""
        if self.window is not None:
            self.window.leave()

    async def _opened(self) -> None:
        """Waits while the class is paused: who holds a permit meanwhile takes it from others."""
        while (left := self.pauses.open_at - self.clock.monotonic()) > 0:
            await self._wait(left)

    async def _turn(self) -> None:
        """Waits while the class is paused, and for the next slot of the pace, in order of arrival.

        Only who leaves takes a slot: at a slow pace, slots of those who gave up would keep the others for hours.
        """
        arrived, crowded = self.clock.monotonic(), self._queue.locked()
        if self.pace is None and not crowded and self.pauses.open_at <= arrived:
            return
        async with self._queue:
            if crowded and self.closed.is_set():
                raise Closed
            while (at := max(arrived, self._next_at())) > (now := self.clock.monotonic()):
                await self._wait(at - now)
            if self.pace is not None:
                self.pace.take(at)

    async def _wait(self, seconds: float) -> None:
        if self.closed.is_set():
            raise Closed
        self.pauses.check()
        await self.clock.pause(seconds, self.pauses.ring)
        if self.closed.is_set():
            raise Closed
        self.pauses.check()

    def _next_at(self) -> float:
        return self.pauses.open_at if self.pace is None else max(self.pauses.open_at, self.pace.next_at)

    def close(self) -> None:
        """Whoever waits gets Closed; calls under way go on."""
        self.closed.set()
        self.pauses.ring.set()
        if self.window is not None:
            self.window.close()

    def answered(self, latency: float) -> None:
        """A call was answered normally after `latency` seconds."""
        self.pauses.answered()
        if self.pace is not None:
            self.pace.answered(latency)

    def refused(self, asked: float | None, source: str = REFUSED) -> None:
        """The target said "too many", with `source`: nobody of this class sends for `asked` seconds at least.

        None: it did not say how long. Refusals that come during a pause belong to calls that left before it, and say
        nothing new.
        """
        if not self.pauses.refused(asked, source):
            return
        first = self.pauses.refusals <= 1
        if self.pace is not None:
            self.pace.refused(source, first=first)
        if self.window is not None and first:
            self.window.refused(source)


class Permit:
    """A permit of a limiter, for a block."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter

    async def __aenter__(self) -> None:
        if not self.limiter.enter_at_once():
            await self.limiter.enter()

    async def __aexit__(self, *_: object) -> None:
        self.limiter.leave()
