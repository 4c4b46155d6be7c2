"""The workers of a run: W of them pull one agenda, until every case has ended or the run is stopped.

A row costs no task, and a row that waits for a decision costs neither worker nor connection.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from math import inf

from jobs.engine.case import Case
from jobs.engine.driver import RowDriver
from jobs.engine.queue import WorkQueue
from jobs.errors import NotPermitted, Unreachable
from jobs.systems.messages import CallClass
from jobs.transport.limiter import Closed

MOST_POLLS = 50.0
"""Outstanding decisions read a second, however many wait (chosen): up to 1,500 keep a rhythm of 30 s."""

POLLS_SHARE = 0.5
"""Share of a limit of reads that polls may take (chosen): the rest is for rows that are not sent yet."""

DRAIN_SECONDS = 25.0
"""How long calls under way may take after a stop; the contract's limit for the whole stop is 30 s."""


class WorkerPool:
    """The workers that `engine` drives cases with."""

    def __init__(self, engine: RowDriver) -> None:
        self.engine = engine
        self._agenda: WorkQueue | None = None

    @property
    def under_way(self) -> int:
        """Rows in the hands of a worker."""
        return self._agenda.under_way if self._agenda else 0

    @property
    def parked(self) -> int:
        """Rows that wait for a decision."""
        return self._agenda.parked if self._agenda else 0

    async def run(self, fresh: AsyncIterator[Case], workers: int, patience: float = inf) -> Sequence[Case]:
        """Works until every case has ended or the run is stopped; then nothing is under way any more.

        `patience`: it ends too when only decisions are outstanding, and none is to be read within so many seconds;
        gives the cases that wait for them, which have no end yet.
        """
        spacing = self._poll_spacing()
        most = self.engine.patience.decision_wait / spacing
        agenda = WorkQueue(fresh, self.engine.clock, spacing, most, patience)
        self._agenda = agenda
        tasks = [asyncio.create_task(self._work(agenda), name=f"worker-{number}") for number in range(workers)]
        stopping = asyncio.create_task(self.engine.stops.requested.wait(), name="stop")
        try:
            await self._until_done_or_stopped(tasks, stopping, agenda)
        finally:
            agenda.close()
            stopping.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
        left = agenda.leave()
        if agenda.only_waiting and not self.engine.stops.requested.is_set():
            return left
        for case in left:
            await self.engine.leave(case)
        return ()

    async def _until_done_or_stopped(
        self, tasks: list[asyncio.Task[None]], stopping: asyncio.Task[bool], agenda: WorkQueue
    ) -> None:
        pending = set(tasks)
        while pending and not stopping.done():
            await asyncio.wait([*pending, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in pending if task.done()]:
                pending.discard(task)
                task.result()
        if not pending:
            return
        agenda.close()
        self.engine.client.close()
        await self._drain(pending)
        for task in [task for task in pending if task.done()]:
            task.result()

    async def _drain(self, tasks: set[asyncio.Task[None]]) -> None:
        """Lets calls under way end: for DRAIN_SECONDS, or until a second signal."""
        drained = asyncio.create_task(asyncio.wait(tasks), name="drain")
        hurried = asyncio.create_task(self.engine.stops.at_once.wait(), name="hurry")
        await asyncio.wait([drained, hurried], timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurried):
            task.cancel()
        await asyncio.gather(drained, hurried, return_exceptions=True)

    async def _work(self, agenda: WorkQueue) -> None:
        while (case := await agenda.take()) is not None:
            try:
                await self._advance(case, agenda)
            except (NotPermitted, Unreachable) as error:
                self.engine.stops.block(error)
                await self.engine.leave(case)
            except (Closed, asyncio.CancelledError):
                await self.engine.leave(case)
                if not self.engine.stops.requested.is_set():
                    raise
            finally:
                agenda.done()

    async def _advance(self, case: Case, agenda: WorkQueue) -> None:
        """Takes the row as far as it goes, and parks it where it has to wait."""
        while (due := await self.engine.advance(case)) is not None:
            if case.resting and not agenda.rest(case, due):
                await self.engine.rest(due)
                continue
            if not case.resting and not agenda.park(case, due, case.wait_until or due):
                await self.engine.leave(case)  # more wait than this run could ask about once more
            return

    def _poll_spacing(self) -> float:
        """Seconds between two polls of whichever rows."""
        window = self.engine.client.limiters[CallClass.READ].window
        allowed = MOST_POLLS if window is None else POLLS_SHARE * window.rate.calls / window.rate.seconds
        return 1 / min(MOST_POLLS, allowed)
