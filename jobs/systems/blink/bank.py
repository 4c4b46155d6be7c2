"""One bank behind bLink as one run sees it: what was asked once is remembered, so that rows need not ask again.

Nothing here writes or decides about a row.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from jobs.errors import NotPermitted
from jobs.systems.blink import wire
from jobs.systems.blink.wire import NotOffered
from jobs.systems.exchange import Reader, Request
from jobs.systems.index import Index
from jobs.systems.json_reply import segment, text_of

Record = Mapping[str, Any]

SINGLE_READS = 20
"""Customers that are read one by one before all are listed instead (chosen: less than a page costs)."""

SPELLINGS = {"seed": "customer", "plural": "customers"}
"""The page prints the singular where an address is read or changed; everything else, here and there, the plural."""


class Directory:
    """All customers that the consents show, by identification and by external reference."""

    def __init__(self) -> None:
        self.customers: dict[str, Record] = {}
        self.references: dict[str, list[Record]] = {}

    def add(self, customer: Record) -> None:
        """Takes one in; the same identification again replaces nothing."""
        identification = text_of(customer, "customerIdentification")
        if identification is None or identification in self.customers:
            return
        self.customers[identification] = customer
        if reference := text_of(customer, "externalReference"):
            self.references.setdefault(reference, []).append(customer)


async def listed(reader: Reader) -> Directory:
    """GET /customers, all pages. Raises ReadFailed, NotOffered, NotPermitted."""
    directory = Directory()
    async for page in wire.pages(reader, "list_customers", "/customers"):
        for customer in page:
            directory.add(customer)
    return directory


class Bank:
    """Reads of one bank, and what a run remembers of it. It lives as long as a command."""

    def __init__(self, addresses_path: str, *, healthcheck: bool) -> None:
        self.spelling = addresses_path
        self.withheld: set[str] = set()
        """Operations that the bank said it has not."""
        self.owners: dict[str, str] = {}
        """The row's key by the customer that it was linked to: two rows must not maintain one."""
        self.shown: dict[str, Record] = {}
        """The address by customer, as the last look found it: what a change is made from."""
        self._checked = not healthcheck
        self._spelling_known = False
        self._single_reads = 0
        self._customers = Index(listed)
        self._single = asyncio.Lock()

    async def ready(self, reader: Reader) -> None:
        """GET /healthcheck, once. Raises ReadFailed, NotPermitted."""
        if self._checked:
            return
        async with self._single:
            if not self._checked:
                await self._healthcheck(reader)
                self._checked = True

    async def _healthcheck(self, reader: Reader) -> None:
        try:
            found = await wire.read(reader, Request("healthcheck", "GET", "/healthcheck"))
        except NotOffered:
            return
        if found is None:
            raise NotPermitted("the target has no /healthcheck", hint="check --base-url; or healthcheck = false")

    async def customer(self, reader: Reader, identification: str) -> Record | None:
        """GET /customers/{id}; None where there is none, or no consent for it."""
        path = f"/customers/{segment(identification)}"
        return await wire.read_record(reader, Request("get_customer", "GET", path))

    async def known(self, reader: Reader, identification: str) -> Record | None:
        """Like `customer`, but from the list once some were read one by one."""
        if self._single_reads < SINGLE_READS or "list_customers" in self.withheld:
            self._single_reads += 1
            return await self.customer(reader, identification)
        try:
            directory = await self.directory(reader)
        except NotOffered as error:
            self.withheld.add(error.operation)
            return await self.customer(reader, identification)
        return directory.customers.get(identification)

    async def directory(self, reader: Reader) -> Directory:
        """All customers, listed once. Raises ReadFailed, NotOffered, NotPermitted."""
        return (await self._customers.reading(reader)).content

    async def person(self, reader: Reader, identification: str) -> Record | None:
        """GET /persons/{id}."""
        path = f"/persons/{segment(identification)}"
        return await wire.read_record(reader, Request("get_person", "GET", path))

    async def contacts(self, reader: Reader, person: str) -> list[Record] | None:
        """GET /persons/{id}/contactdetails; None where there is no such person, or no consent."""
        return await wire.read_records(reader, Request("list_contacts", "GET", contacts_path(person)))

    async def address(self, reader: Reader, customer: str) -> Record | None:
        """The one address that the bank shows of a customer; None: it shows none. Raises NotOffered.

        The other spelling of the path is tried when the first one is unknown, until one has shown an address.
        """
        if self._spelling_known:
            return await self._address(reader, customer, self.spelling)
        first = self.spelling
        absent: str | None = None
        for spelling in (first, other(first)):
            try:
                found = await self._address(reader, customer, spelling)
            except NotOffered:
                if absent is not None:
                    self.spelling, self._spelling_known = absent, True
                    return None
                continue
            if found is not None or (spelling != first and absent is None):
                self.spelling, self._spelling_known = spelling, True
                return found
            absent = spelling
        if absent is None:
            raise NotOffered("get_address")
        return None

    async def _address(self, reader: Reader, customer: str, spelling: str) -> Record | None:
        request = Request("get_address", "GET", self.address_path(customer, spelling))
        return await wire.read_record(reader, request)

    def address_path(self, customer: str, spelling: str | None = None) -> str:
        """Where an address is read and changed."""
        return f"/{SPELLINGS[spelling or self.spelling]}/{segment(customer)}/addresses"


def contacts_path(person: str) -> str:
    """Where contacts are read and made."""
    return f"/persons/{segment(person)}/contactdetails"


def other(spelling: str) -> str:
    """The other spelling."""
    return next(name for name in SPELLINGS if name != spelling)


def ids_of(record: Record, listed: str, member: str) -> list[str]:
    """The identifications in one of a record's lists of links."""
    links = record.get(listed)
    if not isinstance(links, list):
        return []
    return [found for link in links if isinstance(link, dict) and (found := text_of(link, member))]
