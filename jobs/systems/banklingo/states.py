"""The states of a client and what leads from one to another, after the vendor's Clients API page."""

from collections.abc import Mapping

from jobs.systems.banklingo.contacts import Contact

PENDING = "Pending Approval"
APPROVED, ACTIVE, REJECTED, BLACKLISTED, EXITED = "Approved", "Active", "Rejected", "BlackListed", "Exited"

STATES = (PENDING, APPROVED, ACTIVE, REJECTED, BLACKLISTED, EXITED)

ACCEPTED = frozenset({APPROVED, ACTIVE})
REFUSED = frozenset({REJECTED, BLACKLISTED, EXITED})

UNKNOWN = "unknown"
"""Stands for a state that is on no page; the target's own words are not repeated."""

_BY_SPELLING = {"".join(state.split()).casefold(): state for state in STATES}


def state_of(record: Contact) -> str:
    """The state of a whole record, by its description: of the numbers only Active's is on a page."""
    text = record.get("clientStateDescription") or ""
    return _BY_SPELLING.get("".join(text.split()).casefold(), UNKNOWN)


def number_of(facts: Mapping[str, str]) -> str | None:
    """The `id` by which the record can be read; None when nothing gave one."""
    return as_number(facts.get("contact_id"))


def as_number(text: str | None) -> str | None:
    """`text` where it is such an `id`: a positive whole number of up to 18 digits."""
    return text if text and text.isascii() and text.isdigit() and len(text) <= 18 and text[0] != "0" else None
