"""Reading the target afresh for a reconciliation made later: row by row, or from a listing where that costs less."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from jobs.batch import Batch
from jobs.clock import from_milliseconds, iso, milliseconds
from jobs.errors import ExitCode
from jobs.keys import DERIVED, Pseudonyms
from jobs.ledger.resolutions import decided_rows
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import COMPLETE
from jobs.publishing.findings import Findings
from jobs.reconciliation.compare import Claim, Reconciliation, claims
from jobs.reconciliation.listing import NOTHING, Listing, if_cheaper, listed, not_listed, only_in_target
from jobs.reconciliation.pseudonymous import PseudonymComparer, sealed_claims
from jobs.reconciliation.resolutions import Decided, as_decided, prove, rows_of
from jobs.run.place import Place
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, outage_of, system_of
from jobs.settings.pseudonyms import key_is_there, pseudonyms_of
from jobs.settings.settings import Settings
from jobs.systems.contract import System
from jobs.systems.messages import Reader
from jobs.systems.row import Row
from jobs.systems.sighting import Listed
from jobs.value import value
from schemas.reconciliation import RECONCILIATION_SCHEMA


@value
class Asked:
    """What a later reconciliation was asked for."""

    run: RunRow
    settings: Settings
    decisions: Path | None = None
    """What a person decided about rows of the run."""
    listing: bool | None = None
    """Whether all customers are to be listed; None: only where that costs fewer reads, and to spare reads alone."""


@dataclass(slots=True)
class LaterReconciliation:
    """A reconciliation under way. `batch` None: the input is gone or was changed, and `comparer` compares instead."""

    asked: Asked
    place: Place
    store: Store
    batch: Batch | None
    comparer: PseudonymComparer | None
    findings: Findings = field(default_factory=Findings)
    claimed: set[str] | None = None
    """Customer ids that rows of the run claim; kept only beside a listing."""
    notes: list[str] = field(default_factory=list)
    epoch: int = 0
    """Of the lease, where something is recorded; else 0."""
    decided: Sequence[Decided] = ()

    @property
    def space_id(self) -> int:
        """The ledger's space of the run."""
        return self.store.space(self.asked.settings.job_name.ledger_system, self.asked.run.tenant)

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        """Those by which the ledger hides keys; None: their key is gone."""
        ledger = self.asked.settings.ledger
        return pseudonyms_of(ledger) if key_is_there(ledger) else None

    def shown(self, stranger: Listed) -> Listed:
        """A customer of the target with a key that files may show: nobody knows what a derived one was made from."""
        derived = stranger.key is not None and re.fullmatch(DERIVED, stranger.key)
        if not derived or self.store.known(self.space_id, [stranger.key or ""]):
            return stranger
        return replace(stranger, key=None if self.pseudonyms is None else self.pseudonyms.hidden(stranger.key or ""))


async def read_afresh(later: LaterReconciliation) -> Sequence[Path]:
    """Reads the target with a client of its own and compares; the lines, set aside. Raises NotPermitted, Unreachable.

    Once lines are compared, an outage that lasts too long leaves the rest unverified.
    """
    settings, parts, clock = later.asked.settings, list[Path](), later.place.clock
    system, outage = system_of(settings), outage_of(settings, clock, later.place.progress.note)
    given, hear = credential_of(settings, reading=True), saying(later.place.progress)
    opening = connected(settings, system, given, clock, store=later.store, outage=outage, hear=hear)
    async with opening as client:
        if later.asked.decisions is not None:
            rows = rows_of(later.batch, later.decided) if later.batch is not None else {}
            await prove(later.asked.decisions, later.decided, system, client, rows, later.comparer)
            record(later)
        listing = await listing_if_cheaper(later, system, client)
        reconciliation = Reconciliation(system, client, later.place.clock, later.comparer, listing.customers)
        with later.place.progress.stage("reconciling", later.asked.run.rows) as count:
            async for frame in reconciliation.frames(claims_of(later), settings.concurrency):
                parts.append(set_aside(frame, later.place.work, len(parts)))
                count.advance(frame["source_row"].n_unique())
        parts.extend(unclaimed(later, listing, len(parts)))
        seen = reconciliation.complete if reconciliation.unreachable is None else None
        later.findings = Findings(complete_at_target=seen, calls=dict(client.calls), not_read=reconciliation.not_read)
        if reconciliation.unreachable is not None:
            later.findings = replace(later.findings, codes=frozenset({ExitCode.UNREACHABLE}))
            later.notes.append(reconciliation.unreachable.message)
    return parts


async def listing_if_cheaper(later: LaterReconciliation, system: System, reader: Reader) -> Listing:
    """All customers of the target, where they were asked for or a listing spares reads; else an empty listing."""
    if later.asked.listing:
        with later.place.progress.stage("listing", None):
            found = await listed(system, reader)
        told = found.told
    elif later.asked.listing is None:
        counts = later.store.outcome_counts(later.asked.run.run_id)
        held = sum(counts.get(outcome, 0) for outcome in COMPLETE)
        found, told = await if_cheaper(system, reader, held, later.asked.settings.concurrency)
    else:
        found, told = NOTHING, "each row was looked up at the target"
    later.notes.append(told)
    if found is not NOTHING:
        later.claimed = set()
    return found


def unclaimed(later: LaterReconciliation, listing: Listing, number: int) -> Iterator[Path]:
    """The lines of customers that only the target has, of the time of the run; asked for with `--list`."""
    run, now = later.asked.run, iso(later.place.clock.now())
    if later.claimed is None:
        return
    since, until = from_milliseconds(run.started_ms), from_milliseconds(run.ended_ms or run.started_ms)
    strangers = list(listing.strangers(later.claimed or (), since, until))
    if not later.asked.listing:
        if strangers:
            later.notes.append(f"{len(strangers):,} customers of the run's time are not of it; --list names them")
        return
    lines = [only_in_target(later.shown(each), now) for each in strangers]
    if listing.whole is not None:
        later.notes.append(f"unverified: who else is only at the target, for {listing.whole}")
        lines.append(not_listed(now))
    if listing.undated:
        later.notes.append(f"{listing.undated:,} customers show no time of creation: not judged")
    yield set_aside(pl.DataFrame(lines, schema=RECONCILIATION_SCHEMA, orient="row"), later.place.work, number)


def record(later: LaterReconciliation) -> None:
    """The decisions go into the ledger, in the history of the run that they are about."""
    system, now_ms = system_of(later.asked.settings), milliseconds(later.place.clock.now())
    transitions = [each for decided in later.decided for each in decided.transitions(system, now_ms)]
    if transitions:
        later.store.apply(later.space_id, later.epoch, later.asked.run.run_id, transitions)
        later.notes.append(f"{len(later.decided):,} decisions were recorded")


async def claims_of(later: LaterReconciliation) -> AsyncIterator[Sequence[tuple[Claim, Row | None]]]:
    """What the ledger says of each row, with what people decided, beside the row or its pseudonyms."""
    store, run_id = later.store, later.asked.run.run_id
    decided = decided_rows(store, run_id, later.asked.run.ended_ms or 0)
    windows: AsyncIterator[Sequence[tuple[Claim, Row | None]]]
    if later.batch is not None:
        windows = claims(store, run_id, later.batch.in_order())
    else:
        windows = sealed_claims(store, run_id, later.space_id)
    async for window in windows:
        told = [
            (as_decided(claim, *decided[claim.source_row]) if claim.source_row in decided else claim, row)
            for claim, row in window
        ]
        if later.claimed is not None:
            later.claimed.update(claim.customer_id for claim, _ in told if claim.customer_id)
        yield told


def set_aside(frame: pl.DataFrame, work: Path, number: int) -> Path:
    """Lines of the reconciliation on the disk, so that memory stays flat."""
    part = work / f"reconciliation-{number:06}.parquet"
    frame.write_parquet(part)
    return part
