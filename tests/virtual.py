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
    """Jumps to the next timer when nothing is ready. Raises when all wait for each other.

    `order` chooses which of the tasks that could go on goes first; None: the one that could first. A real loop gets
    its answers and its threads' results in any order too. Only steps of tasks change places, of which a task has one
    at a time at most; callbacks of futures and timers, whose order asyncio's own parts rely on, stay where they are.
    """

    def __init__(self, order: Random | None = None) -> None:
        super().__init__()
        self.virtual_now = 1000.0
        self.order = order
        self.reordered = 0
        """How often several tasks could go on and another one than the first did."""

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
        if self.order is not None and len(own._ready) > 1:
            self._reorder(own._ready, self.order)
        super()._run_once()  # type: ignore[misc]

    def _reorder(self, ready: Any, order: Random) -> None:
        places = [place for place, handle in enumerate(ready) if is_step(handle)]
        if len(places) < 2:
            return
        steps = [ready[place] for place in places]
        first = steps[0]
        order.shuffle(steps)
        self.reordered += steps[0] is not first
        for place, step in zip(places, steps, strict=True):
            ready[place] = step


def is_step(handle: Any) -> bool:
    """Whether a ready callback takes a task one step further."""
    return isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)


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
