"""Step 1 of self-registration, the customer: proven absent filter by filter, created with our key.

It asks with HEAD, as the ONBOARDING credential is meant to. Only when something is there it looks closer, and takes a
customer for ours on no less than `customer.py` does; what it may not see, it does not take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs import folded
from jobs.errors import NotPermitted
from jobs.model import Origin, Outcome
from jobs.systems.contract import CUSTOMER_STEP
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.customer import (
    TYPE,
    CustomerStep,
    carries,
    customer_found,
    explained,
    same_identity,
    same_phone,
    spelling,
    unexplained,
)
from jobs.systems.eclipse.existence import exists
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.optional import SHAREABLE, SHARED
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Ended, Finding, Unclear, Verdict

FILTERS = {
    "phone": "phone1",
    "national_id": "nationalIdentityNumber",
    "identity": "identity",
    "email": "email",
    "passport_number": "passportNumber",
    "asylum_ref_number": "asylumRefNumber",
}
"""Column to filter of HEAD /customers: all that the vendor's page names, in the order in which a conflict is named."""

WORDS = {
    "phone": "phone",
    "national_id": "identity number",
    "identity": "login name",
    "email": "e-mail address",
    "passport_number": "passport number",
    "asylum_ref_number": "asylum reference",
}

OF_FAMILIES = frozenset({"phone", "email"})
"""What several persons may rightly have; whether the target takes it twice is the target's to say."""


@dataclass(frozen=True, slots=True)
class NewcomerStep:
    """Creates the customer record. The vendor refuses a repeated key, so resending after a look is safe."""

    creation: CustomerStep
    """How a customer is searched for, created and recognised."""
    name: str = CUSTOMER_STEP
    resends: int | None = None
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether anybody has one of the row's numbers, names or addresses; one filter a call.

        What a person decided to be shared is not asked for.
        """
        shared = (view.facts.get(SHARED) or "").split(";")
        asked = [column for column in FILTERS if column not in shared]
        taken = [column for column in asked if await self.held(reader, view.row, column)]
        if not taken and not view.taken:
            return Absent({TYPE: self.creation.type_of(view)})
        ours = await self.ours(reader, view)
        if ours is not None:
            customer_id, spelling = ours
            return customer_found(customer_id, Origin.CREATED if view.doubt else Origin.ADOPTED, spelling)
        if not taken:
            return refused_twice(view) if SHARED in view.facts else unexplained(view)
        if view.doubt is not None:
            return Unclear("unanswered", "customers with these data are there, but nothing shows that one is ours")
        return conflict(taken)

    async def held(self, reader: Reader, row: Row, column: str) -> bool:
        """HEAD /customers with one filter and one spelling: how the vendor combines several is not documented."""
        value = row.get(column)
        if value is None:
            return False
        path = f"{self.creation.tenant_path}/customers"
        for each in (value,) if column == "identity" else folded.spellings(column, value):
            if await exists(reader, Request("customer_exists", "HEAD", path, ((FILTERS[column], each),))):
                return True
        return False

    async def ours(self, reader: Reader, view: View) -> tuple[str, Mapping[str, str]] | None:
        """The id of the one customer that is provably ours, and what it spells otherwise.

        None: there is none, or it can't be seen.
        """
        try:
            holders = await self.creation.holders(reader, view.row)
            same = [each for each in holders if same_identity(view.row, each)]
            if len(same) != 1:
                return None
            customer_id = str(wire.identifier(same[0].get("customerId")))
            profile = await shown.profile(reader, self.creation.tenant_path, customer_id) or same[0]
        except NotPermitted:
            return None  # ONBOARDING sees customers without a login, if it may search at all
        if not proven(view, profile):
            return None
        return customer_id, spelling(view.row, profile, wire.text_of(profile, "externalUniqueId"))

    def write(self, view: View) -> Request:
        """POST /customers, as an operator would."""
        return self.creation.write(view)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """It is judged as for an operator; the shorter reply shows the phone, and that has to be the row's."""
        return self.creation.classify(reply, view)


def proven(view: View, profile: Mapping[str, Any]) -> bool:
    """Whether identity number and phone are the row's, and the key too, or else our unanswered request explains it."""
    row = view.row
    if not same_identity(row, profile) or not same_phone(row, profile):
        return False
    if (wire.text_of(profile, "status") or "ACTIVE").upper() != "ACTIVE":
        return False
    key = wire.text_of(profile, "externalUniqueId")
    return explained(view, profile) if key is None else carries(row, key)


def conflict(taken: list[str]) -> Ended:
    """Somebody is registered already; who, this credential can't be told. A person may know."""
    words = " and ".join(WORDS[column] for column in taken)
    reason = f"the {words} of this row {'is' if len(taken) == 1 else 'are'} known to the target already"
    shareable = ";".join(taken) if OF_FAMILIES.issuperset(taken) else ""
    return Ended(Outcome.CONFLICT, "already_registered", reason, {SHAREABLE: shareable})


def refused_twice(view: View) -> Finding:
    """The target says "exists already" to a create whose phone or e-mail somebody is known to share."""
    if view.doubt is not None:
        return unexplained(view)
    reason = "the target takes no second customer with the phone or e-mail address that was decided to be shared"
    return Ended(Outcome.CONFLICT, "already_registered", reason, {SHAREABLE: ""})
