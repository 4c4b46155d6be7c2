"""What to work on next: parked cases that are due first, then the next row of the file. Holds no worker and no call.

A parked case is an entry in a heap; 100,000 of them cost memory and nothing else.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator

from jobs.clock import Clock
from jobs.engine.case import Case


class Agenda:
    """Shared by all workers of a run."""

    def __init__(self, fresh: AsyncIterator[Case], clock: Clock) -> None:
        self.clock = clock
        self._fresh: AsyncIterator[Case] | None = fresh
        self._parked: list[tuple[float, int, Case]] = []
        self._numbers = 0
        self._working = 0
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def parked(self) -> int:
        """How many cases wait for their time."""
        return len(self._parked)

    def park(self, case: Case, due: float) -> None:
        """Takes `case` back until the monotonic time `due`."""
        self._numbers += 1
        heapq.heappush(self._parked, (due, self._numbers, case))
        self._changed.set()

    def done(self) -> None:
        """A worker is through with what `take` gave it (parked or ended)."""
        self._working -= 1
        self._changed.set()

    def close(self) -> None:
        """Nothing more is handed out; `leave` gives what is still parked."""
        self._closed.set()
        self._changed.set()

    def leave(self) -> list[Case]:
        """All parked cases, which the run leaves as they stand."""
        cases = [case for _, _, case in self._parked]
        self._parked.clear()
        return cases

    async def take(self) -> Case | None:
        """The next case; None when there will be none any more. Call `done` for each."""
        while not self._closed.is_set():
            if self._due():
                self._working += 1
                return heapq.heappop(self._parked)[2]
            case = await self._next_fresh()
            if case is not None:
                return case
            if self._fresh is None and not self._parked and self._working == 0:
                self._changed.set()
                return None
            await self._wait()
        return None

    def _due(self) -> bool:
        return bool(self._parked) and self._parked[0][0] <= self.clock.monotonic()

    async def _next_fresh(self) -> Case | None:
        async with self._reading:
            if self._fresh is None or self._closed.is_set():
                return None
            try:
                case = await anext(self._fresh)
            except StopAsyncIteration:
                self._fresh = None
                return None
            self._working += 1
            return case

    async def _wait(self) -> None:
        """Until something changes or the earliest parked case is due; not at all once it is closed."""
        if self._closed.is_set():
            return
        if self._parked:
            self._changed.clear()
            await self.clock.pause(self._parked[0][0] - self.clock.monotonic(), self._changed)
        else:
            self._changed.clear()
            await self._changed.wait()
