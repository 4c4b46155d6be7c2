"""Group commit: what many workers want written goes into one transaction, and each learns when it is durable.

One transaction takes everything that queued while the last one ran, and what the workers that are at work just now
still bring: on a busy machine that is three times as much, on an idle one it costs nothing. (A window of time costs
latency: 2 ms of it made groups of 15 instead of 6, measured.) Writes are applied in the order in which they were asked
for, so waiting for one means that all earlier ones are durable too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError

from jobs.ledger.broken import LedgerBroken, LedgerRefuses, words_of
from jobs.ledger.lease import Lease
from jobs.ledger.rows import IdClaim, Part, Transition
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fenced

MOST_AT_ONCE = 10_000
"""Transitions in one transaction (chosen): bounds its memory and the wait behind it.

Keys are random, so each transaction writes most pages of a large ledger again: 100,000 outcomes at a stop made 1.3 GB
of writes in portions of 2,000, and a third of it in these (measured).
"""

Offload = Callable[..., Awaitable[Any]]
"""Runs a blocking function elsewhere: `asyncio.to_thread`; a simulation runs it in place."""


class Writer:
    """The one writer of a run. `async with` it; leaving waits until everything is durable, else raises LedgerBroken.

    After a failed commit every later call raises LedgerBroken: nothing may be sent without a ledger.
    """

    def __init__(
        self,
        store: Store,
        space_id: int,
        epoch: int,
        run_id: str,
        offload: Offload = asyncio.to_thread,
        lease: Lease | None = None,
        *,
        part: Part | None = None,
    ) -> None:
        """`lease`: what is to be fresh when a commit returns, for then something is sent; None: it is nobody's.

        `part`: the shard of the run that it writes about; None: it writes about the whole.
        """
        self.store, self.space_id, self.epoch, self.run_id, self.offload = store, space_id, epoch, run_id, offload
        self.lease, self.part = lease, part
        self.broken: LedgerBroken | None = None
        self._waiting: list[tuple[Transition, asyncio.Future[Mapping[IdClaim, str]] | None]] = []
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Writer":
        self._task = asyncio.create_task(self._commit_for_ever(), name="ledger-writer")
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._closing = True
        self._more.set()
        assert self._task is not None
        await self._task
        if error is None:
            self._check()  # what was only posted has nobody else to hear of its loss

    async def commit(self, transition: Transition) -> Mapping[IdClaim, str]:
        """Returns when `transition`, and all that was posted before it, is on the disk. Raises LedgerBroken.

        Gives those of its claims that were not made, with the key that holds the id.
        """
        future: asyncio.Future[Mapping[IdClaim, str]] = asyncio.get_running_loop().create_future()
        self._queue(transition, future)
        held = await future
        if self.lease is not None and not self.lease.fresh():
            await self._renewed(self.lease)
        return held

    async def _renewed(self, lease: Lease) -> None:
        """Proves that nobody has taken the space over since the last beat, or raises LedgerBroken for good."""
        try:
            mine = await self.offload(lease.renew)
        except Exception as error:
            self.broken = broken(error)
        else:
            self.broken = self.broken or (None if mine else Fenced.taken_over())
        self._check()

    async def post(self, transition: Transition) -> None:
        """Queues `transition`; waits only while the queue is full. The next `commit` covers it."""
        self._queue(transition, None)
        if len(self._waiting) >= MOST_AT_ONCE:
            self._room.clear()
            await self._room.wait()
            self._check()

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def _queue(self, transition: Transition, future: asyncio.Future[Mapping[IdClaim, str]] | None) -> None:
        self._check()
        assert self._task is not None, "the writer is not open"
        assert not self._task.done(), "the writer has ended"
        self._waiting.append((transition, future))
        self._more.set()

    async def _commit_for_ever(self) -> None:
        while not (self._closing and not self._waiting):
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                await self._gathered()
                group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._commit_group(group)
                self._room.set()

    async def _gathered(self) -> None:
        """Gives way as long as each turn brings more."""
        before = 0
        while before < len(self._waiting) < MOST_AT_ONCE:
            before = len(self._waiting)
            await asyncio.sleep(0)

    async def _commit_group(
        self, group: Sequence[tuple[Transition, asyncio.Future[Mapping[IdClaim, str]] | None]]
    ) -> None:
        held: Mapping[IdClaim, str] = {}
        if self.broken is None:
            try:
                transitions = [transition for transition, _ in group]
                apply = self.store.apply if self.part is None else partial(self.store.apply, part=self.part)
                held = await self.offload(apply, self.space_id, self.epoch, self.run_id, transitions)
            except Exception as error:  # whatever it is: the waiters must hear of it, or they wait for ever
                self.broken = broken(error)
        for transition, future in group:
            if future is None or future.done():
                continue
            if self.broken is None:
                future.set_result({claim: held[claim] for claim in transition.claims if claim in held})
            else:
                future.set_exception(self.broken)


def broken(error: Exception) -> LedgerBroken:
    """What a failed commit means, in words that hold no value of a row."""
    if isinstance(error, LedgerBroken):
        return error
    if isinstance(error, (OperationalError, OSError)):
        cause = words_of(error.orig) if isinstance(error, OperationalError) else (error.strerror or "I/O error")
        return LedgerBroken(f"the ledger can't be written: {cause}", hint="free the disk, then resume")
    cause = words_of(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    return LedgerRefuses(f"the ledger refuses a row: {cause}", hint="this is a defect of muster; nothing was lost")
