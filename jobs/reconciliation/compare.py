"""File against ledger against a fresh read of the target: what agrees, what does not, row by row.

A row is compared with what its outcome promises. Nothing here writes; a look-up that failed is `unverified` and
never a match.
"""

import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import polars as pl

from jobs import folded
from jobs.batch import InOrder
from jobs.clock import Clock, iso
from jobs.errors import Unreachable
from jobs.ledger.history import Span, outcome_windows
from jobs.ledger.store import Store
from jobs.model import COMPLETE, DIFFERING, MatchClass, Outcome
from jobs.reports.not_read import ALL_READ
from jobs.side_by_side import side_by_side
from jobs.systems.contract import Capabilities, System
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison, Listed, Sighting
from jobs.value import value
from jobs.windows import A_LOOKUP
from schemas.reconciliation import RECONCILIATION_SCHEMA

NOT_SENT = frozenset({Outcome.QUARANTINED, Outcome.CONFLICT, Outcome.NOT_ATTEMPTED})
"""Rows for which nothing of ours is at the target, by their outcome."""

NAMES = frozenset({"first_name", "middle_name", "last_name"})
"""Fields whose differences get a similarity."""

WITHHELD = "(only its pseudonym is kept)"
"""Stands for our side of a difference where the ledger's pseudonym is all that is known of it."""


@value
class Claim:
    """What the ledger says of one row: its outcome and the ids that it led to."""

    source_row: int
    key: str | None
    outcome: Outcome
    customer_id: str | None
    wallet_id: str | None
    pseudonyms: Mapping[str, str] | None = None
    """Where the row's values are not at hand, keyed pseudonyms of them, by column; see `pseudonymous.py`."""


class Opener(Protocol):
    """Compares what was seen with pseudonyms instead of values."""

    def opened(self, sighting: Sighting, ours: Mapping[str, str]) -> Sighting:
        """The sighting with its comparisons made."""
        ...


@value
class Line:
    """One line of the reconciliation. `field` None: the row as a whole."""

    match_class: MatchClass
    field: str | None = None
    ours: str | None = None
    theirs: str | None = None
    similarity: int | None = None
    """Of two names that differ, 0 to 100; a high one is for the reader and never makes a match."""


MATCH = (Line(MatchClass.MATCH),)

SHORT_OF = DIFFERING - {MatchClass.FIELD_DIFFERENCE}
"""Classes of a row that the target shows, and not as complete."""


def normalised(text: str | None) -> str:
    """What is compared: NFC, outer spaces off, inner ones single. `folded` says of which columns no more counts."""
    return " ".join(unicodedata.normalize("NFC", text or "").split())


def compare(claim: Claim, sighting: Sighting, able: Capabilities) -> Sequence[Line]:
    """All differences between what `claim` promises and what was seen; MATCH when there is none. Pure."""
    if not able.creates_customers and claim.outcome not in COMPLETE | {Outcome.IN_DOUBT}:
        return MATCH  # the customer was there before, and nothing was promised of it
    if len(sighting.customer_ids) > 1:
        return (Line(MatchClass.AMBIGUOUS, "customer_id", claim.customer_id, ";".join(sighting.customer_ids)),)
    promised = claim.customer_id is not None
    if not sighting.customer_ids:
        missing = promised or claim.outcome is Outcome.IN_DOUBT
        return (Line(MatchClass.MISSING_IN_TARGET, "customer_id", claim.customer_id),) if missing else MATCH
    if not promised:
        there = sighting.customer_ids[0]
        return (Line(MatchClass.STATUS_DIFFERENCE, "customer_id", claim.outcome.value, there),)
    lines = [*fields(sighting.comparisons), *decision(claim, sighting, able)]
    if able.wallets:
        lines += wallet(claim, sighting)
    return lines or matched(sighting.comparisons)


def matched(comparisons: Sequence[Comparison]) -> Sequence[Line]:
    """MATCH; where the target has values in another spelling, it names them: they are no difference."""
    spelt = [each for each in comparisons if folded.differs(each.field, each.ours, each.theirs)]
    if not spelt:
        return MATCH
    ours, theirs = (
        ";".join(each.mask(value) for each, value in zip(spelt, values, strict=True))
        for values in ([each.ours for each in spelt], [each.theirs for each in spelt])
    )
    return (Line(MatchClass.MATCH, ";".join(each.field for each in spelt), ours, theirs),)


def fields(comparisons: Sequence[Comparison]) -> Iterator[Line]:
    """The fields that differ in more than spelling. A value that the file does not have is not compared."""
    for each in comparisons:
        if each.ours is None or each.ours == each.theirs:
            continue
        ours, theirs = normalised(each.ours), normalised(each.theirs)
        if folded.of(each.field, ours) != folded.of(each.field, theirs):
            alike = similarity(ours, theirs) if each.field in NAMES and each.ours != WITHHELD else None
            yield Line(MatchClass.FIELD_DIFFERENCE, each.field, each.mask(each.ours), each.mask(each.theirs), alike)


def similarity(ours: str, theirs: str) -> int:
    """How alike two names are, 0 to 100, whatever their capitals and the order of their words."""
    from rapidfuzz import fuzz  # most runs meet no two names that differ, and it takes 30 ms to load

    return round(fuzz.token_sort_ratio(ours.casefold(), theirs.casefold()))


def decision(claim: Claim, sighting: Sighting, able: Capabilities) -> Iterator[Line]:
    """The decision and the customer's status, where the outcome promises them at that system."""
    promised = able.decided.get(claim.outcome)
    if promised is not None and sighting.decision_status not in promised:
        words = " or ".join(sorted(promised))
        yield Line(MatchClass.STATUS_DIFFERENCE, "decision_status", words, sighting.decision_status)
    status = sighting.customer_status
    if claim.outcome in COMPLETE and able.active and status is not None and status.upper() not in able.active:
        yield Line(MatchClass.STATUS_DIFFERENCE, "status", " or ".join(sorted(able.active)), status)


def wallet(claim: Claim, sighting: Sighting) -> Iterator[Line]:
    """The wallet: promised and there, or neither."""
    if sighting.wallet_ids is None:
        if claim.wallet_id is not None:
            yield Line(MatchClass.UNVERIFIED, "wallet_id", claim.wallet_id)
    elif claim.wallet_id is not None:
        if not set(claim.wallet_id.split(";")) <= set(sighting.wallet_ids):
            yield Line(MatchClass.PARTIAL, "wallet_id", claim.wallet_id, ";".join(sighting.wallet_ids) or None)
    elif claim.outcome in COMPLETE:
        yield Line(MatchClass.PARTIAL, "wallet_id")
    elif sighting.wallet_ids:
        yield Line(MatchClass.STATUS_DIFFERENCE, "wallet_id", None, ";".join(sighting.wallet_ids))


async def claims(
    store: Store,
    run_id: str,
    rows: InOrder,
    taken: Callable[[Claim], bool] = lambda _: True,
    span: Span | None = None,
) -> AsyncIterator[Sequence[tuple[Claim, Row | None]]]:
    """The claims of a run that are `taken`, beside the file's rows, window by window; Row None: quarantined.

    `span`: those of these source rows; None: all.
    """
    for window in outcome_windows(store, run_id, CLAIMED, span=span):
        wanted = [claim for line in window if taken(claim := claim_of(line))]
        for begin in range(0, len(wanted), A_LOOKUP):
            some = wanted[begin : begin + A_LOOKUP]
            found = rows.among([claim.source_row for claim in some])
            yield [(claim, found.get(claim.source_row)) for claim in some]


CLAIMED = ("source_row", "external_unique_id", "outcome", "customer_id", "wallet_id")
"""The columns of the outcome that a claim is made of."""


def claim_of(line: Sequence[Any]) -> Claim:
    """What one outcome row of the ledger claims, of which `line` has CLAIMED."""
    source_row, key, outcome, customer_id, wallet_id = line
    return Claim(source_row, key, Outcome(outcome), customer_id, wallet_id)


class Reconciliation:
    """Reads the target afresh for a stream of rows and compares."""

    def __init__(
        self,
        system: System,
        reader: Reader,
        clock: Clock,
        opener: Opener | None = None,
        listed: Mapping[str, Listed] | None = None,
    ) -> None:
        """`opener`: for claims that have pseudonyms instead of values. `listed`: customers just listed, by their id."""
        self.system, self.reader, self.clock, self.opener = system, reader, clock, opener
        self.listed = listed or {}
        self.complete = 0
        """Rows that the ledger calls complete and the target shows complete: no line but a match or a field's."""
        self.not_read = ALL_READ
        self.unreachable: Unreachable | None = None
        """That the target could not be reached any more: from then on nothing was verified."""

    async def frames(
        self, windows: AsyncIterator[Sequence[tuple[Claim, Row | None]]], workers: int
    ) -> AsyncIterator[pl.DataFrame]:
        """One frame of lines for each window of claims, in their order. `Row` None: quarantined, never read."""
        async for window in windows:
            lines = await side_by_side(self._lines, window, workers)
            rows = [line for row_lines in lines for line in row_lines]
            yield pl.DataFrame(rows, schema=RECONCILIATION_SCHEMA, orient="row")

    async def _lines(self, claimed: tuple[Claim, Row | None]) -> list[tuple[Any, ...]]:
        claim, row = claimed
        read_at = None
        if claim.outcome in NOT_SENT:
            found: Sequence[Line] = (Line(MatchClass.NOT_SENT),)
        elif row is None:  # an older muster took it, and sent it; it would be refused now
            found = await self._read(replace(claim, pseudonyms={}), valueless(claim))
            read_at = iso(self.clock.now())
        else:
            found = await self._read(claim, row)
            read_at = iso(self.clock.now())
        return [reported(claim, line, read_at) for line in found]

    async def _read(self, claim: Claim, row: Row) -> Sequence[Line]:
        facts: Mapping[str, str] = {"customer_id": claim.customer_id} if claim.customer_id else {}
        if claim.pseudonyms is not None and not facts:
            return self._unread(claim, "the ledger knows no customer id, and without the input nothing can be asked")
        listed = self.listed.get(claim.customer_id or "")
        try:
            lines = await self._seen(claim, row, facts, listed)
            if listed is not None and not agreeing(lines):  # a listing may lag behind: a difference is read for itself
                lines = await self._seen(claim, row, facts, None)
        except ReadFailed as error:
            return self._unread(claim, error.reason)
        except Unreachable as error:
            self.unreachable = error
            return self._unread(claim, "the target could not be reached")
        self.complete += is_complete(claim, lines)
        if any(line.match_class is MatchClass.UNVERIFIED for line in lines):
            differs = any(line.match_class in SHORT_OF for line in lines)
            self.not_read = self.not_read.and_more(
                "the target lists no wallets", complete=claim.outcome in COMPLETE and not differs
            )
        return lines

    def _unread(self, claim: Claim, cause: str) -> Sequence[Line]:
        self.not_read = self.not_read.and_more(cause, complete=claim.outcome in COMPLETE)
        return (Line(MatchClass.UNVERIFIED),)

    async def _seen(self, claim: Claim, row: Row, facts: Mapping[str, str], listed: Listed | None) -> Sequence[Line]:
        sighting = await self.system.sight(self.reader, row, facts, listed)
        if self.opener is not None and claim.pseudonyms is not None:
            sighting = self.opener.opened(sighting, claim.pseudonyms)
        return compare(claim, sighting, self.system.capabilities)


def valueless(claim: Claim) -> Row:
    """The row of a claim whose values are not at hand."""
    return Row(claim.source_row, None, claim.key or "", {}, phone_masked="", national_id_masked="", warnings=None)


def agreeing(lines: Sequence[Line]) -> bool:
    """Whether no line is a difference."""
    return all(line.match_class is MatchClass.MATCH for line in lines)


def reported(claim: Claim, line: Line, read_at: str | None) -> tuple[Any, ...]:
    """One line of the reconciliation as a row of `RECONCILIATION_SCHEMA`."""
    return (
        claim.source_row,
        claim.key,
        claim.customer_id,
        line.match_class,
        line.field,
        line.ours,
        line.theirs,
        read_at,
        line.similarity,
    )


def is_complete(claim: Claim, lines: Sequence[Line]) -> bool:
    """Whether the ledger calls the row complete and the target shows it so; a field may differ."""
    shown = all(line.match_class in {MatchClass.MATCH, MatchClass.FIELD_DIFFERENCE} for line in lines)
    return claim.outcome in COMPLETE and shown
