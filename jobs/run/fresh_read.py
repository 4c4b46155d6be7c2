"""The fresh read at the end of a run, and of its first rows: the target compared with what the ledger claims."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from jobs.errors import NotPermitted, Unreachable
from jobs.model import AGREEING, Outcome
from jobs.reconciliation.compare import Claim, Reconciliation, claims
from jobs.reports.folder import RunFolder
from jobs.reports.reconciliation import write_reconciliation
from jobs.run.canary import DEAD
from jobs.run.context import Underway, unless
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, reader_given
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.row import Row
from jobs.transport.client import Client
from jobs.transport.outage import Outage


@dataclass(frozen=True, slots=True)
class Reread:
    """A fresh read of the target, compared: lines set aside window by window, so that memory stays flat."""

    parts: Sequence[Path]
    complete: int | None
    """Rows found complete at the target; None when it was not read."""

    def written(self, folder: RunFolder) -> dict[str, Any]:
        """Writes the reconciliation; what was found, for `Findings`."""
        counts = write_reconciliation((pl.read_parquet(part) for part in self.parts), folder)
        return {"reconciliation": dict(counts), "complete_at_target": self.complete}


class Silence:
    """The reader of a target that can't be reached any more."""

    async def read(self, request: Request) -> Reply:
        """Raises ReadFailed, and asks nobody."""
        raise ReadFailed(f"{request.operation}: the target could not be reached")


async def reread_if_possible(under: Underway, outage: Outage) -> Reread:
    """`reread`; nothing when the target is closed to this run, or a signal comes meanwhile."""
    stops, nothing = under.stops, Reread((), None)
    if stops.target_is_closed:
        return nothing
    if not under.system.capabilities.reads_back:
        stops.note(f"{under.system.capabilities.title} shows nothing of what it was sent: nothing was compared")
        return nothing
    if not reader_given(under.settings):
        stops.note("nothing was compared: that takes MUSTER_RECON_IDENTITY or MUSTER_OPERATOR_IDENTITY with a password")
        return nothing
    try:
        return await unless(stops.signalled, reread(under, outage)) or nothing
    except NotPermitted as error:
        stops.block(error)
        return nothing


async def reread(under: Underway, outage: Outage) -> Reread:
    """Reads the target with a client of its own and compares; what an outage hides stays unverified.

    Raises NotPermitted.
    """
    settings, store = under.settings, under.store
    given = credential_of(settings, reading=True)
    try:
        if outage.ended is not None:
            raise outage.ended
        hear = saying(under.progress)
        opening = connected(settings, under.system, given, under.clock, store=store, outage=outage, hear=hear)
        async with opening as client:
            try:
                return await compared(under, client)
            finally:
                under.calls.update(client.calls)
    except Unreachable as error:
        under.stops.block(error)
        return replace(await compared(under, Silence()), complete=None)


async def compared(under: Underway, reader: Reader) -> Reread:
    """What the ledger claims beside what `reader` shows; an outage that lasts too long stops the run."""
    parts = list[Path]()
    reconciliation = Reconciliation(under.system, reader, under.clock)
    windows = claims(under.store, under.run.run_id, under.batch)
    with under.progress.stage("reconciling", under.batch.rows) as count:
        async for frame in reconciliation.frames(windows, under.settings.concurrency):
            parts.append(under.work / f"reconciliation-{len(parts):06}.parquet")
            frame.write_parquet(parts[-1])
            count.advance(frame["source_row"].n_unique())
    if reconciliation.unreachable is None:
        return Reread(parts, reconciliation.complete)
    under.stops.block(reconciliation.unreachable)
    return Reread(parts, None)


async def judge_canary(under: Underway, client: Client, first: Mapping[int, Outcome]) -> None:
    """Reads the first rows afresh, and stops the run unless every one of them went well and is there.

    `first`: how those of them ended, by source row, that say how the rest would fare. Leaves a run alone that was
    stopped already, or is meanwhile.
    """
    stops = under.stops
    if stops.requested.is_set():
        return
    try:
        await unless(stops.requested, _judge(under, client, first))
    except (NotPermitted, Unreachable) as error:
        stops.block(error)


async def _judge(under: Underway, client: Client, first: Mapping[int, Outcome]) -> None:
    reconciliation = Reconciliation(under.system, client, under.clock)
    bad = dict(Counter(outcome.value for outcome in first.values() if outcome in DEAD))
    able = under.system.capabilities
    if able.reads_apart or not able.reads_back:  # this credential may not look back; their outcomes have to do
        return stop_canary(under, bad)
    theirs = only(claims(under.store, under.run.run_id, under.batch), first)
    async for frame in reconciliation.frames(theirs, under.settings.concurrency):
        wrong = frame.filter(~pl.col("class").is_in(list(AGREEING)))
        bad |= dict(wrong["class"].value_counts().iter_rows())
    if reconciliation.unreachable is not None:
        raise reconciliation.unreachable
    return stop_canary(under, bad)


async def only(
    windows: AsyncIterator[Sequence[tuple[Claim, Row | None]]], rows: Collection[int]
) -> AsyncIterator[Sequence[tuple[Claim, Row | None]]]:
    """The claims of the given source rows."""
    async for window in windows:
        kept = [pair for pair in window if pair[0].source_row in rows]
        if kept:
            yield kept


def stop_canary(under: Underway, bad: Mapping[str, int]) -> None:
    """Stops the run when anything is `bad` (outcomes and classes, with their counts)."""
    if bad:
        found = ", ".join(f"{count} {name}" for name, count in sorted(bad.items()))
        under.stops.policy("canary", f"stopped: of the first {under.settings.canary} rows, {found} (--canary)")
