"""What the target shows of one customer: profile, KYC results, wallets. Each answer is about that customer, or is none.

Lists are read to their end and in no order: the vendor says "most recent first" of KYC alone, and of one page only.
"""

from collections.abc import Mapping
from typing import Any

from jobs.systems.eclipse import wire
from jobs.systems.exchange import Reader, ReadFailed, Request

Record = Mapping[str, Any]


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
    """GET /customers/{id}/ratify: all KYC results; None when there is no such path. As `belonging`."""
    return await belonging(reader, "read_kyc", path_of(tenant_path, customer_id, "ratify"), customer_id)


async def wallets(reader: Reader, tenant_path: str, customer_id: str) -> list[Record] | None:
    """GET /customers/{id}/wallets: all of them; None where the target has no such list. As `certain`."""
    return await certain(reader, "list_wallets", tenant_path, customer_id, "wallets")


async def wallet_types(reader: Reader, tenant_path: str, customer_id: str) -> list[Record] | None:
    """GET /customers/{id}/wallet-types; None where the target has no such list. As `certain`."""
    return await certain(reader, "wallet_types", tenant_path, customer_id, "wallet-types")


async def certain(reader: Reader, operation: str, tenant_path: str, customer_id: str, part: str) -> list[Record] | None:
    """As `belonging`, for a list on whose emptiness a write or an end depends.

    "Not found" may be about the customer, who was made just now and whom a copy of the data does not have yet: it is
    believed to be about the list when the profile was there before. Raises ReadFailed when the profile is not.
    """
    path = path_of(tenant_path, customer_id, part)
    records = await belonging(reader, operation, path, customer_id, none_when_not_found=False)
    if records is not None:
        return records
    if await profile(reader, tenant_path, customer_id) is None:
        raise ReadFailed(f"{operation}: the target does not show customer {customer_id}")
    return await belonging(reader, operation, path, customer_id)


async def belonging(
    reader: Reader, operation: str, path: str, customer_id: str, *, none_when_not_found: bool = True
) -> list[Record] | None:
    """A list of what belongs to one customer; None as `wire.read_records`.

    Raises ReadFailed, also when an entry belongs to another customer, and NotPermitted.
    """
    records = await wire.whole(reader, Request(operation, "GET", path), none_when_not_found=none_when_not_found)
    if any(wire.contradicts(record, "customerId", customer_id) for record in records or ()):
        raise ReadFailed(f"{operation}: the answer is about another customer than {customer_id}")
    return records
