"""Step 2, the approval: given by a person at the bank, and only read here; never sent.

It can be read where the reply to the create gave the number that records are read by.
"""

from dataclasses import dataclass

from jobs.model import Outcome
from jobs.systems.banklingo.contacts import Contacts
from jobs.systems.banklingo.states import ACCEPTED, PENDING, REFUSED, number_of, state_of
from jobs.systems.messages import Reader
from jobs.systems.row import View
from jobs.systems.verdict import Done, Ended, Finding, Unclear, Undecided


@dataclass(frozen=True, slots=True)
class ApprovalStep:
    """Waits for the approval."""

    contacts: Contacts
    name: str = "approval"

    async def look(self, reader: Reader, view: View) -> Finding:
        """The state in the client's record; without its number nothing more can be read."""
        number, key = number_of(view.facts), view.facts["customer_id"]
        if number is None:
            return Undecided({"decision_status": PENDING}, polled=False)
        self.contacts.numbers[key] = number
        record = await self.contacts.record(reader, number)
        if record is None:
            return Unclear("customer_not_found", f"the target does not know client {number} any more")
        if key not in (record.key, number):
            return Unclear("other_customer", f"record {number} is that of client {record.key}, not of {key}")
        state = state_of(record)
        facts, claims = {"contact_id": number, "decision_status": state}, {"customer": record.key}
        facts["customer_id"] = record.key  # the create may have told its number only
        if state in ACCEPTED:
            return Done(facts, claims=claims)
        if state in REFUSED:
            return Ended(Outcome.DECLINED, "not_approved", f"client {record.key} is {state}", facts, claims=claims)
        return Undecided(facts)
