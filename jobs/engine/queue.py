"""What to work on next: in turn, a parked case that is due and the next row of the file. Holds no worker and no call.

A parked case is an entry in a heap, some 2.5 KB. The more there are, the longer each of them rests, so that all
together are taken up at a pace that does not grow; and no more are parked than can be taken up once at that pace.
"""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator

from jobs.clock import Clock
from jobs.engine.case import Case

MOST_RESTING = 1_000
"""Parked cases from which on none rests here beside them (chosen): a whole one, with all its values, is some 5 KB."""


class WorkQueue:
    """Shared by all workers of a run.

    `spacing`: seconds on average from one parked case being taken up to the next. `most`: cases parked at a time.
    `patience`: it comes to its end when nothing is left but decisions, and the next is not due for so many seconds.
    """

    def __init__(
        self,
        fresh: AsyncIterator[Case],
        clock: Clock,
        spacing: float = 0.0,
        most: float = math.inf,
        patience: float = math.inf,
    ) -> None:
        self.clock, self.spacing, self.most, self.patience = clock, spacing, most, patience
        self.only_waiting = False
        """Whether it came to its end because only decisions are waited for, and not soon."""
        self._fresh: AsyncIterator[Case] | None = fresh
        self._parked: list[tuple[float, int, Case]] = []
        self._numbers = 0
        self._working = 0
        self._fresh_next = False
        """Whether a row of the file comes first: however many cases are due, every other turn is the file's."""
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()

    def park(self, case: Case, due: float, latest: float = math.inf) -> bool:
        """Takes `case` back until the monotonic time `due`; later when many are parked, but not after `latest`.

        Whether there was a place for it.
        """
        if len(self._parked) >= self.most:
            return False
        due = min(max(due, self.clock.monotonic() + self.spacing * len(self._parked)), latest)
        self._numbers += 1
        heapq.heappush(self._parked, (due, self._numbers, case))
        self._changed.set()
        return True

    @property
    def parked(self) -> int:
        """How many cases wait for their time."""
        return len(self._parked)

    @property
    def under_way(self) -> int:
        """How many cases are in the hands of a worker."""
        return self._working

    def rest(self, case: Case, due: float) -> bool:
        """Takes `case` back until `due`, no later: it is in the middle of a step. Whether there was a place for it."""
        if len(self._parked) >= max(self.most, MOST_RESTING):
            return False
        self._numbers += 1
        heapq.heappush(self._parked, (due, self._numbers, case))
        self._changed.set()
        return True

    def done(self) -> None:
        """A worker is through with what `take` gave it (parked or ended)."""
        self._working -= 1
        self._changed.set()

    def close(self) -> None:
        """Nothing more is handed out; `leave` gives what is still parked."""
        self._closed.set()
        self._changed.set()

    def leave(self) -> list[Case]:
        """All parked cases, which this process leaves as they stand."""
        cases = [case for _, _, case in self._parked]
        self._parked.clear()
        return cases

    async def take(self) -> Case | None:
        """The next case; None when there will be none any more. Call `done` for each."""
        while not self._closed.is_set():
            if self._due() and not (self._fresh_next and self._fresh is not None):
                self._working += 1
                self._fresh_next = True
                return heapq.heappop(self._parked)[2]
            case = await self._next_fresh()
            if case is not None:
                self._fresh_next = False
                return case
            if self._due():
                continue
            if self._fresh is None and not self._parked and self._working == 0:
                self._changed.set()
                return None
            if self._long():
                self.only_waiting = True
                self.close()
                return None
            await self._wait()
        return None

    def _long(self) -> bool:
        """Whether nothing is left but cases that wait for a decision, and for longer than `patience`."""
        if self._fresh is not None or self._working or not self._parked:
            return False
        late = self._parked[0][0] - self.clock.monotonic() >= self.patience
        return late and not any(case.resting for _, _, case in self._parked)

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
