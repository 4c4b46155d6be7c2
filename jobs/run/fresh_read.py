"""The fresh read at the end of a run, and of its first rows: the target compared with what the ledger claims."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl

from jobs.errors import NotPermitted, Unreachable
from jobs.ledger.history import Span
from jobs.ledger.readings import ReadShard, lines_of, shards_read
from jobs.ledger.store import Store
from jobs.model import AGREEING, COMPLETE, Outcome
from jobs.reconciliation.compare import Reconciliation, claims
from jobs.reconciliation.listing import NOTHING, if_cheaper
from jobs.reports.folder import RunFolder
from jobs.reports.not_read import ALL_READ, NotRead
from jobs.reports.reconciliation import write_reconciliation
from jobs.run.canary import DEAD
from jobs.run.context import RunContext, unless
from jobs.run.read_again import LEFT, READS_ALL, ReadAgain
from jobs.run.shard_read import frame_of
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, reader_given
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.transport.client import Client
from jobs.transport.outage import Outage
from jobs.value import value


@value
class Reread:
    """A fresh read of the target, compared: lines set aside window by window, so that memory stays flat."""

    parts: Sequence[Path]
    complete: int | None
    """Rows found complete at the target; None when it was not read."""
    not_read: NotRead = ALL_READ

    def written(self, folder: RunFolder) -> dict[str, Any]:
        """Writes the reconciliation; what was found, for `Findings`."""
        counts = write_reconciliation((pl.read_parquet(part) for part in self.parts), folder)
        return {"reconciliation": dict(counts), "complete_at_target": self.complete, "not_read": self.not_read}


class Silence:
    """The reader of a target that can't be reached any more."""

    async def read(self, request: Request) -> Reply:
        """Raises ReadFailed, and asks nobody."""
        raise ReadFailed(f"{request.operation}: the target could not be reached")


async def reread_if_possible(context: RunContext, outage: Outage, *, own_reads: bool) -> Reread:
    """`reread`; nothing when the target is closed to this run, or a signal comes meanwhile.

    `own_reads`: the credential of the run may read back what it made.
    """
    stops, nothing = context.stops, Reread((), None)
    if stops.target_is_closed:
        return nothing
    if not context.given.system.capabilities.reads_back:
        stops.note(f"{context.given.system.capabilities.title} shows nothing of what it was sent: nothing was compared")
        return nothing
    if not own_reads and not reader_given(context.given.settings):
        stops.note("nothing was compared: that takes MUSTER_RECON_IDENTITY or MUSTER_OPERATOR_IDENTITY with a password")
        return nothing
    try:
        return await unless(stops.signalled, reread(context, outage, own_reads=own_reads)) or nothing
    except NotPermitted as error:
        stops.block(error)
        return nothing


async def reread(context: RunContext, outage: Outage, *, own_reads: bool) -> Reread:
    """Reads the target with a client of its own and compares; what an outage hides stays unverified.

    Raises NotPermitted.
    """
    settings, system, store = context.given.settings, context.given.system, context.session.store
    given = credential_of(settings, reading=True, own_reads=own_reads)
    try:
        if outage.ended is not None:
            raise outage.ended
        clock, hear = context.place.clock, saying(context.place.progress)
        opening = connected(settings, system, given, clock, store=store, outage=outage, hear=hear)
        async with opening as client:
            try:
                return await compared(context, client)
            finally:
                context.calls.update(client.calls)
    except Unreachable as error:
        context.stops.block(error)
        return replace(await compared(context, Silence()), complete=None)


async def compared(context: RunContext, reader: Reader) -> Reread:
    """What the ledger claims beside what `reader` shows, or showed the workers; an outage that lasts too long stops
    the run.
    """
    parts = list[Path]()
    system, settings, clock = context.given.system, context.given.settings, context.place.clock
    store, run_id, batch = context.session.store, context.run.run_id, context.given.batch
    read = shards_read(store, run_id)
    found = sum(each.complete for each in read)
    again = ReadAgain.of(store, run_id, settings.reread, clock.random)
    counts = store.outcome_counts(run_id)
    held = max(0, sum(counts.get(outcome, 0) for outcome in COMPLETE) - again.spared - found)
    listing, told = await if_cheaper(system, reader, held, settings.concurrency)
    if listing is not NOTHING:
        context.stops.note(told)
    reconciliation = Reconciliation(system, reader, clock, listed=listing.customers)
    rows = batch.in_order()
    with context.place.progress.stage("reconciling", batch.rows - again.spared) as count:
        for span, shard in pieces(read, batch.rows):
            theirs = claims(store, run_id, rows, again.takes, span)
            own = reconciliation.frames(theirs, settings.concurrency)
            async for frame in own if shard is None else kept(store, run_id, shard):
                parts.append(context.place.work / f"reconciliation-{len(parts):06}.parquet")
                frame.write_parquet(parts[-1])
                count.advance(frame["source_row"].n_unique())
    not_read = reduce(NotRead.and_those, [NotRead.read(each.not_read) for each in read], reconciliation.not_read)
    not_read = again.told(not_read)
    if left := not_read.causes.get(LEFT, 0):
        context.stops.note(f"{left:,} rows that were complete before were not read again: {READS_ALL}")
    if reconciliation.unreachable is None:
        return Reread(parts, reconciliation.complete + found, not_read)
    context.stops.block(reconciliation.unreachable)
    return Reread(parts, None, not_read)


def pieces(read: Sequence[ReadShard], rows: int) -> Iterator[tuple[Span, int | None]]:
    """The source rows 1 to `rows` in order: each shard that its worker has `read`, with its number, and None with the
    rows between, which are left to be read.
    """
    after = 0
    for each in read:
        if each.first_row > after + 1:
            yield (after + 1, each.first_row - 1), None
        yield (each.first_row, each.last_row), each.shard
        after = each.last_row
    if after < rows:
        yield (after + 1, rows), None


async def kept(store: Store, run_id: str, shard: int) -> AsyncIterator[pl.DataFrame]:
    """What the worker of a shard saw."""
    yield frame_of(await asyncio.to_thread(lines_of, store, run_id, shard))


async def judge_canary(context: RunContext, client: Client, first: Mapping[int, Outcome]) -> None:
    """Reads the first rows afresh, and stops the run unless every one of them went well and is there.

    `first`: how those of them ended, by source row, that say how the rest would fare. Leaves a run alone that was
    stopped already, or is meanwhile.
    """
    stops = context.stops
    if stops.requested.is_set():
        return
    try:
        await unless(stops.requested, _judge(context, client, first))
    except (NotPermitted, Unreachable) as error:
        stops.block(error)


async def _judge(context: RunContext, client: Client, first: Mapping[int, Outcome]) -> None:
    reconciliation = Reconciliation(context.given.system, client, context.place.clock)
    bad = dict(Counter(outcome.value for outcome in first.values() if outcome in DEAD))
    able = context.given.system.capabilities
    if able.reads_apart or not able.reads_back:  # this credential may not look back; their outcomes have to do
        return stop_canary(context, bad)
    store, run_id = context.session.store, context.run.run_id
    theirs = claims(store, run_id, context.given.batch.in_order(), lambda claim: claim.source_row in first)
    async for frame in reconciliation.frames(theirs, context.given.settings.concurrency):
        wrong = frame.filter(~pl.col("class").is_in(list(AGREEING)))
        bad |= dict(wrong["class"].value_counts().iter_rows())
    if reconciliation.unreachable is not None:
        raise reconciliation.unreachable
    return stop_canary(context, bad)


def stop_canary(context: RunContext, bad: Mapping[str, int]) -> None:
    """Stops the run when anything is `bad` (outcomes and classes, with their counts)."""
    if bad:
        found = ", ".join(f"{count} {name}" for name, count in sorted(bad.items()))
        context.stops.policy(
            "canary", f"stopped: of the first {context.given.settings.canary} rows, {found} (--canary)"
        )
