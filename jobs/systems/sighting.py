"""What a fresh read of the target shows: of one row, of a listing, of one customer for people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from jobs.value import value


@value
class Comparison:
    """One field of one row against a fresh read: canonical name, the file's value, the target's."""

    field: str
    ours: str | None
    theirs: str | None
    mask: Callable[[str | None], str]


@value
class Sighting:
    """What a fresh, independent read of the target shows of one row."""

    customer_ids: Sequence[str]
    """All customers that the key or the full identity leads to; one is the normal case."""
    comparisons: Sequence[Comparison] = ()
    decision_status: str | None = None
    wallet_ids: Sequence[str] | None = ()
    """The wallets that the target shows; None when their list could not be read here."""
    customer_status: str | None = None


@value
class Listed:
    """One customer of a listing of all. `record` is the target's own, for `sight`."""

    customer_id: str
    key: str | None
    """Our key, where the listing shows it."""
    created: datetime | None
    """When the customer was created; None when the listing does not say it."""
    record: Mapping[str, object]
    marks: frozenset[str] | None = None
    """What the customer has that a row may have too (`System.marks`); None: the listing does not show it."""


@value
class Profile:
    """All that the target shows of one customer, for people. Personal; whoever shows it masks it."""

    fields: Mapping[str, str]
    """Plain values as text, in the vendor's spelling and order."""
    decision: str | None = None
    """The newest decision's word; None: there is none yet."""
    decided_at: str | None = None
    """When it was last changed, as the target says it."""
    failed_checks: Sequence[str] = ()
    wallets: Sequence[Mapping[str, str]] | None = None
    """Each in the way of `fields`, `walletId` in it; None: the target lists none."""
