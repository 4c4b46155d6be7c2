"""Azakaw as a system: settings, capabilities, login, and the reads of reconciliation, look-up and preflight."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    Forms,
    ListMissing,
    Submission,
    fits,
    flat,
    read_employees,
)
from jobs.systems.contract import Capabilities, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.json_reply import Unreadable, segment, text_of
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request, Token
from jobs.systems.optional import Check
from jobs.systems.row import Row
from jobs.systems.shared_list import Index
from jobs.systems.sighting import Comparison, Listed, Sighting
from jobs.transport.address import checked_base_url

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
    plain=frozenset({"customerId", "kycState", "submissionDate"}),
    status_members=("kycState",),
    natural_key="email",
    downloads=True,
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
DOCUMENTS = {INDIVIDUAL: "DownloadIndividualProfilePagePdf", LEGAL: "DownloadLegalProfilePagePdf"}

PDF_DEADLINE_SECONDS = 120.0
"""Chosen: the page says nothing of how long making one takes."""

MOST_PDF_BYTES = 64 * 1024 * 1024
"""Chosen: a profile with its documents in it; larger ones are refused."""


@dataclass(frozen=True, slots=True)
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
    uses_list: bool = True
    """Whether the list of submissions is read. Without it nobody is looked for and nothing lost is settled."""
    settle_seconds: float = 60.0
    """How long after an unanswered create the list is not believed when it does not show it (chosen)."""


SETTINGS = AzakawSettings


def system(setup: Setup, settings: AzakawSettings) -> "Azakaw":
    """Azakaw for one tenant. Raises Unusable."""
    if settings.form_id_individual is None and settings.form_id_legal is None:
        raise Unusable("[azakaw] names no onboarding form", hint="give form_id_individual or form_id_legal")
    if settings.employee_id is None:
        raise Unusable("[azakaw] names no employee", hint="give employee_id, an id that GetEmployees shows")
    if settings.auth_base_url is not None:
        checked_base_url(settings.auth_base_url)
    return Azakaw(setup.tenant, settings)


class Azakaw(Defaults):
    """Azakaw for one tenant."""

    dialect = DIALECT
    later_columns = frozenset({"customer_kind"})

    def __init__(self, tenant: str, settings: AzakawSettings) -> None:
        self.tenant, self.settings = tenant, settings
        self.staff = Index(read_employees)
        given = {INDIVIDUAL: settings.form_id_individual, LEGAL: settings.form_id_legal}
        self.forms = Forms.of({kind: form or given[INDIVIDUAL] or given[LEGAL] or "" for kind, form in given.items()})
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
            self.steps += (DecisionStep(self.forms, settings.await_decision),)
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
                request = Request("read_profile", "GET", f"/ExtReport/{name}/{segment(submission_id)}")
                reply = await reader.read(request)
                if DIALECT.status_of(reply) != 404:
                    return about(request, DIALECT.shown(request, reply), submission_id)
        return False

    def documents(self, customer_id: str, facts: Mapping[str, str]) -> Sequence[Request]:
        """The PDF of the customer's kind; of both where it is not known."""
        known = facts.get("customer_kind")
        return [
            Request(
                "download_profile",
                "GET",
                f"/ExtReport/{name}/{segment(customer_id)}",
                call_class=CallClass.DOWNLOAD,
                deadline_seconds=PDF_DEADLINE_SECONDS,
                headers=(("accept", "application/pdf, application/json"),),
                most_bytes=MOST_PDF_BYTES,
            )
            for kind, name in DOCUMENTS.items()
            if known in {kind, None}
        ]

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """All submissions, one page for each form."""
        for index in self.forms.indexes.values():
            submissions = (await index.fresh(reader)).content
            yield [Listed(each.submission_id, None, each.created, each.record) for each in submissions]

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Submissions by `customer_id`, `email`, or words of the name (`first_name`, `last_name`).

        All that one reader looks for is looked for in one reading.
        """
        readings = [await index.reading(reader) for index in self.forms.indexes.values()]
        return [flat(each) for reading in readings for each in reading.content if fits(each, wanted)]

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """The employee, and the list of each form. Raises ReadFailed, NotPermitted."""
        staff = (await self.staff.fresh(reader)).content
        known = (self.settings.employee_id or "").casefold() in staff
        checks = [
            Check(
                "employee",
                known,
                f"one of {len(staff)}" if known else "unknown",
                None if known else "check employee_id",
            )
        ]
        for form, index in self.forms.indexes.items():
            try:
                count = sum(1 for _ in (await index.fresh(reader)).content)
                checks.append(Check(f"form {form}", True, f"{count:,} submissions"))
            except ListMissing as error:
                advice = "ask the vendor for the list; without it lost requests stay in doubt (uses_list = false)"
                checks.append(Check(f"form {form}", not self.settings.uses_list, str(error), advice))
        return checks


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
