"""How many calls are under way at once: as many as the workers, fewer while the target refuses or slows down.

Additive increase, multiplicative decrease: one place more for every full round of good answers, half as many after a
refusal, a tenth fewer for each second in which latency is no longer flat.
"""

import asyncio
from collections import defaultdict, deque

from jobs.clock import Clock
from jobs.transport.latency import Latency

SHORTEST_SECONDS = 0.08
"""Chosen: below a quarter of a second no latency is called slow, however fast the first answers were."""


class Gate:
    """At most `most` calls at once; `capacity` says how many just now, never below one."""

    def __init__(self, most: int, clock: Clock) -> None:
        self.most, self.clock, self.capacity = most, clock, float(most)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._changed_at = clock.monotonic()
        self._latencies = defaultdict[str, Latency](lambda: Latency(SHORTEST_SECONDS))

    def place(self) -> "Place":
        """One place while the call is under way, in order of arrival: for `async with`."""
        return Place(self)

    def enter_at_once(self) -> bool:
        """Takes a place where that needs no waiting; whether it did."""
        if self._waiting or self._inside >= max(1, int(self.capacity)):
            return False
        self._inside += 1
        return True

    async def enter(self) -> None:
        """Waits for a place."""
        if self.enter_at_once():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # who was let in and cancelled before he noticed
                self.leave()
            raise

    def leave(self) -> None:
        """Gives the place back."""
        self._inside -= 1
        self._admit()

    def answered(self, operation: str, latency: float) -> None:
        """Learns from a good answer; latencies are compared within an operation only."""
        known = self._latencies[operation]
        known.add(latency)
        if not known.flat:
            self._shrink(0.9)
        elif self.capacity < self.most:
            self.capacity = min(float(self.most), self.capacity + 1 / self.capacity)
            self._admit()

    def refused(self) -> None:
        """Learns from a 429."""
        self._shrink(0.5)

    def _shrink(self, factor: float) -> None:
        """At most once a second: calls that were under way together say one thing."""
        now = self.clock.monotonic()
        if now - self._changed_at >= 1:
            self._changed_at = now
            self.capacity = max(1.0, self.capacity * factor)

    def _admit(self) -> None:
        """Lets in whoever waits, the first come first, as long as there is room."""
        while self._waiting and self._inside < max(1, int(self.capacity)):
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)


class Place:
    """A place in the gate, for a block. (Half of what a generator costs as a context, and it is one for each call.)"""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def __aenter__(self) -> None:
        if not self.gate.enter_at_once():
            await self.gate.enter()

    async def __aexit__(self, *_: object) -> None:
        self.gate.leave()
