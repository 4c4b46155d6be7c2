"""Step 1, the customer: found by e-mail on its form, judged by what the ledger knows, added once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from jobs.errors import NotPermitted
from jobs.model import Origin, Outcome
from jobs.systems.azakaw import envelope
from jobs.systems.azakaw.forms import INDIVIDUAL, LEGAL, USER_TYPES, Forms, kind_of
from jobs.systems.azakaw.submissions import ListMissing, Submission, Submissions
from jobs.systems.base import CLOCK_SKEW
from jobs.systems.exchange import CallClass, Reader, Reply, Request
from jobs.systems.index import Index, Reading
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.row import Row, View
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
class CustomerStep:
    """Adds the customer. No key makes a repetition harmless, so a lost one is looked for first, and repeated once."""

    forms: Forms
    staff: Index[frozenset[str]]
    employee_id: str
    send_email: bool
    lists: bool
    settle_seconds: float | None
    name: str = "customer"
    _before: dict[str, Reading[Submissions]] = field(default_factory=dict)
    """By the row's key: the reading in which it was absent when its write was decided on."""

    @property
    def resends(self) -> int | None:
        """One, where a repetition mails nobody."""
        return 0 if self.send_email else 1

    async def look(self, reader: Reader, view: View) -> Finding:
        """Who holds our e-mail on the form, and is it ours?"""
        doubtful = view.doubt is not None or view.taken
        if not self.lists:
            return unseen("the list of submissions is not used") if doubtful else await self._absent(reader, view)
        index = self.forms.index(view.row)
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
            return judged(holders, view)
        if view.taken and view.doubt is None:
            reason = "the target says that it exists already, but lists nobody with this e-mail"
            return Ended(Outcome.CONFLICT, "email_taken", reason)
        if doubtful and (view.taken or self.send_email):
            return Unclear("unanswered", "a request went unanswered, and the list shows no trace of it")
        self._before[view.row.key] = reading
        return await self._absent(reader, view)

    async def _absent(self, reader: Reader, view: View) -> Finding:
        """Absent, once it is certain that the configured employee is known. Raises NotPermitted."""
        if self.employee_id.casefold() not in (await self.staff.reading(reader)).content:
            raise NotPermitted(
                f"the target has no employee {self.employee_id}", hint="check employee_id in [azakaw]: GetEmployees"
            )
        return Absent()

    def write(self, view: View) -> Request:
        """POST AddCustomer; the vendor's samples send an empty mobile number when there is none."""
        kind, phone = kind_of(view.row), view.row.get("phone")
        member, columns = MEMBERS[kind]
        body = {
            "userType": USER_TYPES[kind],
            "customerEmail": view.row.get("email"),
            "customerMobileNumber": f"+{phone}" if phone else "",
            "employeeId": self.employee_id,
            "formId": self.forms.by_kind[kind],
            "sendEmail": self.send_email,
            member: {api: view.row.get(column) or "" for column, api in columns.items()},
        }
        path = "/ExtCustomerManagement/AddCustomer"
        return Request("add_customer", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success with an id that was not there before is a create."""
        before = self._before.pop(view.row.key, None)
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
        if before is not None and before.content.get(found) is not None:
            reason = f"the target answered with submission {found}, which was there before"
            return Ended(Outcome.CONFLICT, "email_taken", reason, trace=envelope.trace_of(reply))
        facts = {"customer_id": found, "customer_origin": Origin.CREATED, "customer_kind": kind_of(view.row)}
        return Done(facts, envelope.trace_of(reply))


def judged(holders: list[Submission], view: View) -> Finding:
    """Ours when the ledger has its id, or an unanswered request of ours explains it; never adopted otherwise."""
    if len(holders) > 1:
        ids = ", ".join(each.submission_id for each in holders)
        return Ended(Outcome.CONFLICT, "ambiguous", f"several submissions have this e-mail ({ids}); none was chosen")
    found, known = holders[0], view.facts.get("customer_id")
    if found.submission_id != known and not explained(found, view):
        return Ended(Outcome.CONFLICT, "email_taken", f"the e-mail belongs to submission {found.submission_id}")
    facts = {
        "customer_id": found.submission_id,
        "customer_origin": Origin.CREATED if view.doubt else Origin.ADOPTED,
        "customer_kind": kind_of(view.row),
    }
    return verdict_on(found, facts)


def explained(found: Submission, view: View) -> bool:
    """Whether our own unanswered request explains it: added no earlier than that was sent, less the clocks' skew."""
    if view.doubt is None or found.created is None:
        return False
    return found.created >= view.doubt.since - CLOCK_SKEW


def verdict_on(found: Submission, facts: Mapping[str, str]) -> Done | Ended:
    """Done whatever compliance has still to say, unless it has said no."""
    known = {**facts, "decision_status": (found.state or "none")[:40]}
    if found.state == REJECTED:
        return Ended(Outcome.DECLINED, "application_rejected", "compliance rejected the application", known)
    return Done(known)


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
