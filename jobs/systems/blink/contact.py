"""The steps `contact_…`: one contact of a person, an e-mail address or a number or the like, never doubled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs import folded
from jobs.model import Outcome
from jobs.systems.blink import wire
from jobs.systems.blink.bank import MEDIA, Bank, Record, contacts_path, person_of
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import Unreadable, text_of
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.spelling import spelt
from jobs.systems.verdict import Absent, Done, Finding, Unclear, Verdict

NUMBERS = frozenset({"phone", "fax"})
"""The media whose content is a number."""

LEAST_NATIONAL = 8
"""Digits below which a number with a leading zero is not compared with one that has a country code (chosen)."""


def plain(medium: str, content: str) -> str:
    """What of a contact's content counts: digits of a number without `00`, of anything else no capitals and blanks."""
    if medium in NUMBERS:
        digits = "".join(sign for sign in folded.digits(content) if sign.isascii() and sign.isdigit())
        return folded.sim(digits.removeprefix("00"))
    return folded.email(content)


def same_content(medium: str, ours: str, theirs: str) -> bool:
    """Whether two contents are one; a national `0…` equals its international form."""
    left, right = plain(medium, ours), plain(medium, theirs)
    if medium in NUMBERS and right.startswith("0") and len(right) > LEAST_NATIONAL:
        return left.endswith(right[1:])
    return left == right


def same(contact: Mapping[str, Any], medium: str, kind: str | None, content: str) -> bool:
    """Whether a contact of the bank is the one meant; whatever the type, where it is not shown or `kind` is None."""
    if text_of(contact, "medium") != medium:
        return False
    if kind is not None and text_of(contact, "contactMediumType") not in {kind, None}:
        return False
    return same_content(medium, content, text_of(contact, "contactContent") or "")


@dataclass(frozen=True, slots=True)
class ContactStep:
    """Adds a contact unless the person has an equal one. The bank would take it twice: a lost one is sent again once.

    bLink has no operation that changes or deletes a contact; an older one stays beside the new one.
    """

    bank: Bank
    column: str
    """One of MEDIA. Beside it the row may have `…_type` and `…_information`."""
    kind: str
    """`private` or `business`: the type of rows that name none."""
    settle_seconds: float | None
    resends: int | None = 1

    @property
    def name(self) -> str:
        """`contact_email` and the like."""
        return f"contact_{self.column}"

    @property
    def medium(self) -> str:
        """The specification's medium."""
        return MEDIA[self.column]

    async def look(self, reader: Reader, view: View) -> Finding:
        """The person's contacts, compared by medium, type and content."""
        await self.bank.ready(reader)
        if (objection := self.bank.objection(view)) is not None:
            return objection
        if "create_contact" in self.bank.withheld and view.doubt is None:
            return wire.not_offered("create_contact")
        person, kind = person_of(view), self.kind_for(view)
        if person is None:
            return wire.ended(view, Outcome.REJECTED, "not_available", "no person is known: name one in bank_person_id")
        if self.bank.owners.setdefault(f"person {person}", view.row.key) != view.row.key:
            words = f"another row of the file works on person {person} in this run"
            return wire.ended(view, Outcome.CONFLICT, "same_customer", words)
        try:
            contacts = await self.bank.contacts(reader, person, {self.medium})
        except NotOffered as error:
            return error.ends(view)
        if contacts is None:
            words = f"the bank does not show person {person}, or consent is missing"
            return wire.ended(view, Outcome.REJECTED, "not_available", words)
        ours = view.row.values[self.column]
        for contact in contacts:
            if same(contact, self.medium, kind, ours):
                shown = {self.column: text_of(contact, "contactContent")}
                return Done(self._facts(contact, kind) | spelt(view.row, shown, view.facts))
        if wire.acknowledged(view):
            return Unclear("not_shown", "the bank took the contact, but does not show it")
        return Absent({f"{self.name}_type": kind})

    def kind_for(self, view: View) -> str:
        """The type that the unanswered contact was sent with, else the row's own, else that of the settings."""
        return view.bound.get(f"{self.name}_type") or view.row.get(f"{self.column}_type") or self.kind

    def write(self, view: View) -> Request:
        """POST /persons/{id}/contactdetails."""
        content = view.row.values[self.column]
        body = {
            "medium": self.medium,
            "contactMediumType": self.kind_for(view),
            "contactContent": f"+{content}" if self.medium == "phone" else content,
        }
        if information := view.row.get(f"{self.column}_information"):
            body["additionalContactInformation"] = information
        path = contacts_path(person_of(view) or "")
        return Request("create_contact", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an identification, for what was sent, is a contact."""
        if not reply.ok:
            return self.bank.refused("create_contact", reply)
        return wire.DIALECT.judged(reply, partial(self.made, view=view))

    def made(self, record: Record, view: View) -> Done:
        """The contact. Raises Unreadable."""
        if wire.id_of(record, "contactIdentification") is None:
            raise Unreadable("it has no contactIdentification")
        kind, ours = self.kind_for(view), view.row.values[self.column]
        sent = {"medium": self.medium, "contactMediumType": kind, "contactContent": ours}
        shown = {name: record[name] for name in sent if record.get(name) is not None}
        if not same(sent | shown, self.medium, kind, ours):
            raise Unreadable("it is about another contact")
        return Done(self._facts(record, kind))

    def _facts(self, contact: Mapping[str, Any], kind: str) -> dict[str, str]:
        identification = wire.id_of(contact, "contactIdentification")
        return {f"{self.name}_type": kind} | ({f"{self.name}_id": identification} if identification else {})
