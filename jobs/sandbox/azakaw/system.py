"""Azakaw in memory, after its Customer Profile Management page; token, list and error codes after neighbouring pages.

The end of a person's last name, or of a company's full name, chooses what becomes of it:

    ...Refused    400, nothing is stored
    ...Inreview   stored as ComplianceReview
    ...Approved   stored as Approved
    ...Rejected   stored as Rejected
    anything else   stored as New

The secret of an app is its id with `-secret` behind it.
"""

import math
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.sandbox.azakaw.form import INDIVIDUAL, LEGAL, complaints, last_name, name
from jobs.sandbox.azakaw.pdf import page
from jobs.sandbox.azakaw.records import STATES, Records, Submission, listed, state
from jobs.sandbox.azakaw.switches import Switches, switches, token_life
from jobs.sandbox.bench import Bench
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.limits import Windows
from jobs.sandbox.listing import in_order
from jobs.sandbox.reply import Headers, Reply, json_reply
from jobs.sandbox.settings import Limit

OPERATIONS: dict[tuple[str, ...], tuple[str, str | None]] = {
    ("POST", "api", "AppSessionManager", "GetAppToken"): ("get_app_token", None),
    ("POST", "ExtCustomerManagement", "AddCustomer"): ("add_customer", "create"),
    ("POST", "ExtCustomerManagement", "SetCustomerPassword"): ("set_password", None),
    ("GET", "ExtCustomerManagement", "GetEmployees"): ("list_employees", "read"),
    ("GET", "ExtReport", "GetIndividualProfile", "*"): ("individual_profile", "read"),
    ("GET", "ExtReport", "GetLegalProfile", "*"): ("legal_profile", "read"),
    ("GET", "ExtReport", "DownloadIndividualProfilePagePdf", "*"): ("individual_pdf", "download"),
    ("GET", "ExtReport", "DownloadLegalProfilePagePdf", "*"): ("legal_pdf", "download"),
    ("GET", "ExtForm", "submissions"): ("list_submissions", "read"),
}
"""Name and class of limits by path; `*` is a submission's id. That lists count as retrieval is chosen."""

SCENARIOS = {"inreview": "ComplianceReview", "approved": "Approved", "rejected": "Rejected"}

MESSAGES = {401: "Unauthorized", 403: "Forbidden", 404: "Resource not found", 409: "Resource already exists"}


@dataclass(frozen=True, slots=True)
class Session:
    """Whose token it is."""

    app: str
    tenant: str
    expires: float


class Refused(Exception):
    """Ends a call with `status` and its sentences."""

    def __init__(self, status: int, *messages: str, headers: Headers = ()) -> None:
        super().__init__(f"refused with {status}")
        self.status, self.messages, self.headers = status, list(messages), headers


class Azakaw:
    """Azakaw below `/azakaw`, tokens included."""

    name = "azakaw"
    prefix = "/azakaw"
    base_path = "/azakaw"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._operations: dict[str, Callable[[Call, Session], Reply]] = {
            "add_customer": self._add,
            "set_password": self._set_password,
            "list_employees": self._employees,
            "individual_profile": lambda call, session: self._profile(call, session, INDIVIDUAL),
            "legal_profile": lambda call, session: self._profile(call, session, LEGAL),
            "individual_pdf": lambda call, session: self._pdf(call, session, INDIVIDUAL),
            "legal_pdf": lambda call, session: self._pdf(call, session, LEGAL),
            "list_submissions": self._list,
        }
        bench.checks.append(switches)
        self.reset()

    @property
    def switches(self) -> Switches:
        """Gives the switches in force."""
        return switches(self._bench.settings)

    def reset(self) -> None:
        """Forgets everything; reads the settings again."""
        self._records = Records(random.Random(f"{self._bench.settings.seed}|azakaw"))  # noqa: S311 - repeatable
        self._chance = random.Random(f"{self._bench.settings.seed}|azakaw|order")  # noqa: S311 - repeatable
        self._sessions: dict[str, Session] = {}
        self._windows = Windows()
        self.switches  # noqa: B018 - refuses wrong ones

    def identify(self, call: Call) -> Subject:
        """Operation, app and submission; a token counts even when it has expired."""
        body = call.json() if call.body else None
        sent = body if isinstance(body, dict) else {}
        session = self._sessions.get(call.bearer)
        operation = _operation(call)[0]
        submission = sent.get("submissionId") if operation == "set_password" else None
        if call.segments[0] == "ExtReport":
            submission = call.segments[-1]
        row = self._records.get(session.tenant, submission) if session and submission else None
        return Subject(
            operation=operation,
            credential=session.app if session else None,
            customer_id=row.submission_id if row else None,
            last_name=last_name(sent),
        )

    def answer(self, call: Call) -> Reply:
        """Works on the call."""
        try:
            return self._perform(call)
        except Refused as refused:
            # A limit is enforced before the platform that would put its code into the body.
            inside = self.switches.body_status and refused.status != 429
            reply = _enveloped(None, refused.status, refused.messages)
            return json_reply(reply, 200 if inside else refused.status).with_headers(refused.headers)

    def error(self, status: int) -> Reply:
        """A refusal with `status` in the envelope."""
        return json_reply(_enveloped(None, status, [MESSAGES.get(status, "The sandbox was told to answer so")]), status)

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids, states and hashes; no personal values."""
        return self._records.snapshot()

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a submission past all rules: `customerEmail`, and if wanted `userType`, `formId`, `name`, `kycState`,
        `tenantId`."""
        known = {"customerEmail", "userType", "formId", "name", "kycState", "tenantId"}
        if not isinstance(record.get("customerEmail"), str) or set(record) - known:
            raise ValueError(f"a planted customer needs customerEmail; known: {', '.join(sorted(known))}")
        user_type, planted = record.get("userType", INDIVIDUAL), state(record.get("kycState", "New"))
        form = record.get("formId") or next(iter(self.switches.forms))
        tenant = record.get("tenantId") or next(iter(self.switches.apps.values()))
        named = record.get("name", "Planted Customer")
        row = self._records.add(tenant, user_type, form, record["customerEmail"], named, self._bench.clock.now())
        row.state = planted
        return {"submissionId": row.submission_id, "customerId": row.customer_id}

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes `kycState` or deletes (`deleted`: true) a submission; KeyError: there is none."""
        if kind != "customers":
            raise KeyError(kind)
        return self._records.amend(name, changes)

    def _perform(self, call: Call) -> Reply:
        operation, kind = _operation(call)
        if operation == "unknown":
            raise Refused(404, "Resource not found")
        if operation == "get_app_token":
            return self._token(call)
        session = self._sessions.get(call.bearer)
        if session is None or session.expires <= self._bench.clock.now():
            raise Refused(401, "The token is missing, malformed or expired")
        limit = self.switches.limit(kind)
        if limit is not None:
            self._pass(f"{session.tenant}|{kind}", limit)
        return self._operations[operation](call, session)

    def _pass(self, key: str, limit: Limit) -> None:
        wait = self._windows.wait(key, limit, self._bench.clock.monotonic())
        if wait is not None:
            seconds = (("retry-after", str(max(1, math.ceil(wait)))),)
            headers = seconds if self._bench.settings.limit_retry_after else ()
            raise Refused(429, "Too many requests", headers=headers)

    def _token(self, call: Call) -> Reply:
        """POST GetAppToken: a new token each time; there is no renewal."""
        body = _body(call)
        app, tenant = body.get("appId"), body.get("tenantId")
        known = isinstance(app, str) and tenant is not None and self.switches.apps.get(app) == tenant
        if not known or body.get("appSecret") != f"{app}-secret":
            raise Refused(401, "appId, appSecret or tenantId is wrong")
        token = secrets.token_urlsafe(48)
        life = token_life(self._bench.settings)
        self._sessions[token] = Session(str(app), str(tenant), self._bench.clock.now() + life)
        return json_reply(_enveloped({"token": token}))

    def _add(self, call: Call, session: Session) -> Reply:
        """POST AddCustomer."""
        body, switches = _body(call), self.switches
        found = complaints(body) or self._unknown(body)
        chosen = (last_name(body) or "").lower()
        if chosen.endswith("refused"):
            found.append(f"'{last_name(body)}' is refused by the tenant's rules")
        if found:
            raise Refused(400, *found)
        holder = self._records.find(session.tenant, body["formId"], body["customerEmail"])
        if holder is not None and switches.duplicate != "accepted":
            if switches.duplicate == "200-existing":
                return json_reply(_enveloped({"submissionId": holder.submission_id}))
            raise Refused(int(switches.duplicate), f"Customer {body['customerEmail']} already exists")
        email, now = body["customerEmail"].strip(), self._bench.clock.now()
        row = self._records.add(session.tenant, body["userType"], body["formId"], email, name(body), now)
        row.state = next((state for ending, state in SCENARIOS.items() if chosen.endswith(ending)), "New")
        row.mails, row.hidden_reads = int(body["sendEmail"]), switches.lag_reads
        call.commit(customer_id=row.submission_id)
        return json_reply(_enveloped({"submissionId": row.submission_id}))

    def _unknown(self, body: Mapping[str, Any]) -> list[str]:
        """Complaints about an employee and a form that are not there."""
        found = []
        if body["employeeId"] not in self.switches.employees:
            found.append("employeeId is unknown")
        if self.switches.forms.get(body["formId"]) != body["userType"]:
            found.append(f"formId is no form for {body['userType']}")
        return found

    def _set_password(self, call: Call, session: Session) -> Reply:
        """POST SetCustomerPassword: the platform makes the password and mails it, each time."""
        body = _body(call)
        row = self._records.get(session.tenant, body.get("submissionId"))
        if row is None:
            raise Refused(404, "Submission not found")
        if body.get("userType") != row.user_type:
            raise Refused(400, "userType does not fit the submission")
        row.mails += 1
        call.commit(customer_id=row.submission_id)
        return json_reply(_enveloped(True))

    def _employees(self, _: Call, __: Session) -> Reply:
        rows = [{"id": number, "name": named} for number, named in self.switches.employees.items()]
        return json_reply(_enveloped(rows))

    def _profile(self, call: Call, session: Session, user_type: str) -> Reply:
        """GET Get...Profile: success is `statusCode` 0 without messages, as the page's sample has it."""
        row = self._row(call, session, user_type)
        members: dict[str, object] = {"form": {"formId": row.form}, "submission": listed(row), "answers": []}
        members |= {"riskAssessment": {}, "riskAssessmentDetail": {}, "documents": []}
        return json_reply(_enveloped(members, 0, None))

    def _pdf(self, call: Call, session: Session, user_type: str) -> Reply:
        row = self._row(call, session, user_type)
        return Reply(200, page(f"Profile {row.submission_id}"), (("content-type", "application/pdf"),))

    def _row(self, call: Call, session: Session, user_type: str) -> Submission:
        row = self._records.get(session.tenant, call.segments[-1])
        if row is None or row.user_type != user_type:
            raise Refused(404, "Submission not found")
        return row

    def _list(self, call: Call, session: Session) -> Reply:
        """GET submissions: all that are in one of the states, without pages; its reply has no `version`."""
        switches = self.switches
        if not switches.listing:
            raise Refused(403 if self._bench.settings.vendor else 404, "Not available")
        form, states = call.query.get("formId", ""), [value for named, value in call.pairs if named == "states"]
        if not states or form not in switches.forms or not set(states) <= set(STATES):
            raise Refused(400, "formId and states are required; states are named exactly")
        rows = [row for row in self._records.on_form(session.tenant, form) if row.state in states]
        rows = in_order(rows, switches.list_order, self._chance)
        shown = [listed(row) for row in rows if not row.hidden_reads]
        for row in rows:
            row.hidden_reads = max(0, row.hidden_reads - 1)
        envelope = _enveloped({"count": len(shown) + switches.count_wrong, "submissions": shown})
        del envelope["version"]
        return json_reply(envelope)


def _enveloped(result: object, status: int = 200, messages: object = ("Processed successfully",)) -> dict[str, object]:
    return {"version": None, "statusCode": status, "messages": messages, "result": result}


def _body(call: Call) -> Mapping[str, Any]:
    body = call.json()
    if not isinstance(body, dict) or not call.headers.get("content-type", "").startswith("application/json"):
        raise Refused(400, "The body is not a JSON object")
    return body


def _operation(call: Call) -> tuple[str, str | None]:
    """Name and class of limits."""
    parts = (
        call.segments if call.segments[0] != "ExtReport" else [*call.segments[:2], *("*" for _ in call.segments[2:])]
    )
    return OPERATIONS.get((call.method, *parts), ("unknown", None))
