"""Omnumi's Partner API v1.5.0 in memory, after its release note: one operation, no look-up, no key of the caller.

The end of the last name chooses a refusal (`omnumi_errors.SCENARIOS`). What is a member's kind is in `omnumi_form`.
Credentials: a tenant's id, and the access token `omnumi-access-token`, which later release notes name.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.sandbox.bench import Bench
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.omnumi.codes import COUNTRIES, is_place
from jobs.sandbox.omnumi.errors import CATALOGUE, entry, rule_errors, scenario
from jobs.sandbox.omnumi.form import complaints
from jobs.sandbox.omnumi.records import TENANT, Records, echo
from jobs.sandbox.reply import Reply, json_reply
from jobs.sandbox.settings import Settings
from jobs.sandbox.switches import one_of, read

TOKEN = "omnumi-access-token"  # noqa: S105 - the sandbox's own, chosen

STATUSES = {
    401: ("Invalid", "Invalid Tenant Id"),
    403: ("Access Control", "You are not allowed to do this"),
    404: ("fetch", "No data found"),
    500: ("Internal server error", "Something went wrong"),
}
"""Errors of other statuses, as the notes of neighbouring versions have them."""


@dataclass(frozen=True, slots=True)
class Switches:
    """`tenants`: the state of each; neither `active` nor `blocked` is an onboarding status that stops it."""

    tenants: Mapping[str, str] = field(default_factory=lambda: {TENANT: "active"})
    access_token: bool = True
    """Is the header `access-token` demanded?"""
    required_documents: int = 1
    """How many documents with content, not expired, are sufficient; a passport counts. The note gives no number."""
    report: str = one_of("first", "all")
    """Does an answer name the first error or all of them?"""
    wallet_user: str = one_of("none", "phone")
    """What makes somebody a wallet user that exists: nothing, or the phone number within the tenant. Not documented."""
    errors: tuple[str, ...] = ()
    """Entries of the catalogue with which every create is refused."""
    placeholders: bool = False
    """Are the note's placeholders (`err[1]`) sent letter by letter?"""
    probes: bool = False
    """Is `GET tenant/customer/balance` of v4.2.0 there?"""

    def __post_init__(self) -> None:
        for name in self.errors:
            if name not in CATALOGUE:
                raise ValueError(f"errors: no entry {name!r}; known: {', '.join(CATALOGUE)}")
        if not all(isinstance(state, str) and state for state in self.tenants.values()):
            raise ValueError("tenants: a state is text, such as 'active' or 'blocked'")


class Refused(Exception):
    """Ends a call with `status` and the elements of `errors`."""

    def __init__(self, status: int, *errors: dict[str, object]) -> None:
        super().__init__(f"refused with {status}")
        self.status, self.errors = status, list(errors)


class Omnumi:
    """Omnumi below `/omnumi`."""

    name = "omnumi"
    prefix = "/omnumi"
    base_path = "/omnumi"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        bench.checks.append(_switches)
        self.reset()

    @property
    def switches(self) -> Switches:
        """Gives the switches in force."""
        return _switches(self._bench.settings)

    def reset(self) -> None:
        """Forgets everything; reads the settings again."""
        self._records = Records(random.Random(f"{self._bench.settings.seed}|omnumi"))  # noqa: S311 - repeatable
        self.switches  # noqa: B018 - refuses wrong ones

    def identify(self, call: Call) -> Subject:
        """Operation and tenant; the last name for faults."""
        body = call.json()
        sent = body if isinstance(body, dict) else {}
        last_name = sent.get("lastName")
        tenant = call.headers.get("tenant-id") or sent.get("tenantId")
        return Subject(
            operation=_operation(call),
            credential=tenant if isinstance(tenant, str) and tenant in self.switches.tenants else None,
            last_name=last_name if isinstance(last_name, str) else None,
        )

    def answer(self, call: Call) -> Reply:
        """Works on the call."""
        try:
            operation = _operation(call)
            if operation == "create_customer":
                return self._create(call)
            if operation == "get_balance" and self.switches.probes:
                return self._balance(call)
            return self.error(404)
        except Refused as refused:
            return json_reply({"errors": refused.errors}, refused.status)

    def error(self, status: int) -> Reply:
        """A refusal with `status` in the error envelope."""
        kind, message = STATUSES.get(min(status, 500), ("catch", "The sandbox was told to answer so"))
        return json_reply({"errors": [{"type": kind, "message": message}]}, status)

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids, states, names of members and hashes; no personal values."""
        return self._records.snapshot()

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a customer past all rules: `email` and any member of the request, besides `complianceStatus`."""
        return self._records.plant(record)

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes `complianceStatus` or members, or deletes (`deleted`: true) a customer; KeyError: there is none."""
        if kind != "customers":
            raise KeyError(kind)
        return self._records.amend(name, changes)

    def _create(self, call: Call) -> Reply:
        body = self._body(call)
        self._admit(call, body.get("tenantId"))
        switches, story = self.switches, scenario(str(body.get("lastName", "")))
        self._refuse(switches.errors, body)
        wrong = complaints(body)
        if wrong:
            raise Refused(400, rule_errors(wrong))
        broken = self._broken(body)
        self._refuse(broken if switches.report == "all" else broken[:1], body)
        if story.names and not story.leaves_record:
            self._refuse(story.names, body)
        row = self._records.add(body, half=story.leaves_record)
        call.commit(customer_id=row.account_id)
        self._refuse(story.names, body)
        return json_reply({"data": echo(row), "message": "Customer's profile submitted for review"}, 201)

    def _body(self, call: Call) -> dict[str, Any]:
        body = call.json()
        if not isinstance(body, dict) or not call.headers.get("content-type", "").startswith("application/json"):
            raise Refused(400, {"type": "catch", "message": "The request body is not a JSON object"})
        return body

    def _admit(self, call: Call, tenant: object) -> None:
        """Tenant and token. The release note answers every failure with 400; later ones have 401."""
        switches, vendor = self.switches, self._bench.settings.vendor
        header = call.headers.get("tenant-id")
        disagrees = header != tenant and (vendor or header is not None)
        if vendor and (disagrees or not _is_uuid(tenant)):
            raise Refused(401, {"type": "Invalid", "message": "Invalid Tenant Id"})
        if disagrees or not _is_uuid(tenant):
            self._refuse(["tenant_invalid"], {})
        if switches.access_token and call.headers.get("access-token") != TOKEN:
            raise Refused(401 if vendor else 400, {"type": "catch", "message": "Please provide valid access token"})
        state = switches.tenants.get(str(tenant), "")
        if state != "active":
            name = {"": "tenant_unknown", "blocked": "tenant_blocked"}.get(state, "tenant_status")
            raise Refused(400, entry(name, {}, status=state, placeholders=switches.placeholders))

    def _refuse(self, names: list[str] | tuple[str, ...], body: Mapping[str, Any]) -> None:
        if names:
            literal = self.switches.placeholders
            raise Refused(400, *(entry(name, body, placeholders=literal) for name in names))

    def _broken(self, body: Mapping[str, Any]) -> list[str]:
        """The rules that `body` breaks, in the order of the catalogue."""
        find, address = self._records.find, body["address"]
        emails, own = self._own("email", body)
        users = self._own("phoneNumber", body)[1] if self.switches.wallet_user == "phone" else False
        places = address["country"] in COUNTRIES and is_place(address["isoCountryCode"], address["state"])
        broken = {
            "iso_code": not places,
            "namespace_taken": bool(find("customNamespace", body.get("customNamespace"))),
            "address_taken": bool(find("accountAddress", body.get("accountAddress"))),
            "email_taken": own,
            "wallet_user": users,
            "documents": _documents(body) < self.switches.required_documents,
            "email_duplicate": emails and not own,
        }
        return [name for name, is_broken in broken.items() if is_broken]

    def _own(self, name: str, body: Mapping[str, Any]) -> tuple[bool, bool]:
        """Is the member anybody's, and is it somebody's of the same tenant?"""
        holders = self._records.find(name, body[name])
        return bool(holders), any(row.tenant == body["tenantId"] for row in holders)

    def _balance(self, call: Call) -> Reply:
        """GET tenant/customer/balance: proves that a namespace or an address is there; names no customer."""
        self._admit(call, call.headers.get("tenant-id"))
        kind, value = call.query.get("identifierType"), call.query.get("identifierValue", "")
        if kind not in ("namespace", "customNamespace", "accountAddress") or not value:
            raise Refused(400, {"type": "fetch", "message": "Please provide valid identifier"})
        found = self._records.find("domainNamespace" if kind == "namespace" else kind, value)
        return json_reply({"data": {"balance": []}, "message": "Balance fetched"}) if found else self.error(404)


def _switches(settings: Settings) -> Switches:
    return read(Switches, settings.switches.get(Omnumi.name, {}))


def _operation(call: Call) -> str:
    shape = (call.method, *call.segments)
    if shape == ("POST", "tenant", "customer"):
        return "create_customer"
    return "get_balance" if shape == ("GET", "tenant", "customer", "balance") else "unknown"


def _is_uuid(value: object) -> bool:
    try:
        return str(uuid.UUID(str(value))) == str(value).lower()
    except ValueError:
        return False


def _documents(body: Mapping[str, Any]) -> int:
    """How many documents have a content and have not expired."""
    documents = [*body.get("governmentDocuments", []), body.get("passport", {})]
    return sum(bool(document.get("content")) and not document.get("expired") for document in documents)
