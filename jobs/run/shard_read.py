"""The fresh read of a shard by its worker, once its rows are sent; and what the leader makes of such readings.

It reads as the leader would: with a client of its own, by nobody's memory. What it may not or can't read is left to the
leader, who reads all rows that no worker has.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

import orjson
import polars as pl

from jobs.batch import Slice
from jobs.errors import NotPermitted, Unreachable, Unusable
from jobs.ledger.readings import Reading
from jobs.ledger.rows import Part
from jobs.reconciliation.compare import Reconciliation, claims
from jobs.run.read_again import ReadAgain
from jobs.run.wiring import Hearing, connected, credential_of, reader_given
from jobs.run.work import Work
from jobs.systems.messages import Reader
from jobs.transport.client import Client
from jobs.transport.outage import Outage
from schemas.reconciliation import RECONCILIATION_SCHEMA


@dataclass(slots=True)
class ShardReader:
    """Reads shards of a run, one after the other. `async with` it; it logs in when there is something to read."""

    work: Work
    outage: Outage
    hear: Hearing
    own_reads: bool
    """Whether the credential of the run may read back what it made."""
    client: Client | None = None
    able: bool = True
    """Whether it may still read; once something was refused the leader reads."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Nothing is opened yet."""
        self.able = self.work.system.capabilities.reads_back
        self.able = self.able and (self.own_reads or reader_given(self.work.settings))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def calls(self) -> Mapping[tuple[str, str, str], int]:
        """What it has sent, by (operation, method, status)."""
        return {} if self.client is None else self.client.calls

    async def seen(self, part: Part, rows: Slice) -> Reading | None:
        """What the target shows of the rows of a shard; None: not all have ended, or it can't be read from here."""
        work = self.work
        ended = work.store.settled_among(work.run.run_id, part.first_row, part.last_row)
        if not self.able or len(ended) <= part.last_row - part.first_row:
            return None
        try:
            return await self._read(await self._connected(), part, rows)
        except (NotPermitted, Unreachable, Unusable):
            self.able = False
            return None

    async def _connected(self) -> Client:
        if self.client is None:
            work, hear = self.work, self.hear
            given = credential_of(work.settings, reading=True, own_reads=self.own_reads)
            place = (work.settings, work.system, given, work.clock)
            opening = connected(*place, store=work.store, outage=self.outage, hear=hear)
            self.client = await self._stack.enter_async_context(opening)
        return self.client

    async def _read(self, reader: Reader, part: Part, rows: Slice) -> Reading:
        work, run, span = self.work, self.work.run, (part.first_row, part.last_row)
        reconciliation = Reconciliation(work.system, reader, work.clock)
        share = -(-work.settings.reread * (part.last_row - part.first_row + 1) // run.rows)
        again = ReadAgain.of(work.store, run.run_id, share, work.clock.random, span)
        theirs = claims(work.store, run.run_id, rows.in_order(), again.takes, span)
        frames = [frame async for frame in reconciliation.frames(theirs, work.settings.concurrency)]
        if reconciliation.unreachable is not None:
            raise reconciliation.unreachable
        told = again.told(reconciliation.not_read).document()
        return Reading(lines_from(frames), reconciliation.complete, told)


def lines_from(frames: list[pl.DataFrame]) -> str:
    """Lines of the reconciliation as the ledger has them."""
    whole = pl.concat(frames) if frames else pl.DataFrame(schema=RECONCILIATION_SCHEMA)
    return orjson.dumps(whole.to_dict(as_series=False)).decode()


def frame_of(lines: str) -> pl.DataFrame:
    """What `lines_from` was given, in one frame."""
    return pl.DataFrame(orjson.loads(lines), schema=RECONCILIATION_SCHEMA)
