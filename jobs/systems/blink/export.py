"""All that the bank shows of its customers: customers, persons, KYC records, addresses; and all about one customer.

Nothing is kept and nothing is judged; what comes is the bank's own record, personal from end to end.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any

from jobs.errors import Unusable
from jobs.systems.blink import wire
from jobs.systems.blink.bank import MEDIA, Bank, Record, ids_of
from jobs.systems.blink.wire import NotOffered, id_of
from jobs.systems.messages import Reader
from jobs.systems.sighting import Profile

WHAT = ("customers", "persons", "kyc", "addresses")
"""What can be exported."""


async def exported(bank: Bank, reader: Reader, what: str) -> AsyncIterator[Record]:
    """The records of one kind, in the bank's order. Raises ReadFailed, NotPermitted; Unusable where it has no such."""
    found = {"customers": customers, "persons": persons, "kyc": kyc_records, "addresses": addresses}[what]
    try:
        async for record in found(bank, reader):
            yield record
    except NotOffered as error:
        raise Unusable(f"{wire.unoffered(error.operation)}, so there are no {what} to export") from None


async def customers(_: Bank, reader: Reader) -> AsyncIterator[Record]:
    """GET /customers, all pages."""
    async for page in wire.pages(reader, "list_customers", "/customers"):
        for record in page:
            yield record


async def persons(bank: Bank, reader: Reader) -> AsyncIterator[Record]:
    """GET /persons, all pages; from a bank that lists none, each person of each customer with its contacts."""
    try:
        async for page in wire.pages(reader, "list_persons", "/persons"):
            for record in page:
                yield record
    except NotOffered:
        seen: set[str] = set()
        async for customer in customers(bank, reader):
            for identification in ids_of(customer, "personList", "personIdentification"):
                if identification not in seen and (person := await with_contacts(bank, reader, identification)):
                    yield person
                seen.add(identification)


async def with_contacts(bank: Bank, reader: Reader, identification: str) -> Record | None:
    """GET /persons/{id} and /persons/{id}/contactdetails; None where there is no such person, or no consent."""
    person = await bank.person(reader, identification)
    if person is None:
        return None
    try:
        contacts = await bank.contacts(reader, identification, MEDIA.values())
    except NotOffered:
        return person
    return {**person, "contactInformation": contacts or []}


async def kyc_records(bank: Bank, reader: Reader) -> AsyncIterator[Record]:
    """GET /customers/{id}/kyc of each customer; `kyc` is null where the bank has no such record."""
    async for customer in customers(bank, reader):
        identification = id_of(customer, "customerIdentification") or ""
        yield await bank.kyc(reader, identification) or {"customer": customer, "kyc": None}


async def addresses(bank: Bank, reader: Reader) -> AsyncIterator[Record]:
    """The address that is shown of each customer, beside the customer's identification."""
    async for customer in customers(bank, reader):
        identification = id_of(customer, "customerIdentification") or ""
        shown = await bank.address(reader, identification)
        if shown is not None:
            yield {"customerIdentification": identification, **shown}


async def profile_of(bank: Bank, reader: Reader, identification: str) -> Profile | None:
    """Customer, persons with contacts, address and KYC record as flat text; what the bank does not offer is absent."""
    customer = await bank.customer(reader, identification)
    if customer is None:
        return None
    whole: dict[str, Any] = {"customerId": identification, **customer}
    linked = ids_of(customer, "personList", "personIdentification")
    with suppress(NotOffered):
        whole["persons"] = [await with_contacts(bank, reader, each) for each in linked]
    for name, read in (("address", bank.address), ("record", bank.kyc)):
        with suppress(NotOffered):
            whole[name] = await read(reader, identification)
    record = whole.pop("record", None)
    whole["kyc"] = record.get("kyc") if isinstance(record, dict) else None
    return Profile(dict(flat("", whole)), wallets=())


def flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Every plain value under its dotted name; lists count from 1."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from flat(f"{name}.{key}" if name else str(key), each)
    elif isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from flat(f"{name}.{number}", each)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
