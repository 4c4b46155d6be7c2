"""Customers as people look them up: who fits, and all that is shown of one. It only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobs import folded
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.customer import CustomerStep
from jobs.systems.eclipse.decision import failed_checks, newest
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.sighting import Profile

FILTERS = {"identity": "identity", "phone": "identity", "first_name": "firstName", "last_name": "lastName"}
"""What is wanted, and the parameter that finds it; the vendor's `identity` matches phones too."""

MOST_READ = 500
"""Profiles that are read to find one key (chosen): of more customers the identity number is asked for, not the key."""


async def find(reader: Reader, customers: CustomerStep, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """Customers by `customer_id`, `identity` or `phone`, or by `first_name` and/or `last_name`."""
    if customer_id := wanted.get("customer_id"):
        record = await read_profile(reader, customers, customer_id)
        return [flat(record)] if record is not None else []
    found: dict[str, Mapping[str, str]] = {}
    for query in queries(wanted):
        async for hit in wire.pages(reader, customers.search(query)):
            record = await read_profile(reader, customers, str(wire.identifier(hit["customerId"]))) or hit
            if fits(record, wanted):
                found.setdefault(str(wire.identifier(record.get("customerId"))), flat(record))
    return list(found.values())


async def find_ours(
    reader: Reader, customers: CustomerStep, reference: str, customer_id: str | None
) -> Sequence[Mapping[str, str]]:
    """The customer of one of our references: `customer_id` as the ledger has it, else who is listed under that key.

    No page has a filter for `externalUniqueId`, and no sample of a list shows it: then profiles are read, MOST_READ at
    most. Raises ReadFailed where keys are not shown, or more customers would have to be read.
    """
    if customer_id is not None:
        record = await read_profile(reader, customers, customer_id)
        return [flat(record)] if record is not None else []
    read = 0
    async for page in wire.listing(reader, customers.everybody()):
        for listed in page:
            record = listed
            if wire.text_of(record, "externalUniqueId") is None:
                read += 1
                if read > MOST_READ:
                    raise ReadFailed(f"only profiles show externalUniqueId, and there are more than {MOST_READ}")
                record = await read_profile(reader, customers, str(wire.identifier(listed["customerId"]))) or listed
            if (key := wire.text_of(record, "externalUniqueId")) is None:
                raise ReadFailed("the ledger does not know it, and no list or profile shows externalUniqueId")
            if key == reference:
                return [flat(record)]
    return []


def queries(wanted: Mapping[str, str]) -> list[tuple[tuple[str, str], ...]]:
    """What is asked for: each spelling of an identity number or a phone by itself, or the names together."""
    for name, column in (("identity", "national_id"), ("phone", "phone")):
        if wanted.get(name):
            return [((FILTERS[name], each),) for each in folded.spellings(column, wanted[name])]
    return [tuple((api, wanted[name]) for name, api in FILTERS.items() if wanted.get(name))]


async def read_profile(reader: Reader, customers: CustomerStep, customer_id: str) -> Mapping[str, Any] | None:
    """The profile; None when there is none. Raises ReadFailed, also when it is another customer's."""
    if wire.identifier(customer_id) is None:
        return None
    return await shown.profile(reader, customers.tenant_path, customer_id)


def fits(record: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether a hit really has what was asked for: a server may ignore a filter and return everybody."""
    if identity := wanted.get("identity"):
        return folded.same("national_id", identity, wire.text_of(record, "nationalIdentityNumber"))
    if phone := wanted.get("phone"):
        return folded.same_phone(phone, wire.text_of(record, "phone1"))
    return all(
        (wire.text_of(record, FILTERS[name]) or "").casefold() == wanted[name].casefold()
        for name in ("first_name", "last_name")
        if wanted.get(name)
    )


async def profile_of(reader: Reader, customers: CustomerStep, customer_id: str) -> Profile | None:
    """Profile, newest KYC result and wallets: three reads. None when the target knows no such customer.

    Raises ReadFailed, NotPermitted.
    """
    record = await read_profile(reader, customers, customer_id)
    if record is None:
        return None
    results = await shown.results(reader, customers.tenant_path, customer_id)
    wallets = await shown.wallets(reader, customers.tenant_path, customer_id)
    latest = newest(results) if results else {}
    return Profile(
        fields=flat(record),
        decision=wire.text_of(latest, "status"),
        decided_at=wire.text_of(latest, "lastModified"),
        failed_checks=failed_checks(latest),
        wallets=None if wallets is None else [flat(wallet) for wallet in wallets],
    )


def flat(record: Mapping[str, Any]) -> dict[str, str]:
    """A record's plain values as text, in the vendor's order and spelling."""
    texts = {name: wire.text_of(record, name) for name in record}
    amounts = {name: str(value) for name, value in record.items() if isinstance(value, float)}
    return {name: text for name, text in (texts | amounts).items() if text is not None}
