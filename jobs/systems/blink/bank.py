"""One bank behind bLink as one run sees it: what was asked once is remembered, so that rows need not ask again.

Nothing here writes or decides about a row.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from jobs import folded
from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems.blink import wire
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import Unreadable, segment, text_of, word_of
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.row import View
from jobs.systems.shared_list import Index
from jobs.systems.verdict import Finding, Verdict

Record = Mapping[str, Any]

SINGLE_READS = 20
"""Customers that are read one by one before all are listed instead (chosen: less than a page costs)."""

MEDIA = {
    "email": "email",
    "phone": "phone",
    "fax": "fax",
    "website": "website",
    "social_media": "socialMediaProfile",
}
"""The contacts that rows can ask for: the column, and the specification's medium."""

NAMING = ("bank_customer_id", "external_reference", "bank_person_id")
"""The columns that say whom a row is about."""

SPELLINGS = {"seed": "customer", "plural": "customers"}
"""The page prints the singular where an address is read or changed; everything else, here and there, the plural."""


NOT_IMPLEMENTED = 501

DECIDING = ("externalReference", "status")
"""Members of a listed customer that decide about a row."""


class Directory:
    """All customers that the consents show, by identification and by external reference."""

    def __init__(self) -> None:
        self.customers: dict[str, Record] = {}
        self._references: dict[str, list[Record]] = {}

    def add(self, customer: Record) -> None:
        """Takes one in, once. Raises ReadFailed for one without identification, and for one that was another before."""
        identification = wire.id_of(customer, "customerIdentification")
        if identification is None:
            raise ReadFailed("list_customers: a customer without identification is listed")
        before = self.customers.setdefault(identification, customer)
        if any(before.get(member) != customer.get(member) for member in DECIDING):
            raise ReadFailed("list_customers: a customer is listed twice, and not alike")
        if before is not customer:
            return
        if reference := text_of(customer, "externalReference"):
            self._references.setdefault(folded.identity(reference), []).append(customer)

    def referred(self, reference: str) -> list[Record]:
        """The customers with that reference; where none has it so, those that have it in another spelling."""
        alike = self._references.get(folded.identity(reference), [])
        return [each for each in alike if text_of(each, "externalReference") == reference] or alike


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
        """The row's key by the customer that it works on in this run: no two rows maintain one at a time."""
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

    def objection(self, view: View) -> Finding | None:
        """Why a step may not work for the row, whose customer was linked to it; None: it may.

        Another row of this run works on the customer, or the row names others than when it was linked.
        """
        customer_id, row = view.facts["customer_id"], view.row
        if self.owners.setdefault(customer_id, row.key) != row.key:
            words = f"another row of the file works on customer {customer_id} in this run"
            return wire.ended(view, Outcome.CONFLICT, "same_customer", words)
        linked = {**view.facts, "bank_customer_id": customer_id}
        if any(row.get(column) not in (None, linked.get(column, row.get(column))) for column in NAMING):
            words = f"the row was linked to customer {customer_id}, and names another customer or person now"
            return wire.ended(view, Outcome.CONFLICT, "changed_since", words)
        return None

    def refused(self, operation: str, reply: Reply) -> Verdict:
        """What a refused write means; an operation that the bank has not is remembered. Raises NotPermitted."""
        if reply.status in wire.NOT_OFFERED:
            self.withheld.add(operation)
        return wire.refusal(operation, reply)

    async def customer(self, reader: Reader, identification: str) -> Record | None:
        """GET /customers/{id}; None where there is none, or no consent. Raises ReadFailed for another's record."""
        request = Request("get_customer", "GET", f"/customers/{segment(identification)}")
        return about(request, "customerIdentification", identification, await wire.read_record(reader, request))

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
        """GET /persons/{id}; as `customer`."""
        request = Request("get_person", "GET", f"/persons/{segment(identification)}")
        return about(request, "personIdentification", identification, await wire.read_record(reader, request))

    async def kyc(self, reader: Reader, identification: str) -> Record | None:
        """GET /customers/{id}/kyc; None where there is none, or no consent. Raises ReadFailed for another's record."""
        request = Request("get_kyc", "GET", f"/customers/{segment(identification)}/kyc")
        record = await wire.read_record(reader, request)
        if record is None:
            return None
        customer = record.get("customer")
        if not isinstance(customer, dict) or not isinstance(record.get("kyc"), dict):
            raise ReadFailed("get_kyc: the answer is no KYC record")
        about(request, "customerIdentification", identification, customer)
        return record

    async def contacts(self, reader: Reader, person: str, media: Collection[str]) -> list[Record] | None:
        """GET /persons/{id}/contactdetails; None where there is no such person, or no consent.

        Raises ReadFailed when of one contact it can't be told which it is, if it may be one of `media`.
        """
        contacts = await wire.read_records(reader, Request("list_contacts", "GET", contacts_path(person)))
        for contact in contacts or ():
            check(contact, media)
        return contacts

    async def address(self, reader: Reader, customer: str) -> Record | None:
        """The one address that the bank shows of a customer; None: it shows none. Raises NotOffered.

        The other spelling of the path is tried when the first one is unknown, until one has shown an address. Who
        answers 501 has no such operation, whatever is said of the other spelling; 405 is about the spelling alone.
        """
        if self._spelling_known:
            return await self._address(reader, customer, self.spelling)
        refused: list[NotOffered] = []
        absent: list[str] = []
        for spelling in (self.spelling, other(self.spelling)):
            try:
                found = await self._address(reader, customer, spelling)
            except NotOffered as error:
                refused.append(error)
                continue
            if found is not None:
                self.spelling, self._spelling_known = spelling, True
                return found
            absent.append(spelling)
        for each in refused:
            if each.trace.http_status == NOT_IMPLEMENTED or not absent:
                raise each
        if refused:
            self.spelling, self._spelling_known = absent[0], True
        return None

    async def _address(self, reader: Reader, customer: str, spelling: str) -> Record | None:
        request = Request("get_address", "GET", self.address_path(customer, spelling))
        return await wire.read_record(reader, request)

    def address_path(self, customer: str, spelling: str | None = None) -> str:
        """Where an address is read and changed."""
        return f"/{SPELLINGS[spelling or self.spelling]}/{segment(customer)}/addresses"


def about(request: Request, member: str, asked: str, record: Record | None) -> Record | None:
    """`record`, once it says that it is the one asked for. Raises ReadFailed."""
    if record is not None and wire.id_of(record, member) != asked:
        raise ReadFailed(f"{request.operation}: the record is not the one that was asked for")
    return record


def check(contact: Record, media: Collection[str]) -> None:
    """Raises ReadFailed when it can't be told which contact it is, if it may be one of `media`."""
    try:
        medium = word_of(contact, "medium")
        known = medium is not None and (medium not in media or word_of(contact, "contactContent") is not None)
        word_of(contact, "contactMediumType")
    except Unreadable as error:
        raise ReadFailed(f"list_contacts: a contact can't be read: {error}") from None
    if not known:
        raise ReadFailed("list_contacts: a contact has no medium or no content")


def contacts_path(person: str) -> str:
    """Where contacts are read and made."""
    return f"/persons/{segment(person)}/contactdetails"


def other(spelling: str) -> str:
    """The other spelling."""
    return next(name for name in SPELLINGS if name != spelling)


def person_of(view: View) -> str | None:
    """The person whose contacts a row is about: the one that it names, else the one that the link found."""
    return view.row.get("bank_person_id") or view.facts.get("bank_person_id")


def persons_of(customer: Record) -> list[str]:
    """The persons that a customer's record shows."""
    return ids_of(customer, "personList", "personIdentification")


def ids_of(record: Record, listed: str, member: str) -> list[str]:
    """The identifications in one of a record's lists of links."""
    links = record.get(listed)
    if not isinstance(links, list):
        return []
    return [found for link in links if isinstance(link, dict) and (found := wire.id_of(link, member))]
