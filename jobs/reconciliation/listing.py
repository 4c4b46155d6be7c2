"""A listing of all the target's customers: when it is the cheaper way of reading, and whom only the target has."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.model import MatchClass
from jobs.systems.contract import CLOCK_SKEW, System
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.sighting import Listed

MOST_LISTED = 100_000
"""Customers held in memory, about 1 KiB each (chosen)."""

WORTH_TRYING = 100
"""Customers of a run below which a listing is not tried unasked (chosen)."""

PAGES_A_CUSTOMER = 0.5
"""A listing saves one read for each customer of the run; unasked, it may cost half of that (chosen)."""


@dataclass(frozen=True, slots=True)
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
    def undated(self) -> int:
        """Customers whose time of creation is not shown, so that nobody can say whether they are of that night."""
        return sum(each.created is None for each in self.customers.values())


async def listed(system: System, reader: Reader, most_pages: int | None = None) -> Listing:
    """Lists all customers, as far as MOST_LISTED and `most_pages` go. Raises NotPermitted."""
    customers: dict[str, Listed] = {}
    pages = 0
    try:
        async for page in system.listing(reader):
            pages += 1
            customers.update((each.customer_id, each) for each in page)
            if len(customers) > MOST_LISTED:
                return Listing(customers, pages, f"the target has more than {MOST_LISTED:,} customers")
            if most_pages is not None and pages >= most_pages:
                return Listing(customers, pages, f"{pages:,} pages were not the end")
    except ReadFailed as error:
        return Listing(customers, pages, error.reason)
    return Listing(customers, pages)


def only_in_target(stranger: Listed, read_at: str) -> tuple[Any, ...]:
    """The line of a customer that only the target has, as a row of `RECONCILIATION_SCHEMA`."""
    return (None, stranger.key, stranger.customer_id, MatchClass.ONLY_IN_TARGET, None, None, None, read_at, None)


def not_listed(read_at: str) -> tuple[Any, ...]:
    """The line that says: who is only at the target is not known."""
    return (None, None, None, MatchClass.UNVERIFIED, "listing", None, None, read_at, None)
