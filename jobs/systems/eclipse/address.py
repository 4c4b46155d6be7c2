"""The customer's address, for rows that have one: sent before KYC, never twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs.model import Origin
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Finding, Unclear, Verdict

PAYLOAD = {
    "address_type": "addressType",
    "address_line1": "line1",
    "address_line2": "line2",
    "address_city": "city",
    "address_state": "state",
    "address_code": "code",
    "address_country": "country",
}
"""Canonical column to the vendor's field, as client code has them; no page lists them."""

UNREADABLE = "the target lists none of them, so it can't be told whether this one is there"


@dataclass(frozen=True, slots=True)
class AddressStep:
    """Adds the address. It has no key: a lost one is settled by the list, and is sent again only once."""

    tenant_path: str
    name: str = "address"
    resends: int | None = 1
    settle_seconds: float | None = None

    def wanted(self, row: Row) -> bool:
        """Whether the row has an address."""
        return row.get("address_line1") is not None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether an address with all that the row says of it is there."""
        if view.fresh_customer and view.doubt is None and not view.taken:
            return Absent()
        customer_id = view.facts["customer_id"]
        addresses = await shown.belonging(reader, "list_addresses", self.path(customer_id), customer_id)
        if addresses is None:
            return unlisted("addresses_unreadable", view)
        if any(self.same(address, view.row) for address in addresses):
            return Done()
        return Absent()

    def same(self, address: Mapping[str, Any], row: Row) -> bool:
        """Whether the address shows every value of the row's; capitals and outer spaces don't count."""
        return all(
            (wire.text_of(address, api) or "").strip().casefold() == value.casefold()
            for column, api in PAYLOAD.items()
            if (value := row.get(column)) is not None
        )

    def write(self, view: View) -> Request:
        """POST /customers/{id}/addresses. It carries no key."""
        body = {api: value for column, api in PAYLOAD.items() if (value := view.row.get(column)) is not None}
        path = self.path(view.facts["customer_id"])
        return Request("create_address", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """Any 2xx is an address, also without a body: what the reply holds is not documented."""
        if reply.ok and not reply.body.strip():
            return Done(trace=DIALECT.trace_of(reply))
        return DIALECT.judged(reply, partial(self.added, customer_id=view.facts["customer_id"]))

    def added(self, record: Mapping[str, Any], customer_id: str) -> Done:
        """The address is there. Raises Unreadable when the reply is about another customer's."""
        if wire.contradicts(record, "customerId", customer_id):
            raise wire.Unreadable("the address belongs to another customer")
        return Done()

    def path(self, customer_id: str) -> str:
        """The one path of adding and listing (assumed of the list; no page shows it)."""
        return shown.path_of(self.tenant_path, customer_id, "addresses")


def unlisted(reason_code: str, view: View) -> Finding:
    """What follows where the target has no list: nothing is sent that may be there already."""
    adopted = view.facts.get("customer_origin") == Origin.ADOPTED
    if view.doubt is not None or view.taken or adopted:
        return Unclear(reason_code, UNREADABLE)
    return Absent()
