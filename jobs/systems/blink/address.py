"""The step `address`: the customer's address, changed as a whole or made, and read back before it counts."""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.model import Outcome
from jobs.systems.blink import wire
from jobs.systems.blink.bank import Bank, Record, ids_of
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import Unreadable, segment, text_of
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Unclear, Verdict

CHANGED = "address_changed"
"""The fact that says what a write was made from: the digest of the address that it changes; empty: none was there."""

SHOWN = "address_shown"
"""The note that holds the address as the last look found it, the bank's and personal: a change is made from it."""

PLACE = {
    "street": "streetName",
    "building_number": "buildingNumber",
    "postal_code": "postCode",
    "town": "townName",
    "country": "country",
}
"""Canonical column to the member of `physicalAddress`. They are one unit: an absent one takes the bank's away."""


def place_of(address: Record) -> dict[str, str]:
    """The members of PLACE that an address shows, by column; the specification lists some one level too high."""
    postal = address.get("postalAddress")
    postal = postal if isinstance(postal, dict) else {}
    physical = postal.get("physicalAddress")
    nested = {**postal, **(physical if isinstance(physical, dict) else {})}
    return {column: text for column, member in PLACE.items() if (text := text_of(nested, member))}


def wanted_of(row: Row) -> dict[str, str]:
    """The row's address by column."""
    return {column: text for column in PLACE if (text := row.get(column))}


def comparable(place: Mapping[str, str]) -> tuple[str, ...]:
    """What of an address counts: no capitals, single blanks; street and number are one, however they are split."""
    street = f"{place.get('street', '')} {place.get('building_number', '')}"
    parts = (street, *(place.get(column, "") for column in ("postal_code", "town", "country")))
    return tuple(" ".join(unicodedata.normalize("NFC", part).casefold().split()) for part in parts)


def changed(address: Record, wanted: Mapping[str, str]) -> dict[str, Any]:
    """The whole address as it was shown, with the row's members in the place of the bank's."""
    shown = address.get("postalAddress")
    postal: dict[str, Any] = dict(shown) if isinstance(shown, dict) else {}
    physical = postal.get("physicalAddress")
    physical = physical if isinstance(physical, dict) else {}
    rest = {name: value for name, value in physical.items() if name not in PLACE.values()}
    ours = {PLACE[column]: text for column, text in wanted.items()}
    above = {name: ours[name] for name in ours if name in postal}
    postal = {name: value for name, value in postal.items() if name not in PLACE.values()}
    whole = {"salutation": {}, **postal, **above, "physicalAddress": {**rest, **ours}}
    return {"dispatchType": "postal", **address, "postalAddress": whole}


@dataclass(frozen=True, slots=True)
class AddressStep:
    """Brings the customer's address to what the row says; nothing is sent when it is so already."""

    bank: Bank
    settle_seconds: float | None
    name: str = "address"
    resends: int | None = 1

    async def look(self, reader: Reader, view: View) -> Finding:
        """The address that the bank shows, compared; without one, whether the customer has any.

        What a change is made from is the bank's, and personal: of it only a digest is kept. While a request is
        unanswered and the bank shows neither what was wanted nor what that was made from, nobody can tell what it did.
        """
        await self.bank.ready(reader)
        if (objection := self.bank.objection(view)) is not None:
            return objection
        customer_id = view.facts["customer_id"]
        try:
            shown = await self.bank.address(reader, customer_id)
        except NotOffered as error:
            return error.ends(view)
        view.notes.pop(SHOWN, None)
        if shown is None:
            return await self._unseen(reader, view, customer_id)
        if comparable(place_of(shown)) == comparable(wanted_of(view.row)):
            return Done(facts_of(shown))
        if wire.acknowledged(view):
            return Unclear("not_shown", "the bank took the address, but still shows another one")
        before = digest_of(shown)
        if view.bound.get(CHANGED, before) != before:
            return Unclear("unanswered", "the bank shows another address than the one that the request was made from")
        if "update_address" in self.bank.withheld:
            return wire.ended(view, Outcome.REJECTED, "not_offered", wire.unoffered("update_address"))
        view.notes[SHOWN] = shown
        return Absent({**facts_of(shown), CHANGED: before})

    async def _unseen(self, reader: Reader, view: View, customer_id: str) -> Finding:
        """No address is shown: none is there, or one that can't be read, whosever it is."""
        customer = await self.bank.customer(reader, customer_id)
        if customer is None:
            words = f"the bank does not show customer {customer_id} any more"
            if view.doubt is not None:
                return Unclear("customer_not_found", words)
            return Ended(Outcome.REJECTED, "not_available", words)
        listed = ids_of(customer, "addressList", "addressIdentification")
        if wire.acknowledged(view) or (view.doubt is not None and (listed or view.bound.get(CHANGED))):
            return Unclear("not_shown", "the bank took the address, but does not show it")
        if listed:
            words = f"customer {customer_id} has an address that the bank does not show; a second one was not made"
            return Ended(Outcome.CONFLICT, "address_hidden", words)
        if "create_address" in self.bank.withheld:
            return wire.ended(view, Outcome.REJECTED, "not_offered", wire.unoffered("create_address"))
        return Absent({CHANGED: ""})

    def write(self, view: View) -> Request:
        """PUT of the whole address that the look has just read, or POST of a first one."""
        customer_id, wanted = view.facts["customer_id"], wanted_of(view.row)
        if view.facts[CHANGED]:
            shown = view.notes[SHOWN]
            body, path = orjson.dumps(changed(shown, wanted)), self.bank.address_path(customer_id)
            return Request("update_address", "PUT", path, body=body, call_class=CallClass.WRITE)
        body = orjson.dumps({"postalAddress": changed({}, wanted)["postalAddress"]})
        path = f"/customers/{segment(customer_id)}/addresses"
        return Request("create_address", "POST", path, body=body, call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A change counts when it is read back; a new address when the reply has its identification."""
        view.notes.pop(SHOWN, None)
        if not reply.ok:
            return self.bank.refused("update_address" if view.facts[CHANGED] else "create_address", reply)
        if view.facts[CHANGED]:
            words = "the bank took the change; it counts when it is read back"
            return Doubted("read_back", words, answered=True, trace=wire.DIALECT.trace_of(reply))
        return wire.DIALECT.judged(reply, made)


def made(address: Record) -> Done:
    """A first address. Raises Unreadable."""
    if not facts_of(address):
        raise Unreadable("it has no addressIdentification")
    return Done(facts_of(address))


def digest_of(address: Record) -> str:
    """32 hex digits that another address does not have, whatever the order of its members."""
    return hashlib.sha256(orjson.dumps(address, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def facts_of(address: Record) -> dict[str, str]:
    """The identification, a text or a number; empty when there is none."""
    identification = wire.id_of(address, "addressIdentification")
    return {"address_id": identification} if identification else {}
