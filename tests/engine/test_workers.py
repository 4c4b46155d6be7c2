"""The workers of a run: what ends one of them ends all, and nobody waits for what is parked."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from virtual import VirtualClock, virtually

from jobs.engine.stops import Stops
from jobs.engine.workers import WorkerPool
from jobs.systems.messages import CallClass
from jobs.transport.limiter import Closed

ROWS = 200


class Engine:
    """Parks every case for five minutes; at the 30th, the run is stopped and a defect comes up at once."""

    def __init__(self) -> None:
        self.clock, self.stops, self.patience = VirtualClock(), Stops(), SimpleNamespace(decision_wait=600.0)
        reads: Any = SimpleNamespace(window=None, close=lambda: None)
        self.client = SimpleNamespace(limiters={CallClass.READ: reads})
        self.advanced = 0

    async def advance(self, case: Any) -> float:
        self.advanced += 1
        if self.stops.requested.is_set():
            raise Closed
        if case.number == 30:
            self.stops.policy("max_errors", "stopped")
            raise RuntimeError("a defect")
        await self.clock.sleep(1)
        return self.clock.monotonic() + 300

    async def leave(self, case: Any) -> None:
        await self.clock.sleep(0.01)


async def numbered() -> AsyncIterator[Any]:
    for number in range(ROWS):
        yield SimpleNamespace(number=number, wait_until=None, resting="")


def test_a_defect_at_the_moment_of_a_stop_ends_the_run_at_once() -> None:
    async def work() -> tuple[float, int]:
        engine = Engine()
        with pytest.raises(RuntimeError, match="a defect"):
            await WorkerPool(cast("Any", engine)).run(numbered(), 4)
        return engine.clock.monotonic() - 1000, engine.advanced

    seconds, advanced = virtually(work)

    assert seconds < 60
    assert advanced < ROWS / 2
