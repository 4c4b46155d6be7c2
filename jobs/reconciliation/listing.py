"""A listing of all the target's customers: when it is the cheaper way of reading, and whom only the target has."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import MatchClass
from jobs.systems.contract import CLOCK_SKEW, System
from jobs.systems.listing import pages_worth
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.sighting import Listed
from jobs.value import value

MOST_LISTED = 100_000
"""Customers held in memory, about 1 KiB each (chosen)."""

MOST_HELD = 20_000
"""Customers held in memory where nobody asked for a listing (chosen): some 20 MB, whatever the run has rows."""


@value
class Listing:
    """What was listed, by customer id. `whole` None: all of them; else why not all."""

    customers: Mapping[str, Listed]
    pages: int
    whole: str | None = None

    def strangers(self, claimed: Collection[str], since: datetime, until: datetime) -> Iterator[Listed]:
        """Customers created between the two times, give or take the clocks' skew, that nobody of ours claims."""
        for each in self.customers.values():
            created = each.created
            within = created is not None and since - CLOCK_SKEW <= created <= until + CLOCK_SKEW
            if within and each.customer_id not in claimed:
                yield each

    @property
    def told(self) -> str:
        """What it was used for, for people."""
        return (
            f"profiles were read from a listing of {len(self.customers):,} customers ({self.pages:,} pages), "
            "differences and the rest for themselves"
        )

    @property
    def undated(self) -> int:
        """Customers whose time of creation is not shown, so that nobody can say whether they are of that night."""
        return sum(each.created is None for each in self.customers.values())


NOTHING = Listing({}, 0)


async def if_cheaper(system: System, reader: Reader, held: int, at_once: int) -> tuple[Listing, str]:
    """A listing where it spares more reads of the `held` profiles than it costs, else NOTHING; and why, for people."""
    most = pages_worth(held, at_once)
    if not system.capabilities.listing_spares or most == 0:
        return NOTHING, "each row was looked up at the target"
    try:
        found = await listed(system, reader, most, MOST_HELD)
    except NotPermitted as error:
        found = Listing({}, 0, error.message)
    if found.whole is not None:
        return NOTHING, f"each row was looked up at the target; a listing was given up: {found.whole}"
    return found, found.told


async def listed(
    system: System, reader: Reader, most_pages: int | None = None, most_listed: int | None = None
) -> Listing:
    """Lists all customers, as far as `most_listed` (None: MOST_LISTED) and `most_pages` go. Raises NotPermitted."""
    most_listed = MOST_LISTED if most_listed is None else most_listed
    customers: dict[str, Listed] = {}
    pages = 0
    try:
        async for page in system.listing(reader):
            pages += 1
            customers.update((each.customer_id, each) for each in page)
            if len(customers) > most_listed:
                return Listing(customers, pages, f"the target has more than {most_listed:,} customers")
            if most_pages is not None and pages > most_pages:
                return Listing(customers, pages, f"{most_pages:,} pages were not the end")
    except ReadFailed as error:
        return Listing(customers, pages, error.reason)
    return Listing(customers, pages)


def only_in_target(stranger: Listed, read_at: str) -> tuple[Any, ...]:
    """The line of a customer that only the target has, as a row of `RECONCILIATION_SCHEMA`."""
    return (None, stranger.key, stranger.customer_id, MatchClass.ONLY_IN_TARGET, None, None, None, read_at, None)


def not_listed(read_at: str) -> tuple[Any, ...]:
    """The line that says: who is only at the target is not known."""
    return (None, None, None, MatchClass.UNVERIFIED, "listing", None, None, read_at, None)
