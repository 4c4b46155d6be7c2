"""Step 1, the client: searched by e-mail address, created when nobody has it, and never sent twice unasked.

The vendor knows no idempotency key and does not say that duplicates are refused; so the search before a create is what
keeps clients single, and an unanswered create is settled by searching alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from jobs import folded
from jobs.model import Origin, Outcome
from jobs.systems.banklingo.contacts import KEYS, Contact, Contacts, key_of
from jobs.systems.banklingo.dialect import DIALECT, Envelope
from jobs.systems.banklingo.document import documents_of
from jobs.systems.banklingo.states import PENDING, as_number
from jobs.systems.contract import CUSTOMER_STEP
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.manner import bound_to, facts_of
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.spelling import spelt
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict
from jobs.value import value

PAYLOAD = {
    "first_name": "firstName",
    "middle_name": "middleName",
    "last_name": "lastName",
    "email": "emailAddress",
    "phone": "phoneNumber",
    "date_of_birth": "dateOfBirth",
    "gender": "gender",
    "address": "address",
    "city": "city",
    "state": "state",
    "country": "country",
    "id_type": "identificationType",
    "national_id": "identificationNumber",
}
"""Canonical column to the vendor's member."""

GENDERS = {"m": "Male", "f": "Female", "o": "Other"}
"""By first letter."""

IDENTIFYING = ("email", "phone", "national_id")
"""What a reply to a create may not have otherwise."""

NO_DOCUMENTS = "the page names no command for KYC documents: give document_command in [banklingo]; nothing was sent"

NAMES = ("first_name", "last_name")
"""What must be equal too before our unanswered request explains a client with the row's e-mail address and phone."""


@value
class Form:
    """How a row is written as the vendor's members; by the settings, so that a repetition has to be written alike."""

    phone_plus: bool = True
    branch: str = ""

    def value(self, row: Row, column: str) -> str | None:
        """The value of `column` as it is sent; None when the row has none."""
        value = row.get(column)
        if value and column == "phone" and self.phone_plus:
            return f"+{value}"
        if value and column == "gender":
            return GENDERS[value[0].lower()]
        return value

    def members(self, row: Row) -> dict[str, str]:
        """All that a create sends."""
        filled = {member: value for column, member in PAYLOAD.items() if (value := self.value(row, column))}
        branch = row.get("branch") or self.branch
        return filled | {"customerType": "Individual"} | ({"branchEncodedKey": branch} if branch else {})


def same_name(contact: Contact, row: Row) -> bool:
    """Whether first and last name are equal, capitals and blanks aside."""
    return all(_plain(contact.get(PAYLOAD[column])) == _plain(row.get(column)) for column in NAMES)


def spelling(contact: Contact, row: Row) -> dict[str, str]:
    """The fact that says what a client has in another spelling than the row."""
    return spelt(row, {column: contact.get(PAYLOAD[column]) for column in IDENTIFYING})


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """Creates the client."""

    envelope: Envelope
    contacts: Contacts
    form: Form
    credential: Callable[[], str | None]
    """Names the credential that creates, as a pseudonym; asked for when a client was created."""
    settle_seconds: float | None
    resends: int | None = 0
    name: str = CUSTOMER_STEP
    refuses_documents: bool = False
    """Whether a row with a document ends before its client is made: nothing could take the document."""

    async def look(self, reader: Reader, view: View) -> Finding:
        """Who has our e-mail address, and is it ours?

        A create is sent only after a look that found nobody, so that one who is there now, with the same phone and
        names, is what our unanswered request made.
        """
        row = view.row
        doubtful = view.doubt is not None or view.taken
        if self.refuses_documents and documents_of(row) and not doubtful:
            return Ended(Outcome.REJECTED, "not_offered", NO_DOCUMENTS)
        if view.unlisted:
            return Absent(written_with(self.envelope, self.form, view))
        found = await self.contacts.with_email(reader, row.get("email") or "", anew=doubtful)
        exact = [each for each in found if each.has_phone(row.get("phone"))]
        known = view.facts.get("customer_id")
        if len(exact) == 1 and exact[0].key == known:
            facts = {"customer_id": exact[0].key, "customer_origin": Origin.ADOPTED, **spelling(exact[0], row)}
            return Done(facts, claims={"customer": known})
        if len(exact) == 1 and view.doubt is not None and same_name(exact[0], row):
            return self.made(exact[0].key, exact[0].get("id"))
        if found:
            return conflict(found, exact, view)
        if view.taken:
            return unexplained(view)
        return Absent(written_with(self.envelope, self.form, view))

    def made(self, key: str, number: str | None) -> Done:
        """A client that we made; no other row may hold it."""
        maker = self.credential()
        facts = {"customer_id": key, "customer_origin": Origin.CREATED, "decision_status": PENDING}
        facts |= {"maker": maker} if maker else {}
        return Done(facts | numbered(number), claims={"customer": key})

    def write(self, view: View) -> Request:
        """CreateContactCommand."""
        members = bound_to(self.form, view.bound).members(view.row)
        return bound_to(self.envelope, view.bound).command("create_contact", "CreateContactCommand", members)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success with a key is a create; without one, or about somebody else, it is a doubt."""
        return DIALECT.judged(reply, partial(self.created, row=view.row))

    def created(self, content: Mapping[str, Any], row: Row) -> Done:
        """The client that the reply to a create names. Raises Unreadable."""
        key = key_of(content, *KEYS, "id")
        if key is None:
            raise Unreadable("it names no client")
        if (member := stranger(content, row)) is not None:
            raise Unreadable(f"it is about another {member}")
        return self.made(key, identifier(content.get("id")))


def written_with(envelope: Envelope, form: Form, view: View) -> dict[str, str]:
    """The settings that a command is written with: those of the unanswered one, while there is one."""
    return facts_of(bound_to(envelope, view.bound)) | facts_of(bound_to(form, view.bound))


def stranger(content: Mapping[str, Any], row: Row) -> str | None:
    """The first member of a reply that is another person's than the row's; None: none is. What is absent says nothing.

    `content` has its names in lower case.
    """
    for column in IDENTIFYING:
        member = PAYLOAD[column]
        ours, theirs = row.get(column), content.get(member.lower())
        if ours and theirs not in (None, "") and _comparable(column, ours) != _comparable(column, theirs):
            return member
    return None


def _comparable(column: str, value: object) -> str | None:
    """A value as it is compared; None when it is no text."""
    return folded.of(column, value) if isinstance(value, str) else None


def numbered(shown: str | None) -> dict[str, str]:
    """The number by which the record can be read, where it is shown."""
    number = as_number(shown)
    return {"contact_id": number} if number else {}


def conflict(found: list[Contact], exact: list[Contact], view: View) -> Ended:
    """Why the row is someone else's, or can't be proven ours. A stranger's record is never adopted or changed."""
    ids = ", ".join(each.key for each in exact or found)
    if len(exact) > 1:
        return Ended(Outcome.CONFLICT, "ambiguous", f"several clients fit ({ids}); none was chosen")
    if not exact:
        reason = f"the e-mail address belongs to client {ids} with another phone"
        return Ended(Outcome.CONFLICT, "email_taken", reason)
    if view.doubt is not None:
        reason = f"client {ids} has this e-mail address and phone under other names; nothing shows that we made it"
        return Ended(Outcome.CONFLICT, "unproven", reason)
    reason = f"client {ids} has this e-mail address and phone, and nothing shows that we made it"
    return Ended(Outcome.CONFLICT, "same_person", reason)


def unexplained(view: View) -> Finding:
    """The target says "exists already", and shows nobody with our e-mail address."""
    if view.doubt is not None:
        return Unclear("unanswered", "the target refused the client as a duplicate, but shows no client for it")
    reason = "the target refuses the client as a duplicate, but shows nobody with this e-mail address"
    return Ended(Outcome.CONFLICT, "email_taken", reason)
