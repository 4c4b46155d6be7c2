"""Time that passes only when everybody waits: hours of pauses in milliseconds, and the same each time.

Not for code that waits for threads, files or sockets: their waiting is not on this clock.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from jobs.clock import Clock

T = TypeVar("T")

BEGAN = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer when nothing is ready. Raises when all wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_now = 1000.0

    def time(self) -> float:
        """Virtual seconds."""
        return self.virtual_now

    def _run_once(self) -> None:
        own: Any = self
        while own._scheduled and own._scheduled[0]._cancelled:  # else select would wait for them in earnest
            heapq.heappop(own._scheduled)._scheduled = False
            own._timer_cancelled_count -= 1
        assert own._ready or own._scheduled, "everybody waits and no timer is set: a deadlock"
        # asyncio rings timers up to its resolution early: if time stood still then, who waits would ask for ever
        soon = own._scheduled and own._scheduled[0]._when <= self.virtual_now + own._clock_resolution
        if soon or not own._ready:
            self.virtual_now = max(self.virtual_now, own._scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]


class VirtualClock(Clock):
    """The clock of the virtual loop that runs: of the machine `machine`, whose clock began `up` seconds earlier."""

    def __init__(self, seed: int = 1, machine: str = "virtual", up: float = 0.0) -> None:
        super().__init__(Random(seed))
        self.machine, self.up = machine, up
        self.stepped = 0.0
        """By how many seconds somebody has set the wall clock, which otherwise goes along."""

    def boot(self) -> str:
        """That of its machine."""
        return self.machine

    def monotonic(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time() + self.up

    def now(self) -> datetime:
        """The wall clock."""
        return BEGAN + timedelta(seconds=asyncio.get_running_loop().time() - 1000 + self.stepped)


def virtually(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives, run on a virtual loop."""

    async def main() -> T:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
