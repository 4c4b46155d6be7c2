"""The three steps: the customer is added, then sent a password where that is wanted, then compliance decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs import folded
from jobs.errors import NotPermitted
from jobs.model import Origin, Outcome
from jobs.privacy import masking
from jobs.systems.azakaw.dialect import DIALECT, code_of
from jobs.systems.azakaw.submissions import (
    INDIVIDUAL,
    LEGAL,
    STATES,
    USER_TYPES,
    Employee,
    Forms,
    ListMissing,
    Submission,
    Submissions,
    kind_of,
)
from jobs.systems.contract import CLOCK_SKEW, CUSTOMER_STEP
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.manner import bound_to, facts_of
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request
from jobs.systems.row import View
from jobs.systems.shared_list import Index, Reading
from jobs.systems.spelling import spelt
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Unclear, Undecided, Verdict
from jobs.value import value

MEMBERS = {
    INDIVIDUAL: ("individualCustomer", {"first_name": "firstName", "last_name": "lastName"}),
    LEGAL: (
        "legalEntityCustomer",
        {"legal_name": "fullName", "registration_number": "registrationNumber", "trading_name": "tradingName"},
    ),
}
"""By kind of customer: the vendor's object that names it, and the members of our columns."""

APPROVED, REJECTED = "Approved", "Rejected"
"""The one state that says yes and the one that says no; all others are on the way."""

JUDGED_BY = "judged_by"
"""The note that holds the number of the reading that the row was last judged by, so that the next one is newer."""


@value
class Terms:
    """What of an AddCustomer the settings decide; a lost one is looked for, and repeated, on its own terms."""

    form_id: str
    employee_id: str
    send_email: bool


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """Adds the customer. No key makes a repetition harmless, so a lost one is looked for first, and repeated once."""

    forms: Forms
    staff: Index[Mapping[str, Employee]]
    employee_id: str
    send_email: bool
    lists: bool
    settle_seconds: float | None
    name: str = CUSTOMER_STEP

    @property
    def resends(self) -> int | None:
        """Once where a repetition mails nobody, else never."""
        return 0 if self.send_email else 1

    def terms(self, view: View) -> Terms:
        """The terms of the unanswered request, else those of the settings."""
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
                f"the target has no employee {terms.employee_id}",
                hint="check employee_id: muster employees lists them",
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
        """A success with an id is a create; a 404 is about the path, the form or the employee, not about the row."""
        if DIALECT.status_of(reply) == 404:
            raise NotPermitted(
                f"the target does not know the path, the form or the employee: {DIALECT.words_of(reply)}",
                hint="check --base-url, form_id_… and employee_id",
            )
        return DIALECT.judged(reply, partial(self.added, view=view), view.row)

    def added(self, result: Any, view: View) -> Done | Doubted:
        """The customer, unless a list showed that id with another e-mail. Raises Unreadable."""
        found = identifier(result.get("submissionId")) if isinstance(result, dict) else None
        if found is None:
            raise Unreadable("it has no submissionId")
        shown = self.forms.shown(found)
        if shown is not None and not folded.same("email", view.row.get("email"), shown.email):
            reason = f"the target answered with submission {found}, which has another e-mail"
            return Doubted("other_customer", reason, answered=False)
        facts = {"customer_id": found, "customer_origin": Origin.CREATED, "customer_kind": kind_of(view.row)}
        return Done(facts | {"form_id": self.terms(view).form_id}, claims={"customer": found})


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
        **spelt(view.row, {"email": found.email}),
    }
    return verdict_on(found, facts, {"customer": found.submission_id})


def explained(found: Submission, view: View) -> bool:
    """Whether our own unanswered request explains it: added no earlier than that was sent, less the clocks' skew."""
    if view.doubt is None or found.created is None:
        return False
    return found.created >= view.doubt.since - CLOCK_SKEW


def verdict_on(found: Submission, facts: Mapping[str, str], claims: Mapping[str, str]) -> Done | Ended:
    """Done whatever compliance has still to say, unless it has said no."""
    known = {**facts, "decision_status": masking.mark(found.state or "none", 40)}
    if found.state == REJECTED:
        reason = "compliance rejected the application"
        return Ended(Outcome.DECLINED, "application_rejected", reason, known, proves=True, claims=claims)
    return Done(known, claims=claims)


def unseen(why: str) -> Unclear:
    """A doubt that no list can settle."""
    return Unclear("list_unavailable", f"a request may have been applied, and {why}")


@dataclass(frozen=True, slots=True)
class PasswordStep:
    """Has the target make a password and send it to the customer. Nothing shows whether it did: sent once only."""

    name: str = "password"
    resends: int | None = 0
    settle_seconds: float | None = 0.0
    """Waiting shows nothing."""

    async def look(self, reader: Reader, view: View) -> Finding:
        """Absent as long as no request of ours may have been applied."""
        if view.doubt is None and not view.taken:
            return Absent()
        return Unclear("unanswered", "the request for a password was not answered with a success; nothing shows it")

    def write(self, view: View) -> Request:
        """POST SetCustomerPassword; the vendor's sample has no password in it."""
        kind = view.facts.get("customer_kind") or kind_of(view.row)
        body = {"userType": USER_TYPES[kind], "submissionId": view.facts["customer_id"]}
        path = "/ExtCustomerManagement/SetCustomerPassword"
        return Request("set_password", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success is one whatever its result: none is documented."""
        if not DIALECT.succeeded(reply):
            return DIALECT.refusal(reply)
        trace = DIALECT.trace_of(reply)
        if code_of(reply) is None:
            return Doubted("unreadable_reply", "the target's answer is no envelope", answered=False, trace=trace)
        return Done({}, trace)


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """Reads the state in the list; nothing is ever written. `awaited`: it is only done once compliance has decided.

    A state that is on no page is no decision, and does not say that compliance has not refused.
    """

    forms: Forms
    awaited: bool
    told: Callable[[str], str | None] = lambda _: None
    """The state that Azakaw itself told of a submission, which `muster webhook serve` received."""
    unpolled: bool = False
    """Whether the list is not read for decisions: they are told."""
    name: str = "decision"

    async def look(self, reader: Reader, view: View) -> Finding:
        """The state, told or shown: the customer is there, so what can't be read now is read again later.

        A decision that was told is taken without a reading; the reconciliation reads the list by itself.
        """
        submission_id = view.facts["customer_id"]
        told = self.told(submission_id)
        if told in {APPROVED, REJECTED}:
            return verdict_on(Submission(submission_id, "", told, None, {}), {}, {})
        if self.unpolled and self.awaited:
            return Undecided({"decision_status": told} if told else {})
        try:
            reading = await self._reading(reader, view, submission_id)
        except ListMissing:
            return Undecided(polled=False)
        except ReadFailed as error:
            return Undecided(trace=error.trace)
        view.notes[JUDGED_BY] = reading.number
        found = reading.content.get(submission_id)
        if found is None:
            return Undecided()
        verdict = verdict_on(found, {}, {})
        if isinstance(verdict, Done) and found.state not in ({APPROVED, REJECTED} if self.awaited else STATES):
            return Undecided(verdict.facts)
        return verdict

    async def _reading(self, reader: Reader, view: View, submission_id: str) -> Reading[Submissions]:
        """One that the row was not judged by before, and that is not from before the customer was added."""
        index = self.forms.of_row(view.row, view.facts)[0]
        reading = await index.reading(reader, after=view.notes.get(JUDGED_BY, 0))
        return reading if reading.content.get(submission_id) is not None else await index.fresh(reader)
