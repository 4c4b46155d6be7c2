"""What Azakaw lists: the submissions on each onboarding form, and the employees. Reading and finding, no judgement."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from functools import partial
from typing import Any

from jobs import folded
from jobs.errors import NotPermitted
from jobs.systems.azakaw.dialect import DIALECT
from jobs.systems.json_reply import Unreadable, identifier, moment_of, text_of, word_of
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.row import Row
from jobs.systems.shared_list import Index
from jobs.value import value

STATES = ("New", "Onboarding", "ComplianceReview", "Approved", "Rejected", "OnboardingAfterRejection")
"""Azakaw, Forms and Submissions page: the names are exact, and all have to be asked for."""

INDIVIDUAL, LEGAL = "individual", "legal"
USER_TYPES = {INDIVIDUAL: "IndividualCustomer", LEGAL: "LegalCustomer"}
"""The vendor's names of the two kinds of customer."""

UNAVAILABLE = frozenset({403, 404, 405, 501})
"""Statuses with which the list is not there for this credential."""

MOST_BYTES = 64 * 1024 * 1024
"""Chosen: some 250,000 submissions; the list has no pages."""

LIST_DEADLINE_SECONDS = 120.0
"""Chosen: for a list of that length."""


class ListMissing(ReadFailed):
    """The target does not offer the list, at all or to this credential."""


@value
class Submission:
    """One customer on the form."""

    submission_id: str
    email: str
    """The e-mail as the target shows it."""
    state: str | None
    created: datetime | None
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: object) -> "Submission":
        """From one entry of the list. Raises Unreadable without an id or an e-mail: then nothing is proven absent.

        A state that is no text is none.
        """
        if not isinstance(record, dict):
            raise Unreadable("an entry is no object")
        found, email, state = identifier(record.get("submissionId")), word_of(record, "email"), record.get("kycState")
        if found is None or email is None:
            raise Unreadable("an entry has no submissionId or no email")
        created = moment_of(record.get("submissionDate"))
        return cls(found, email, state if isinstance(state, str) else None, created, record)


class Submissions:
    """All of one form, as one reading showed them."""

    def __init__(self, listed: list[Submission]) -> None:
        self._by_id = {each.submission_id.lower(): each for each in listed}
        self._by_email: dict[str, list[Submission]] = {}
        for each in self._by_id.values():
            self._by_email.setdefault(folded.email(each.email), []).append(each)

    def __iter__(self) -> Iterator[Submission]:
        return iter(self._by_id.values())

    def get(self, submission_id: str) -> Submission | None:
        """The submission with that id; None when the form has none."""
        return self._by_id.get(submission_id.lower())

    def known(self, submission_id: str) -> list["Submission"]:
        """A list of the submission with that id, empty when the form has none."""
        found = self.get(submission_id)
        return [] if found is None else [found]

    def holders(self, email: str) -> list[Submission]:
        """The submissions with that e-mail; the vendor calls it the customer's unique identifier."""
        return self._by_email.get(folded.email(email), [])


def list_request(form: str) -> Request:
    """GET submissions of `form` in all states."""
    query = (("formId", form), *(("states", state) for state in STATES))
    return Request(
        "list_submissions",
        "GET",
        "/ExtForm/submissions",
        query,
        deadline_seconds=LIST_DEADLINE_SECONDS,
        most_bytes=MOST_BYTES,
    )


async def read_submissions(reader: Reader, form: str) -> Submissions:
    """All of `form`, or nothing: a list that is not whole proves nobody's absence.

    Raises ReadFailed, ListMissing, and NotPermitted when the target does not know the form.
    """
    request = list_request(form)
    reply = await reader.read(request)
    status = DIALECT.status_of(reply)
    if status in UNAVAILABLE:
        raise ListMissing(f"the target does not show the list of submissions (HTTP {status})")
    if status == 400:
        words = DIALECT.words_of(reply)
        raise NotPermitted(f"the target refuses the form {form}: {words}", hint="check form_id_… in [azakaw]")
    return Submissions(DIALECT.shown(request, reply, _listed))


def _listed(reply: Reply) -> list[Submission]:
    result = DIALECT.content_of(reply)
    listed = result.get("submissions") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(listed, list):
        raise Unreadable("it has no submissions")
    count = result.get("count")
    if type(count) is not int or count != len(listed):
        raise Unreadable(f"its count is another than the {len(listed)} that are listed")
    found = [Submission.of(record) for record in listed]
    if len({each.submission_id.lower() for each in found}) < len(found):
        raise Unreadable("it lists a submission twice, so that another one may be missing")
    return found


def kind_of(row: Row) -> str:
    """The row's kind of customer."""
    return row.get("customer_kind") or INDIVIDUAL


@value
class Forms:
    """The onboarding form of each kind of customer, and the index of each form."""

    by_kind: Mapping[str, str]
    indexes: Mapping[str, Index[Submissions]]
    """By form; a form that both kinds share is read once."""
    _former: dict[str, Index[Submissions]] = field(default_factory=dict)
    """The indexes of forms that the settings named when something was sent."""

    @classmethod
    def of(cls, by_kind: Mapping[str, str]) -> "Forms":
        """Each form with an index of its own."""
        return cls(by_kind, {form: index_of(form) for form in set(by_kind.values())})

    def on(self, form: str) -> Index[Submissions]:
        """The index of one form, which the settings need not name any more."""
        return self.indexes.get(form) or self._former.setdefault(form, index_of(form))

    def of_row(self, row: Row, facts: Mapping[str, str]) -> list[Index[Submissions]]:
        """The index of the form that the row's customer is on: as `facts` say, else of its kind, else all."""
        if form := facts.get("form_id"):
            return [self.on(form)]
        return [self.on(self.by_kind[kind_of(row)])] if row.get("customer_kind") else list(self.indexes.values())

    def shown(self, submission_id: str) -> Submission | None:
        """The submission with that id in the newest readings of all forms; reads nothing."""
        contents = [index.latest for index in (*self.indexes.values(), *self._former.values())]
        return next((found for each in contents if each and (found := each.get(submission_id))), None)


def index_of(form: str) -> Index[Submissions]:
    """An index that reads all of `form`."""
    return Index(partial(read_submissions, form=form))


@value
class Employee:
    """One of the tenant's people, who may add customers."""

    employee_id: str
    name: str = field(repr=False)
    """Empty when the target shows none."""


async def read_employees(reader: Reader) -> Mapping[str, Employee]:
    """Those that GetEmployees shows, by their id without capitals, in its order. Raises ReadFailed, NotPermitted."""
    request = Request("list_employees", "GET", "/ExtCustomerManagement/GetEmployees")
    result = DIALECT.shown(request, await reader.read(request))
    records = [each for each in result if isinstance(each, dict)] if isinstance(result, list) else []
    return {
        found.casefold(): Employee(found, text_of(each, "name") or "")
        for each in records
        if (found := identifier(each.get("id")))
    }


def fits(found: Submission, wanted: Mapping[str, str]) -> bool:
    """Whether a submission has all that is wanted; names are words of the one name that the list shows."""
    if (submission_id := wanted.get("customer_id")) and found.submission_id.lower() != submission_id.lower():
        return False
    if (email := wanted.get("email")) and not folded.same("email", email, found.email):
        return False
    name = f" {text_of(found.record, 'customerName') or ''} ".casefold()
    names = [wanted[part] for part in ("first_name", "last_name") if wanted.get(part)]
    return all(f" {each.strip()} ".casefold() in name for each in names)


def flat(found: Submission) -> dict[str, str]:
    """Its plain values as text, in the vendor's spelling; `customerId` is the submission's, by which all calls go."""
    shown = ("customerName", "email", "kycState", "submissionDate")
    texts = {name: text for name in shown if (text := text_of(found.record, name)) is not None}
    return {"customerId": found.submission_id} | texts
