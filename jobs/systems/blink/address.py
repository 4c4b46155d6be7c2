"""The steps `address` and `address_use`: the customer's address, changed as a whole or made, and read back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from jobs.model import Outcome
from jobs.systems.blink import wire
from jobs.systems.blink.bank import Bank, Record, ids_of
from jobs.systems.blink.place import USE, agrees, changed, new, wanted_of
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import Unreadable, segment
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Unclear, Verdict

CHANGED = "address_changed"
"""The fact that says what a write was made from: the digest of the address that it changes; empty: none was there."""

SHOWN = "address_shown"
"""The note that holds the address as the last look found it, the bank's and personal: a change is made from it."""


@dataclass(frozen=True, slots=True)
class AddressStep:
    """Brings the customer's address to what the row says; nothing is sent when it is so already."""

    bank: Bank
    settle_seconds: float | None
    name: str = "address"
    use: bool = False
    """Whether it is the second of the two: it gives the address that the first one made what only one that is there
    can have, and makes none."""
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
        if self._settled(shown, view):
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

    def _settled(self, shown: Record, view: View) -> bool:
        """Whether the address is as the row says; one that was just made can't have what a new one has not."""
        made = view.bound.get(CHANGED) == "" and not self.use
        return agrees(shown, wanted_of(view.row), besides=USE if made else ())

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
        if self.use:
            words = "the address was made, and the bank does not show it yet; nothing of its use was sent"
            return Ended(Outcome.FAILED, "not_shown", words)
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
        return created(customer_id, wanted)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A change counts when it is read back; a new address when the reply has its identification."""
        view.notes.pop(SHOWN, None)
        if not reply.ok:
            return self.bank.refused("update_address" if view.facts[CHANGED] else "create_address", reply)
        if view.facts[CHANGED]:
            words = "the bank took the change; it counts when it is read back"
            return Doubted("read_back", words, answered=True, trace=wire.DIALECT.trace_of(reply))
        return wire.DIALECT.judged(reply, made)


def created(customer_id: str, wanted: Mapping[str, str]) -> Request:
    """POST of a new address."""
    body, path = orjson.dumps(new(wanted)), f"/customers/{segment(customer_id)}/addresses"
    return Request("create_address", "POST", path, body=body, call_class=CallClass.WRITE)


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
