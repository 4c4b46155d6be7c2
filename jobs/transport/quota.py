"""A window of calls that all processes on one ledger share, exact over restarts.

Two windows in one: the process's own, on the monotonic clock, which no change of the wall clock can fool; and the
ledger's, on the wall clock, which knows the calls of earlier runs and of other processes.
"""

import asyncio

from jobs.clock import Clock, milliseconds
from jobs.ledger.permits import hand_back, reserve
from jobs.ledger.store import Store
from jobs.ledger.writer import Offload
from jobs.model import Rate
from jobs.transport.limiter import Closed, Window

SHARE_AT_ONCE = 10
"""A tenth of the window is taken from the ledger at a time at most (chosen): a thousand calls a second cost it ten
transactions, and sixty in three minutes go out six at a time."""


class SharedWindow(Window):
    """`Window` that also holds over restarts and processes. `aclose` hands unused permits back."""

    def __init__(self, rate: Rate, clock: Clock, store: Store, pool: str, offload: Offload = asyncio.to_thread) -> None:
        super().__init__(rate, clock)
        self.store, self.pool, self.offload = store, pool, offload
        self._stock = 0
        self._unreported: list[int] = []
        self._asking = asyncio.Lock()

    async def enter(self) -> None:
        """Waits for a place in both windows. Raises Closed."""
        async with self._asking:
            while not self._stock:
                await self._refill()
            self._stock -= 1
        try:
            await super().enter()
        except BaseException:
            self._stock += 1
            raise

    def leave(self) -> None:
        """The call was answered, or given up; the ledger hears of it with the next refill."""
        super().leave()
        self._unreported.append(milliseconds(self.clock.now()) + 1)  # never earlier than it was

    async def aclose(self) -> None:
        """Tells the ledger what was answered, and what was never used."""
        answered, self._unreported, unused, self._stock = self._unreported, [], self._stock, 0
        await self.offload(hand_back, self.store, self.pool, answered, unused)

    async def _refill(self) -> None:
        if self.closed.is_set():
            raise Closed
        answered, self._unreported = self._unreported, []
        wanted = max(1, self.rate.calls // SHARE_AT_ONCE)
        now_ms = milliseconds(self.clock.now())
        found = await self.offload(reserve, self.store, self.pool, self.rate, wanted, answered, now_ms)
        self._stock = found.permits
        if not found.permits:
            await self.clock.pause(min(found.wait_seconds, self.rate.seconds), self.closed)
