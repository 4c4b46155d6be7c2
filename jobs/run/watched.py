"""What goes on in a run at a moment, for people who watch it: read from outside, without a lock, and never changed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.clock import Clock
from jobs.engine.stops import Stops
from jobs.engine.workers import WorkerPool
from jobs.face import Glance, span
from jobs.progress import Progress
from jobs.systems.messages import CallClass
from jobs.transport.client import Client
from jobs.value import value

SAID_SECONDS = 2.0
"""Chosen: a shorter pause is over before it is read."""


@value
class Watched:
    """A run that sends."""

    client: Client
    pool: WorkerPool
    stops: Stops
    clock: Clock

    def look(self) -> Glance:
        """How it stands now."""
        write = self.client.limiters[CallClass.WRITE]
        return Glance(
            under_way=self.pool.under_way,
            parked=self.pool.parked,
            calls=write.window.used if write.window else 0,
            allowed=write.window.rate if write.window else None,
            per_second=write.pace.per_second if write.pace else None,
            limited_by=self._limited_by(),
            stopping=self.stops.requested.is_set(),
        )

    def _limited_by(self) -> str:
        """What the work waits for now; empty: for nothing but answers."""
        if self.client.outage.lasts:
            return f"the target: it does not answer ({span(max(0.0, self.client.outage.left))} more)"
        now = self.clock.monotonic()
        for kind, limiter in self.client.limiters.items():
            if (left := limiter.pauses.open_at - now) >= SAID_SECONDS:
                return f"{span(left)}, as the target asked ({kind} calls)"
        write = self.client.limiters[CallClass.WRITE]
        if write.window is not None and write.window.full:
            return "the limit"
        if self.pool.parked and not self.pool.under_way:
            return "decisions"
        return "the pace" if write.pace is not None and write.crowded else ""


@contextmanager
def telling_of_a_stop(watched: Watched, progress: Progress) -> Iterator[None]:
    """While the block works: says, once, that the run is stopping and how many rows are still under way."""
    telling = asyncio.create_task(_tell(watched, progress), name="telling")
    try:
        yield
    finally:
        telling.cancel()


async def _tell(watched: Watched, progress: Progress) -> None:
    await watched.stops.requested.wait()
    if under_way := watched.pool.under_way:
        progress.note(f"stopping, {under_way:,} under way; what is done is saved")
