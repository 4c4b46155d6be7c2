"""Step 1, the link: the bank's own customer of a row, found by identification or reference, never by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs import folded
from jobs.model import Origin, Outcome
from jobs.systems.blink.bank import MEDIA, NAMING, Bank, Record, ids_of, persons_of
from jobs.systems.blink.wire import NotOffered, id_of, not_offered
from jobs.systems.json_reply import Unreadable, text_of, word_of
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.row import View
from jobs.systems.spelling import spelt
from jobs.systems.verdict import Done, Ended, Finding

NOBODY = "the bank has no such customer, or consent for it is missing"


@dataclass(frozen=True, slots=True)
class LinkStep:
    """Finds the one active customer; nothing is ever written here, because bLink creates no customers."""

    bank: Bank
    name: str = "link"

    async def look(self, reader: Reader, view: View) -> Finding:
        """Done with `customer_id`, or the end of the row."""
        await self.bank.ready(reader)
        try:
            found = await self._found(reader, view)
        except NotOffered as error:
            return not_offered(error.operation, error.trace)
        if not found:
            return Ended(Outcome.REJECTED, "not_available", NOBODY)
        ids = [id_of(customer, "customerIdentification") or "" for customer in found]
        if len(found) > 1:
            words = f"several customers have the reference ({', '.join(ids)}); none was chosen"
            return Ended(Outcome.CONFLICT, "ambiguous", words)
        customer, customer_id = found[0], ids[0]
        facts = {"customer_id": customer_id, "customer_origin": Origin.ADOPTED}
        facts |= {column: given for column in NAMING[1:] if (given := view.row.get(column))}
        facts |= spelt(view.row, {"external_reference": text_of(customer, "externalReference")})
        if (objection := await self._objection(reader, view, customer, customer_id)) is not None:
            return objection
        if view.row.get("bank_person_id") or not any(view.row.get(column) for column in MEDIA):
            return Done(facts)
        persons = persons_of(customer) or persons_of(await self.bank.customer(reader, customer_id) or {})
        if len(persons) == 1:
            return Done(facts | {"bank_person_id": persons[0]})
        return unnamed(persons, customer_id)

    async def _found(self, reader: Reader, view: View) -> list[Record]:
        """The customers that the row means: by identification, else by reference."""
        identification, reference = view.row.get("bank_customer_id"), view.row.get("external_reference")
        if identification is not None:
            customer = await self.bank.known(reader, identification)
            return [] if customer is None else [customer]
        return (await self.bank.directory(reader)).referred(reference or "")

    async def _objection(self, reader: Reader, view: View, customer: Record, customer_id: str) -> Ended | None:
        """Why the customer that was found must not be maintained for this row; None when nothing speaks against it."""
        row = view.row
        reference, theirs = row.get("external_reference"), text_of(customer, "externalReference")
        if reference is not None and theirs is not None and not folded.same("external_reference", reference, theirs):
            return Ended(Outcome.CONFLICT, "reference_differs", f"customer {customer_id} has another reference")
        try:
            status = word_of(customer, "status") or "without status"
        except Unreadable as error:
            raise ReadFailed(f"customer {customer_id} can't be read: {error}") from None
        if status.casefold() != "active":
            shown = status if status in {"inactive", "closed"} else "not active"
            facts = {"customer_id": customer_id}
            return Ended(Outcome.REJECTED, "customer_inactive", f"customer {customer_id} is {shown}", facts)
        if self.bank.owners.setdefault(customer_id, row.key) != row.key:
            words = f"another row of the file was linked to customer {customer_id} already"
            return Ended(Outcome.CONFLICT, "same_customer", words)
        person = row.get("bank_person_id")
        if person is not None and not await self._linked(reader, customer, customer_id, person):
            words = f"the bank does not show person {person} with customer {customer_id}"
            return Ended(Outcome.CONFLICT, "person_not_linked", words)
        return None

    async def _linked(self, reader: Reader, customer: Record, customer_id: str, person: str) -> bool:
        """Whether the customer's list of persons has `person`, or the person's list of customers the customer."""
        if person in ids_of(customer, "personList", "personIdentification"):
            return True
        try:
            found = await self.bank.person(reader, person)
        except NotOffered:
            return False
        return found is not None and customer_id in ids_of(found, "customerList", "customerIdentification")


def unnamed(persons: Sequence[str], customer_id: str) -> Ended:
    """The end of a row that names no person, of a customer that has not exactly one."""
    if not persons:
        words = f"the bank shows no person with customer {customer_id}: name one in bank_person_id"
        return Ended(Outcome.REJECTED, "not_available", words)
    words = f"customer {customer_id} has several persons ({', '.join(persons)}): name one in bank_person_id"
    return Ended(Outcome.CONFLICT, "ambiguous", words)
