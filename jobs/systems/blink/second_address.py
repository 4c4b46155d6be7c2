"""The step `second_address`: a further address of a customer, made once, beside the one that the bank shows."""

from dataclasses import dataclass

from jobs.model import Outcome
from jobs.systems.blink import wire
from jobs.systems.blink.address import created
from jobs.systems.blink.bank import Bank, Record, ids_of
from jobs.systems.blink.place import SECOND, agrees, wanted_of
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Finding, Unclear, Verdict

LISTED = "addresses_listed"
"""The fact that says which addresses the customer had when a further one was sent: identifications, joined by `;`."""

SECOND_ID = "second_address_id"
"""The fact that names the address that was made, or found."""


@dataclass(frozen=True, slots=True)
class SecondAddressStep:
    """Makes a further address. The read shows one address only, so that the customer's list of them is the witness."""

    bank: Bank
    settle_seconds: float | None
    name: str = "second_address"
    resends: int | None = 1

    async def look(self, reader: Reader, view: View) -> Finding:
        """Which addresses the customer has; the one that is shown may be the one that is wanted."""
        await self.bank.ready(reader)
        if (objection := self.bank.objection(view)) is not None:
            return objection
        customer_id = view.facts["customer_id"]
        customer = await self.bank.customer(reader, customer_id)
        if customer is None:
            words = f"the bank does not show customer {customer_id} any more"
            return wire.ended(view, Outcome.REJECTED, "not_available", words)
        listed = ids_of(customer, "addressList", "addressIdentification")
        shown = await self._shown(reader, customer_id)
        if shown is not None and agrees(shown, wanted_of(view.row, SECOND)):
            return Done({SECOND_ID: wire.id_of(shown, "addressIdentification") or ""})
        if LISTED in view.bound:
            return self._since(view, [each for each in listed if each not in view.bound[LISTED].split(";")], shown)
        if len(listed) > 1:
            words = f"customer {customer_id} has {len(listed)} addresses, of which the bank shows one at most: "
            return wire.ended(view, Outcome.CONFLICT, "address_hidden", words + "a further one was not made")
        if "create_address" in self.bank.withheld:
            return wire.ended(view, Outcome.REJECTED, "not_offered", wire.unoffered("create_address"))
        return Absent({LISTED: ";".join(listed)})

    async def _shown(self, reader: Reader, customer_id: str) -> Record | None:
        """The address that the bank shows; None where it shows none, or does not offer to."""
        try:
            return await self.bank.address(reader, customer_id)
        except NotOffered:
            return None

    def _since(self, view: View, fresh: list[str], shown: Record | None) -> Finding:
        """What became of the write that was made when the customer had fewer addresses."""
        if len(fresh) > 1:
            return Unclear("unanswered", f"several addresses came since the request: {', '.join(fresh)}")
        if not fresh:
            if wire.acknowledged(view):
                return Unclear("not_shown", "the bank took the second address, but does not show it")
            return Absent({LISTED: view.bound[LISTED]})
        if shown is not None and wire.id_of(shown, "addressIdentification") == fresh[0]:
            return Unclear("unanswered", "an address came since the request, and it is another one")
        return Done({SECOND_ID: fresh[0]})

    def write(self, view: View) -> Request:
        """POST of the address."""
        return created(view.facts["customer_id"], wanted_of(view.row, SECOND))

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an identification that the customer did not have is an address."""
        if not reply.ok:
            return self.bank.refused("create_address", reply)

        def made(address: Record) -> Done:
            found = wire.id_of(address, "addressIdentification")
            if found is None or found in view.facts.get(LISTED, "").split(";"):
                raise Unreadable("it has no new addressIdentification")
            return Done({SECOND_ID: found})

        return wire.DIALECT.judged(reply, made)
