"""Group commit: what many workers want written goes into one transaction, and each learns when it is durable.

One transaction takes everything that queued while the last one ran (a window of 0 measured best). Writes are
applied in the order in which they were asked for, so waiting for one means that all earlier ones are durable too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from jobs.ledger.rows import Transition
from jobs.ledger.sqlite import LedgerBroken
from jobs.ledger.store import Store

MOST_AT_ONCE = 2_000
"""Transitions in one transaction (chosen): bounds its memory and the wait behind it."""

Offload = Callable[..., Awaitable[Any]]
"""Runs a blocking function elsewhere: `asyncio.to_thread`; a simulation runs it in place."""


class Writer:
    """The one writer of a run. `async with` it; leaving waits until everything is durable.

    After a failed commit every later call raises LedgerBroken: nothing may be sent without a ledger.
    """

    def __init__(
        self, store: Store, space_id: int, epoch: int, run_id: str, offload: Offload = asyncio.to_thread
    ) -> None:
        self.store, self.space_id, self.epoch, self.run_id, self.offload = store, space_id, epoch, run_id, offload
        self.broken: LedgerBroken | None = None
        self._waiting: list[tuple[Transition, asyncio.Future[None] | None]] = []
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Writer":
        self._task = asyncio.create_task(self._commit_for_ever(), name="ledger-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._more.set()
        assert self._task is not None
        await self._task

    async def commit(self, transition: Transition) -> None:
        """Returns when `transition`, and all that was posted before it, is on the disk. Raises LedgerBroken."""
        self._check()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((transition, future))
        self._more.set()
        await future

    async def post(self, transition: Transition) -> None:
        """Queues `transition`; waits only while the queue is full. The next `commit` covers it."""
        self._check()
        self._waiting.append((transition, None))
        self._more.set()
        if len(self._waiting) >= MOST_AT_ONCE:
            self._room.clear()
            await self._room.wait()
            self._check()

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    async def _commit_for_ever(self) -> None:
        while not (self._closing and not self._waiting):
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._commit_group(group)
                self._room.set()

    async def _commit_group(self, group: Sequence[tuple[Transition, asyncio.Future[None] | None]]) -> None:
        if self.broken is None:
            try:
                transitions = [transition for transition, _ in group]
                await self.offload(self.store.apply, self.space_id, self.epoch, self.run_id, transitions)
            except LedgerBroken as error:
                self.broken = error
            except (DBAPIError, OSError) as error:
                cause = str(error.orig) if isinstance(error, DBAPIError) else (error.strerror or "I/O error")
                self.broken = LedgerBroken(f"the ledger can't be written: {cause}", hint="free the disk, then resume")
        for _, future in group:
            if future is None or future.done():
                continue
            if self.broken is None:
                future.set_result(None)
            else:
                future.set_exception(self.broken)
