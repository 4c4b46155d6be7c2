"""Azakaw as a system: settings, capabilities, login, and the reads of reconciliation, look-up and preflight."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from jobs.errors import Unusable
from jobs.model import Outcome, Rate
from jobs.privacy import masking
from jobs.systems.azakaw.dialect import DIALECT
from jobs.systems.azakaw.steps import APPROVED, REJECTED, CustomerStep, DecisionStep, PasswordStep
from jobs.systems.azakaw.submissions import (
    INDIVIDUAL,
    LEGAL,
    STATES,
    Employee,
    Forms,
    ListMissing,
    Submission,
    fits,
    flat,
    read_employees,
)
from jobs.systems.azakaw.webhook import Webhook
from jobs.systems.contract import Capabilities, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.json_reply import Unreadable, segment, text_of
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request, Token
from jobs.systems.optional import Check, Notice
from jobs.systems.row import Row
from jobs.systems.shared_list import Index
from jobs.systems.sighting import Comparison, Listed, Sighting
from jobs.transport.address import checked_base_url
from jobs.value import value

NOT_REJECTED = frozenset(STATES) - {REJECTED}

CAPABILITIES = Capabilities(
    title="Azakaw",
    creates_customers=True,
    idempotency_key=None,
    lookups=("email", "name", "customer-id"),
    steps=("customer", "password", "decision"),
    documented_limit="profile creation 10, retrieval 60, document downloads 30 a minute",
    decision="compliance: Approved or Rejected, by people; a snapshot of the state, or polled with await_decision",
    lists_customers=True,
    decided={
        Outcome.ONBOARDED: NOT_REJECTED,
        Outcome.ALREADY_ONBOARDED: NOT_REJECTED,
        Outcome.DECLINED: frozenset({REJECTED}),
    },
    credential="appId and appSecret, or a token",
    secrets={"identity": "the appId", "password": "the appSecret", "token": "a token of theirs, in the place of both"},
    plain=frozenset({"customerId", "kycState", "submissionDate"}),
    status_members=("kycState",),
    natural_key="email",
    downloads=("pdf", "json"),
    full="each profile",
    staff=True,
    notices=True,
)

LIMITS = {
    CallClass.WRITE: Rate(10, 60.0),
    CallClass.READ: Rate(60, 60.0),
    CallClass.DOWNLOAD: Rate(30, 60.0),
}
"""The vendor: "Profile creation: 10 requests per minute, profile retrieval: 60, document downloads: 30". Which of them
lists, employees and passwords count in is not said: reads are taken as retrieval, writes as creation (chosen)."""

TOKEN_SECONDS = 86_400.0
"""Azakaw, Authentication page: valid for 24 hours; there is no renewal."""

PROFILES = {INDIVIDUAL: "GetIndividualProfile", LEGAL: "GetLegalProfile"}
PDFS = {INDIVIDUAL: "DownloadIndividualProfilePagePdf", LEGAL: "DownloadLegalProfilePagePdf"}

PARTS = frozenset({"form", "submission", "answers", "riskAssessment", "documents"})
"""The fields of a profile in the table of the vendor's page."""

NAMED = 3
"""Employees that the preflight names (chosen); muster employees lists all."""

PDF_DEADLINE_SECONDS = 120.0
"""Chosen: the page says nothing of how long making one takes."""

MOST_PDF_BYTES = 64 * 1024 * 1024
"""Chosen: a profile with its documents in it; larger ones are refused."""


@value
class AzakawSettings:
    """`[azakaw]` in muster.toml."""

    form_id_individual: str | None = None
    """The onboarding form of individuals; None: that of legal entities."""
    form_id_legal: str | None = None
    """The onboarding form of legal entities; None: that of individuals."""
    employee_id: str | None = None
    """Who adds the customers: an id that GetEmployees shows."""
    auth_base_url: str | None = None
    """Where tokens are given; None: the base URL."""
    send_email: bool = False
    """Whether the target welcomes each customer by e-mail."""
    set_password: bool = False
    """Whether each customer is sent a password."""
    await_decision: bool = False
    """Whether a row is complete only once compliance has approved it."""
    check_profiles: bool = False
    """Whether a reconciliation also reads each profile."""
    webhook_auth: str = ""
    """How notifications prove themselves: `hmac`, `api_key` or `basic`; empty: none is received."""
    webhook_header: str = ""
    """The header with the proof; empty: X-Signature, X-Api-Key or Authorization."""
    webhook_timestamp_header: str = ""
    """The header with the time of sending, which is signed too: `TIME.BODY`; empty: there is none."""
    webhook_tolerance_seconds: float = 300.0
    """How far that time may be from ours (chosen)."""
    webhook_id_header: str = ""
    """The header that names a notification; empty: the same body is the same notification."""
    webhook_submission: str = "submissionId"
    """Where the submission's id is, a dotted path (chosen after the list of submissions)."""
    webhook_state: str = "kycState"
    """Where its state is."""
    webhook_decides: bool = False
    """Whether decisions are taken from notifications alone, and the list is not read for them."""
    uses_list: bool = True
    """Whether the list of submissions is read. Without it nobody is looked for and nothing lost is settled."""
    settle_seconds: float = 60.0
    """How long after an unanswered create the list is not believed when it does not show it (chosen)."""


SETTINGS = AzakawSettings

NO_FORM, GIVE_FORM = "[azakaw] names no onboarding form", "give form_id_individual or form_id_legal"


def system(setup: Setup, settings: AzakawSettings) -> "Azakaw":
    """Azakaw for one tenant. Raises Unusable."""
    if settings.form_id_individual is None and settings.form_id_legal is None and not setup.reading:
        raise Unusable(NO_FORM, hint=GIVE_FORM)
    if settings.employee_id is None and not setup.reading:
        raise Unusable("[azakaw] names no employee", hint="give employee_id, an id that muster employees lists")
    if settings.auth_base_url is not None:
        checked_base_url(settings.auth_base_url)
    settings = replace(settings, check_profiles=settings.check_profiles or setup.full)
    return Azakaw(setup.tenant, settings, setup.told)


class Azakaw(Defaults):
    """Azakaw for one tenant."""

    dialect = DIALECT
    later_columns = frozenset({"customer_kind"})

    def __init__(
        self, tenant: str, settings: AzakawSettings, told: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self.tenant, self.settings = tenant, settings
        self.staff = Index(read_employees)
        given = {INDIVIDUAL: settings.form_id_individual, LEGAL: settings.form_id_legal}
        named = {kind: form or given[INDIVIDUAL] or given[LEGAL] for kind, form in given.items()}
        self.forms = Forms.of({kind: form for kind, form in named.items() if form})
        self.customer = CustomerStep(
            self.forms,
            self.staff,
            settings.employee_id or "",
            settings.send_email,
            settings.uses_list,
            settings.settle_seconds,
        )
        self.steps: tuple[Step, ...] = (self.customer,)
        if settings.set_password:
            self.steps += (PasswordStep(),)
        if settings.uses_list:
            self.steps += (DecisionStep(self.forms, settings.await_decision, told, settings.webhook_decides),)
        self.capabilities = capabilities_of(settings)

    def login(self, identity: str, password: str) -> Request:
        """POST GetAppToken with the app's id and secret."""
        body = orjson.dumps({"appId": identity, "appSecret": password, "tenantId": self.tenant})
        path, base_url = "/api/AppSessionManager/GetAppToken", self.settings.auth_base_url
        return Request("login", "POST", path, body=body, call_class=CallClass.LOGIN, base_url=base_url)

    def token_of(self, reply: Reply) -> Token:
        """`result.token`, valid for 24 hours."""
        hint = "check MUSTER_IDENTITY (appId), MUSTER_PASSWORD (appSecret) and --tenant"
        result = DIALECT.granted(reply, "login refused: {words} (HTTP {status})", hint)
        token = text_of(result, "token") if isinstance(result, dict) else None
        if not token or not (token.isascii() and token.isprintable()):
            raise ValueError("the login reply has no usable token")
        return Token.bearer(token, TOKEN_SECONDS)

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """The documented ones hold for whoever calls."""
        return LIMITS

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """The row's submission in one shared reading of the list, and its profile where that is wanted.

        Without a known id the e-mail leads: several holders are all returned.
        """
        known = facts.get("customer_id")
        if not self.settings.uses_list:
            return Sighting([known] if known and await self._has_profile(reader, row, known) else [])
        found = await self._submissions(reader, row, facts) if listed is None else [submission_of(listed)]
        ids = [each.submission_id for each in found]
        if len(found) != 1:
            return Sighting(ids)
        if self.settings.check_profiles and not await self._has_profile(reader, row, ids[0]):
            return Sighting([])
        emails = Comparison("email", row.get("email"), found[0].email, masking.email)
        return Sighting(ids, (emails,), decision_status=found[0].state)

    async def _submissions(self, reader: Reader, row: Row, facts: Mapping[str, str]) -> list[Submission]:
        """The submissions of the row; a known one that a reading does not show is looked for in a fresh one."""
        known = facts.get("customer_id")
        found: list[Submission] = []
        for index in self.forms.of_row(row, facts):
            shown = (await index.reading(reader)).content
            if known is not None and shown.get(known) is None:
                shown = (await index.fresh(reader)).content
            found += shown.holders(row.get("email") or "") if known is None else shown.known(known)
        return found

    async def _has_profile(self, reader: Reader, row: Row, submission_id: str) -> bool:
        """Whether the profile is there, of the row's kind if it has one. Raises ReadFailed, NotPermitted."""
        for kind, name in PROFILES.items():
            if row.get("customer_kind") in {kind, None}:
                request = profile_at(f"/ExtReport/{name}/{segment(submission_id)}")
                reply = await reader.read(request)
                if DIALECT.status_of(reply) != 404:
                    return about(request, DIALECT.shown(request, reply), submission_id)
        return False

    def documents(self, customer_id: str, facts: Mapping[str, str], form: str) -> Sequence[Request]:
        """The profile of the customer's kind; of both where it is not known."""
        places = PDFS if form == "pdf" else PROFILES
        known = [name for kind, name in places.items() if facts.get("customer_kind") in {kind, None}]
        paths = [f"/ExtReport/{name}/{segment(customer_id)}" for name in known]
        return [pdf_at(path) if form == "pdf" else profile_at(path) for path in paths]

    def data(self, request: Request, reply: Reply, customer_id: str) -> bytes:
        """The envelope's `result` as it is: form, submission, answers, risk assessment, documents."""
        result = DIALECT.shown(request, reply)
        about(request, result, customer_id)
        if not isinstance(result, dict) or not result.keys() >= PARTS:
            raise ReadFailed(f"{request.operation}: the answer is no profile", DIALECT.trace_of(reply))
        return orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def notice(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notice:
        """A profile update that Azakaw sent."""
        own = self.settings
        webhook = Webhook(
            own.webhook_auth,
            own.webhook_header.lower(),
            own.webhook_timestamp_header.lower(),
            own.webhook_tolerance_seconds,
            own.webhook_id_header.lower(),
            submission=own.webhook_submission,
            state=own.webhook_state,
        )
        return webhook.notice(headers, body, secret, now)

    async def employees(self, reader: Reader) -> Sequence[Mapping[str, str]]:
        """GetEmployees, read now."""
        staff = (await self.staff.fresh(reader)).content
        return [{"id": each.employee_id, "name": each.name} for each in staff.values()]

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """All submissions, one page for each form."""
        for index in self.forms.indexes.values():
            submissions = (await index.fresh(reader)).content
            yield [Listed(each.submission_id, None, each.created, each.record) for each in submissions]

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Submissions by `customer_id`, `email`, or words of the name (`first_name`, `last_name`).

        All that one reader looks for is looked for in one reading. Raises Unusable where no form is named.
        """
        if not self.forms.indexes:
            raise Unusable(NO_FORM, hint=GIVE_FORM)
        readings = [await index.reading(reader) for index in self.forms.indexes.values()]
        return [flat(each) for reading in readings for each in reading.content if fits(each, wanted)]

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """The employee, and the list of each form. Raises ReadFailed, NotPermitted."""
        checks = [employed((await self.staff.fresh(reader)).content, self.settings.employee_id)]
        if not self.forms.indexes:
            checks.append(Check("form", False, "none is named", GIVE_FORM))
        for form, index in self.forms.indexes.items():
            try:
                count = sum(1 for _ in (await index.fresh(reader)).content)
                checks.append(Check(f"form {form}", True, f"{count:,} submissions"))
            except ListMissing as error:
                advice = "ask the vendor for the list; without it lost requests stay in doubt (uses_list = false)"
                checks.append(Check(f"form {form}", not self.settings.uses_list, str(error), advice))
        return checks


def employed(staff: Mapping[str, Employee], employee_id: str | None) -> Check:
    """Who adds the customers, by name; or, where that is nobody, who could."""
    found = staff.get((employee_id or "").casefold())
    if found is not None:
        return Check("employee", True, f"{masking.line(found.name) or found.employee_id}, one of {len(staff)}")
    first = [f"{each.employee_id} ({masking.line(each.name)})" for each in staff.values()][:NAMED]
    listed = ", ".join(first) + (", ...: muster employees" if len(staff) > len(first) else "")
    words = "the target knows no such employee" if employee_id else "[azakaw] names none"
    return Check("employee", False, words, f"give employee_id: {listed}" if first else "the target shows no employees")


def profile_at(path: str) -> Request:
    """The read of a profile's contents, which counts as retrieval."""
    return Request("read_profile", "GET", path, deadline_seconds=PDF_DEADLINE_SECONDS, most_bytes=MOST_PDF_BYTES)


def pdf_at(path: str) -> Request:
    """The download of a profile's PDF."""
    return Request(
        "download_profile",
        "GET",
        path,
        call_class=CallClass.DOWNLOAD,
        deadline_seconds=PDF_DEADLINE_SECONDS,
        headers=(("accept", "application/pdf, application/json"),),
        most_bytes=MOST_PDF_BYTES,
    )


def about(request: Request, result: Any, submission_id: str) -> bool:
    """True, once a profile does not say that it is another submission's than the one asked for. Raises ReadFailed."""
    inside = result.get("submission") if isinstance(result, dict) else None
    shown = inside.get("submissionId") if isinstance(inside, dict) else None
    if shown is not None and str(shown).lower() != submission_id.lower():
        raise ReadFailed(f"{request.operation}: the profile is not the one that was asked for")
    return True


def capabilities_of(settings: AzakawSettings) -> Capabilities:
    """What a complete row promises depends on what was waited for, and on what can be read."""
    complete = frozenset({APPROVED}) if settings.await_decision else NOT_REJECTED
    decided = {Outcome.ONBOARDED: complete, Outcome.ALREADY_ONBOARDED: complete}
    decided |= {Outcome.DECLINED: frozenset({REJECTED})}
    return replace(
        CAPABILITIES,
        decided=decided if settings.uses_list else {},
        lists_customers=settings.uses_list,
        lookups=CAPABILITIES.lookups if settings.uses_list else (),
    )


def submission_of(listed: Listed) -> Submission:
    """The submission of a listing. Raises ReadFailed when it is none."""
    try:
        return Submission.of(dict(listed.record))
    except Unreadable as error:
        raise ReadFailed(f"list_submissions: {error}") from None
