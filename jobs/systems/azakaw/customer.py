"""Step 1, the customer: found by e-mail on its form, judged by what the ledger knows, added once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.errors import NotPermitted
from jobs.model import Origin, Outcome
from jobs.systems.azakaw import envelope
from jobs.systems.azakaw.forms import INDIVIDUAL, LEGAL, USER_TYPES, Forms, kind_of
from jobs.systems.azakaw.submissions import ListMissing, Submission, folded
from jobs.systems.contract import CLOCK_SKEW
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.manner import bound_to, facts_of
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.shared_list import Index
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict

MEMBERS = {
    INDIVIDUAL: ("individualCustomer", {"first_name": "firstName", "last_name": "lastName"}),
    LEGAL: (
        "legalEntityCustomer",
        {"legal_name": "fullName", "registration_number": "registrationNumber", "trading_name": "tradingName"},
    ),
}
"""By kind of customer: the vendor's object that names it, and the members of our columns."""

NAMES = ("first_name", "last_name", "legal_name", "trading_name", "registration_number")
"""Columns that the target may quote in a refusal."""

REJECTED = "Rejected"
"""The one state that says no."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What of an AddCustomer the settings decide; a lost one is looked for, and repeated, on its own terms."""

    form_id: str
    employee_id: str
    send_email: bool


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """Adds the customer. No key makes a repetition harmless, so a lost one is looked for first, and repeated once."""

    forms: Forms
    staff: Index[frozenset[str]]
    employee_id: str
    send_email: bool
    lists: bool
    settle_seconds: float | None
    name: str = "customer"

    @property
    def resends(self) -> int | None:
        """One, where a repetition mails nobody."""
        return 0 if self.send_email else 1

    def terms(self, view: View) -> Terms:
        """Those of the unanswered request, else those of the settings."""
        form = self.forms.by_kind[kind_of(view.row)]
        return bound_to(Terms(form, self.employee_id, self.send_email), view.bound)

    async def look(self, reader: Reader, view: View) -> Finding:
        """Who holds our e-mail on the form, and is it ours?"""
        doubtful, terms = view.doubt is not None or view.taken, self.terms(view)
        if not self.lists:
            return unseen("the list of submissions is not used") if doubtful else await self._absent(reader, terms)
        index = self.forms.on(terms.form_id)
        try:
            reading = await (index.fresh(reader) if doubtful else index.reading(reader))
        except ListMissing as error:
            if doubtful:
                return unseen(str(error))
            raise NotPermitted(
                f"{error}, so that nobody can know who is there",
                hint="ask the vendor for it; or give uses_list = false in [azakaw], and nothing lost is ever settled",
            ) from None
        holders = reading.content.holders(view.row.get("email") or "")
        if holders:
            return judged(holders, view, terms)
        if view.taken and view.doubt is None:
            reason = "the target says that it exists already, but lists nobody with this e-mail"
            return Ended(Outcome.CONFLICT, "email_taken", reason)
        if doubtful and (view.taken or terms.send_email):
            return Unclear("unanswered", "a request went unanswered, and the list shows no trace of it")
        return await self._absent(reader, terms)

    async def _absent(self, reader: Reader, terms: Terms) -> Finding:
        """Absent, once it is certain that the employee is known. Raises NotPermitted."""
        if terms.employee_id.casefold() not in (await self.staff.reading(reader)).content:
            raise NotPermitted(
                f"the target has no employee {terms.employee_id}", hint="check employee_id in [azakaw]: GetEmployees"
            )
        return Absent(facts_of(terms))

    def write(self, view: View) -> Request:
        """POST AddCustomer; the vendor's samples send an empty mobile number when there is none."""
        kind, phone, terms = kind_of(view.row), view.row.get("phone"), self.terms(view)
        member, columns = MEMBERS[kind]
        body = {
            "userType": USER_TYPES[kind],
            "customerEmail": view.row.get("email"),
            "customerMobileNumber": f"+{phone}" if phone else "",
            "employeeId": terms.employee_id,
            "formId": terms.form_id,
            "sendEmail": terms.send_email,
            member: {api: view.row.get(column) or "" for column, api in columns.items()},
        }
        path = "/ExtCustomerManagement/AddCustomer"
        return Request("add_customer", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success with an id is a create, unless a list showed that id with another e-mail, or another row has it."""
        status = envelope.status_of(reply)
        if status == 404:
            raise NotPermitted(
                f"the target does not know the path, the form or the employee: {envelope.description_of(reply)}",
                hint="check --base-url, form_id_… and employee_id",
            )
        if not 200 <= status < 300:
            return envelope.refusal(reply, names_of(view.row))
        try:
            found = submission_id_of(envelope.result_of(reply))
        except Unreadable as error:
            return envelope.doubtful(reply, "unreadable_reply", f"the target answered HTTP {reply.status}, but {error}")
        shown = self.forms.shown(found)
        if shown is not None and folded(shown.email) != folded(view.row.get("email") or ""):
            reason = f"the target answered with submission {found}, which has another e-mail"
            return envelope.doubtful(reply, "other_customer", reason)
        facts = {"customer_id": found, "customer_origin": Origin.CREATED, "customer_kind": kind_of(view.row)}
        return Done(facts | {"form_id": self.terms(view).form_id}, envelope.trace_of(reply), {"customer": found})


def judged(holders: list[Submission], view: View, terms: Terms) -> Finding:
    """Ours when the ledger has its id, or an unanswered request of ours explains it; never adopted otherwise."""
    if len(holders) > 1:
        ids = ", ".join(each.submission_id for each in holders)
        return Ended(Outcome.CONFLICT, "ambiguous", f"several submissions have this e-mail ({ids}); none was chosen")
    found, known = holders[0], view.facts.get("customer_id")
    if found.submission_id != known and view.doubt is not None and found.created is None:
        reason = f"the e-mail belongs to submission {found.submission_id}, and nothing says since when"
        return Unclear("unanswered", f"a request went unanswered; {reason}")
    if found.submission_id != known and not explained(found, view):
        return Ended(Outcome.CONFLICT, "email_taken", f"the e-mail belongs to submission {found.submission_id}")
    facts = {
        "customer_id": found.submission_id,
        "customer_origin": Origin.CREATED if view.doubt else Origin.ADOPTED,
        "customer_kind": kind_of(view.row),
        "form_id": terms.form_id,
    }
    return verdict_on(found, facts, {"customer": found.submission_id})


def explained(found: Submission, view: View) -> bool:
    """Whether our own unanswered request explains it: added no earlier than that was sent, less the clocks' skew."""
    if view.doubt is None or found.created is None:
        return False
    return found.created >= view.doubt.since - CLOCK_SKEW


def verdict_on(found: Submission, facts: Mapping[str, str], claims: Mapping[str, str]) -> Done | Ended:
    """Done whatever compliance has still to say, unless it has said no."""
    known = {**facts, "decision_status": (found.state or "none")[:40]}
    if found.state == REJECTED:
        reason = "compliance rejected the application"
        return Ended(Outcome.DECLINED, "application_rejected", reason, known, proves=True, claims=claims)
    return Done(known, claims=claims)


def unseen(why: str) -> Unclear:
    """A doubt that no list can settle."""
    return Unclear("list_unavailable", f"a request may have been applied, and {why}")


def names_of(row: Row) -> list[str]:
    """The row's names, as they may be quoted."""
    return [value for column in NAMES if (value := row.get(column))]


def submission_id_of(result: Any) -> str:
    """`result.submissionId`. Raises Unreadable."""
    found = identifier(result.get("submissionId")) if isinstance(result, dict) else None
    if found is None:
        raise Unreadable("it has no submissionId")
    return found
