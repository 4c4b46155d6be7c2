"""Rows whose values are known only as the ledger's keyed pseudonyms: what a reconciliation compares when the input
file is gone or was changed.

A pseudonym shows that two values are the same, never what they are; so no difference of such a row shows our side. The
spellings of the input that can be guessed from the target's are tried: a number or an e-mail in mixed case is not.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from jobs import folded
from jobs.intake.phones import normalise_phones
from jobs.keys import Pseudonyms
from jobs.ledger.history import outcome_windows
from jobs.ledger.store import Store
from jobs.privacy.masking import Mask
from jobs.reconciliation.compare import CLAIMED, WITHHELD, Claim, claim_of, normalised, valueless
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison, Sighting
from jobs.value import value
from jobs.windows import A_LOOKUP


@value
class PseudonymComparer:
    """Compares what the target shows with pseudonyms. `region`: of phone numbers without a country code."""

    pseudonyms: Pseudonyms
    region: str

    def compared(self, field: str, ours: str | None, theirs: str | None, mask: Mask) -> Comparison:
        """One field; `ours` is its pseudonym (None: the row had no such value)."""
        if ours is None:
            return Comparison(field, None, theirs, mask)
        if any(self.pseudonyms.of(field, each) == ours for each in self.spellings(field, theirs)):
            return Comparison(field, theirs, theirs, mask)
        return Comparison(field, WITHHELD, theirs, _withholding(mask))

    def spellings(self, field: str, theirs: str | None) -> Iterator[str]:
        """How a value of the target may have stood in the input after its normalisation."""
        if theirs is None:
            return
        yield theirs
        yield normalised(theirs)
        if field == "email":
            yield normalised(theirs).lower()
        if folded.KINDS.get(field) == "identity":
            bare = "".join(sign for sign in normalised(theirs) if sign not in " -")
            yield from folded.spellings(field, bare)
        if field == "phone":
            yield from self._phones(theirs)

    def _phones(self, theirs: str) -> Iterator[str]:
        yield "".join(sign for sign in theirs if sign in "0123456789")
        international = normalise_phones(pl.Series("phone", [theirs]), self.region)[0]
        for digits in {folded.digits(theirs), international or ""}:
            yield from folded.spellings("phone", digits)

    def opened(self, sighting: Sighting, ours: Mapping[str, str]) -> Sighting:
        """`sighting`, whose comparisons know only the target's side, compared with the pseudonyms `ours`."""
        return replace(
            sighting,
            comparisons=[
                self.compared(each.field, ours.get(each.field), each.theirs, each.mask) for each in sighting.comparisons
            ],
        )


async def sealed_claims(
    store: Store, run_id: str, space_id: int, window: int = A_LOOKUP
) -> AsyncIterator[Sequence[tuple[Claim, Row]]]:
    """The ledger's claims of a run, each with a row without values and with the ledger's pseudonyms."""
    for lines in outcome_windows(store, run_id, CLAIMED, window):
        made = [claim_of(line) for line in lines]
        known = store.known(space_id, [claim.key for claim in made if claim.key])
        pairs: list[tuple[Claim, Row]] = []
        for claim in made:
            record = known.get(claim.key or "")
            ours = record.record.pseudonyms if record is not None else {}
            pairs.append((replace(claim, pseudonyms=ours), valueless(claim)))
        yield pairs


def _withholding(mask: Mask) -> Mask:
    return lambda value: WITHHELD if value == WITHHELD else mask(value)
