"""What the target shows of one customer: profile, KYC results, wallets. Each answer is about that customer, or is none.

Lists are read to their end and in no order: the vendor says "most recent first" of KYC alone, and of one page only.
"""

from collections.abc import Mapping
from typing import Any

from jobs.systems.eclipse import wire
from jobs.systems.messages import Reader, ReadFailed, Request

Record = Mapping[str, Any]


class Gone(ReadFailed):
    """The target shows neither what was asked for nor the customer, whose id it gave us itself.

    The vendor's page of a 404: "Customer ID does not exist or belongs to a different tenant". A person has to look.
    """


def path_of(tenant_path: str, customer_id: str, part: str = "") -> str:
    """`/customers/{id}`, or what hangs on it."""
    return f"{tenant_path}/customers/{wire.segment(customer_id)}{part and '/'}{part}"


async def profile(reader: Reader, tenant_path: str, customer_id: str) -> Record | None:
    """GET /customers/{id}; None when there is no such customer. Raises ReadFailed, NotPermitted."""
    record = await wire.read_record(reader, Request("get_customer", "GET", path_of(tenant_path, customer_id)))
    if record is not None and wire.identifier(record.get("customerId")) != customer_id:
        raise ReadFailed(f"get_customer: the answer is not about customer {customer_id}")
    return record


async def results(reader: Reader, tenant_path: str, customer_id: str) -> list[Record] | None:
    """GET /customers/{id}/ratify: all KYC results; None when there is no such path. Raises like `belonging`."""
    return await belonging(reader, "read_kyc", path_of(tenant_path, customer_id, "ratify"), customer_id)


async def wallets(reader: Reader, tenant_path: str, customer_id: str) -> list[Record] | None:
    """GET /customers/{id}/wallets: all of them; None where the target has no such list. Raises like `certain`."""
    return await certain(wire.whole, reader, tenant_path, customer_id, ("list_wallets", "wallets"))


async def wallet_types(reader: Reader, tenant_path: str, customer_id: str) -> list[Record] | None:
    """GET /customers/{id}/wallet-types: what is configured, and so in one piece. Raises like `certain`."""
    return await certain(wire.read_records, reader, tenant_path, customer_id, ("wallet_types", "wallet-types"))


async def certain(
    read: wire.ListRead, reader: Reader, tenant_path: str, customer_id: str, names: tuple[str, str]
) -> list[Record] | None:
    """Reads what `belonging` reads, for a list on whose emptiness a write or an end depends.

    `names` are the operation and the part of the path.

    "Not found" may be about the customer, who was made just now and whom a copy of the data does not have yet: it is
    believed to be about the list when the profile was there before. Raises Gone when the profile is not.
    """
    request = Request(names[0], "GET", path_of(tenant_path, customer_id, names[1]))
    records = await read(reader, request, none_when_not_found=False)
    if records is None:
        if await profile(reader, tenant_path, customer_id) is None:
            raise Gone(f"{request.operation}: the target does not show customer {customer_id}")
        records = await read(reader, request)
    return checked(records, request, customer_id)


async def belonging(reader: Reader, operation: str, path: str, customer_id: str) -> list[Record] | None:
    """A list of what belongs to one customer; None where the target has no such list.

    Raises ReadFailed, also when an entry belongs to another customer, and NotPermitted.
    """
    request = Request(operation, "GET", path)
    return checked(await wire.whole(reader, request), request, customer_id)


def checked(records: list[Record] | None, request: Request, customer_id: str) -> list[Record] | None:
    """`records`, none of which says to be another customer's. Raises ReadFailed."""
    if any(wire.contradicts(record, "customerId", customer_id) for record in records or ()):
        raise ReadFailed(f"{request.operation}: the answer is about another customer than {customer_id}")
    return records
