"""The control totals of a run, each side from its own source: the validated file, the ledger, the target.

Hash totals do not depend on the order of rows and change with one digit: the sum, modulo 2^64, of the first 8 bytes of
a keyed HMAC-SHA-256 of each value.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from jobs.batch import Batch
from jobs.clock import from_milliseconds, iso
from jobs.keys import Pseudonyms
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.ledger.totals import Created, Entry, created, distinct_keys, entries
from jobs.model import Origin, Outcome
from jobs.publishing.findings import Findings
from jobs.reports.totals import ControlTotal
from jobs.systems.contract import CUSTOMER_STEP, WALLET_STEP, further_wallet
from jobs.systems.row import Row
from jobs.windows import A_WINDOW

MODULUS = 2**64
CHANGED_SINCE = "changed_since"
HASHED = {"identities": "national_id", "phones": "phone"}
"""Hash totals and the column that each is over."""


@dataclass(slots=True)
class Tally:
    """What one pass over file and ledger, side by side, adds up."""

    file: Counter[str] = field(default_factory=Counter)
    ledger: Counter[str] = field(default_factory=Counter)
    set_aside: int = 0
    """Rows that the ledger rightly knows with other data than the file has now; in neither hash total."""
    customers: int = 0
    wallets: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By wallet type and currency."""


def control_totals(
    store: Store, run: RunRow, batch: Batch, pseudonyms: Pseudonyms, findings: Findings
) -> tuple[ControlTotal, ...]:
    """All totals of `run`. `findings`: what the fresh read of the target found.

    Raises Unusable when `pseudonyms` are not the ledger's own.
    """
    store.know_key(pseudonyms.of("key", "check"))
    outcomes = {outcome.value: rows for outcome, rows in store.outcome_counts(run.run_id).items()}
    made = created(store, run, (CUSTOMER_STEP, WALLET_STEP))
    tally = tallied(store, run, batch, pseudonyms, made)
    return (
        *_rows(batch, outcomes, findings),
        ControlTotal("distinct keys", _distinct_keys(batch), distinct_keys(store, run.run_id)),
        *(ControlTotal(f"hash total of {name}", _hex(tally.file[name]), _hex(tally.ledger[name])) for name in HASHED),
        ControlTotal("rows that the ledger knows with other data", tally.set_aside, tally.set_aside),
        *_creations(tally, made),
    )


def tallied(store: Store, run: RunRow, batch: Batch, pseudonyms: Pseudonyms, made: Created) -> Tally:
    """Reads file and ledger once, in step; a row that only one of them has counts on that side alone."""
    tally = Tally()
    known = entries(store, run)
    entry = next(known, None)
    for row in (row for window in batch.accepted(A_WINDOW) for row in window):
        while entry is not None and entry.source_row < row.source_row:
            _add(tally.ledger, entry.pseudonyms)
            entry = next(known, None)
        ours = {column: pseudonyms.of(column, row.values[column]) for column in HASHED.values() if column in row.values}
        if entry is None or entry.source_row != row.source_row:
            _add(tally.file, ours)
            continue
        _count_created(tally, row, entry, made, run)
        if set_aside(entry, ours, row, run, pseudonyms):
            tally.set_aside += 1
        else:
            _add(tally.file, ours)
            _add(tally.ledger, entry.pseudonyms)
        entry = next(known, None)
    for left in (each for each in (entry, *known) if each is not None):
        _add(tally.ledger, left.pseudonyms)
    return tally


def set_aside(entry: Entry, ours: Mapping[str, str], row: Row, run: RunRow, pseudonyms: Pseudonyms) -> bool:
    """Whether the ledger holds other data of this row for a reason that it tells.

    They were sent by an earlier run and the file was changed since, or a later run was given corrected ones.
    """
    if all(entry.pseudonyms.get(column) == value for column, value in ours.items()):
        return False
    if entry.fingerprint == pseudonyms.fingerprint(row.values):
        return False
    earlier = entry.first_attempt_ms is not None and entry.first_attempt_ms < run.started_ms
    return entry.reason_code == CHANGED_SINCE or entry.run_id != run.run_id or earlier


def _add(sums: Counter[str], values: Mapping[str, str]) -> None:
    for name, column in HASHED.items():
        if column in values:
            sums[name] = (sums[name] + int(values[column][:16], 16)) % MODULUS


def _count_created(tally: Tally, row: Row, entry: Entry, made: Created, run: RunRow) -> None:
    if made.has(CUSTOMER_STEP, row.source_row) and entry.facts.get("customer_origin") != Origin.ADOPTED:
        tally.customers += 1
    if not any(made.has(step, row.source_row) for step in made.rows):
        return
    currencies = (row.get("currency") or str(run.settings.get(f"{run.system}.currency") or "default")).split(";")
    for place, kind in enumerate(entry.facts.get("wallet_type_id", "unknown").split(";")):
        if made.has(further_wallet(kind) if place else WALLET_STEP, row.source_row):
            tally.wallets[kind, currencies[min(place, len(currencies) - 1)]] += 1


def _rows(batch: Batch, outcomes: Mapping[str, int], findings: Findings) -> Iterator[ControlTotal]:
    yield ControlTotal("rows", batch.rows, sum(outcomes.values()))
    for outcome in Outcome:
        file = batch.validated.quarantined_rows if outcome is Outcome.QUARANTINED else None
        yield ControlTotal(f"rows {outcome}", file, outcomes.get(outcome, 0))
    complete = outcomes.get(Outcome.ONBOARDED, 0) + outcomes.get(Outcome.ALREADY_ONBOARDED, 0)
    unread, found = findings.not_read.complete, findings.complete_at_target
    yield ControlTotal("rows complete", None, complete, None if unread else found)
    if unread and found is not None:
        yield ControlTotal("rows complete and read at the target", None, complete - unread, found)


def _creations(tally: Tally, made: Created) -> Iterator[ControlTotal]:
    yield ControlTotal("customers created", None, tally.customers)
    for (kind, currency), count in sorted(tally.wallets.items()):
        yield ControlTotal(f"wallets created, type {kind}, currency {currency}", None, count)
    for name, moment in (("earliest creation", made.first_ms), ("latest creation", made.last_ms)):
        yield ControlTotal(name, None, None if moment is None else iso(from_milliseconds(moment)))


def _distinct_keys(batch: Batch) -> int:
    """Where all hashes differ, all keys do: 8 bytes a row, and not the keys themselves, are held for it."""
    keys = pl.scan_parquet(batch.validated.accepted, glob=False).select("external_unique_id")
    hashes = keys.select(pl.first().hash()).collect().to_series().sort()
    if hashes.n_unique() == len(hashes):
        return len(hashes)
    return int(keys.select(pl.first().n_unique()).collect().item())


def _hex(total: int) -> str:
    return f"{total:016x}"
