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
    """GET /customers/{id}/wallets: all of them; None where the target lists none. As `belonging`."""
    return await belonging(reader, "list_wallets", path_of(tenant_path, customer_id, "wallets"), customer_id)


async def belonging(reader: Reader, operation: str, path: str, customer_id: str) -> list[Record] | None:
    """A list of what belongs to one customer; None where the target has no such list.

    Raises ReadFailed, also when an entry belongs to another customer, and NotPermitted.
    """
    records = await wire.whole(reader, Request(operation, "GET", path))
    if any(wire.contradicts(record, "customerId", customer_id) for record in records or ()):
        raise ReadFailed(f"{operation}: the answer is about another customer than {customer_id}")
    return records
