"""BankLingo's Clients API in memory, after the vendor's Clients API page and, where that is silent, its other pages.

Commands and queries come as named messages to two paths. A last name that ends in `Refused`, in any case, is refused.
"""

import hmac
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.sandbox.banklingo.client import (
    CHANGEABLE,
    MOVES,
    NEEDED,
    OPTIONAL,
    PENDING,
    Client,
    Clients,
    Refused,
    accepted,
    counted,
    full,
    holds,
    row,
)
from jobs.sandbox.bench import Bench
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.clock import iso
from jobs.sandbox.listing import ORDERS, in_order
from jobs.sandbox.reply import Reply, json_reply
from jobs.sandbox.settings import Settings
from jobs.sandbox.switches import one_of, read

CODES = {400: "CBS_400", 401: "CBS_401", 403: "CBS_403", 404: "CBS_404", 409: "CBS_409"}
"""The code for each status; CBS_500 for all others."""

NAMES = {
    "cmd": {
        "CreateContactCommand": "create_contact",
        "UpdateContactCommand": "update_contact",
        "RequestCustomerApprovalCommand": "request_approval",
        "ApproveCustomerCommand": "approve",
        "RejectCustomerCommand": "reject",
        "BlacklistCustomerCommand": "blacklist",
        "UndoBlacklistCustomerCommand": "undo_blacklist",
    },
    "qry": {"RetrieveContactByIdQuery": "retrieve_contact", "RetrieveContactListQuery": "list_contacts"},
}
"""The operations of each path by the name in the message."""

MEMBER = {"cmd": "commandName", "qry": "queryName"}

MAX_PAGE = 100
"""Longest page in `vendor` strictness: the limit of other modules' lists."""


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches of `{"banklingo": {...}}`; see docs/sandbox.md."""

    tokens: Mapping[str, str] = field(
        default_factory=lambda: {"maker-token": "maker", "checker-token": "checker"}, repr=False
    )
    tenant_id: str = ""
    maker_checker: bool = True
    returns_id: bool = True
    reply_without_key: bool = False
    refuses_duplicates: bool = False
    search_ignores_term: bool = False
    pascal_case: bool = False
    http_ok: bool = False
    exit_command: str = ""
    document_command: str = ""
    predicates: bool = False
    list_order: str = one_of(*ORDERS)


class BankLingo:
    """BankLingo below `/banklingo`."""

    name = "banklingo"
    prefix = "/banklingo"
    base_path = "/banklingo"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        bench.checks.append(_switches)
        self.reset()

    def reset(self) -> None:
        """Forgets everything; reads the settings again."""
        self._clients = Clients(self._bench.settings.seed)
        self._chance = random.Random(f"{self._bench.settings.seed}|banklingo|order")  # noqa: S311 - repeatable

    @property
    def _on(self) -> Switches:
        return _switches(self._bench.settings)

    def identify(self, call: Call) -> Subject:
        """Operation, credential and client of `call`."""
        sent = _content(call) or {}
        client = self._clients.by_key.get(str(sent.get("contactEncodedKey"))) or self._clients.numbered(sent.get("id"))
        return Subject(
            operation=self._operation(call) or "unknown",
            credential=self._credential(call),
            customer_id=client.key if client else None,
            last_name=str(client.fields["lastName"]) if client else _string(sent.get("lastName")),
        )

    def answer(self, call: Call) -> Reply:
        """Works on the call."""
        try:
            return self._sealed(
                {"isSuccessful": True, "statusCode": "00", "message": "OK", "data": self._perform(call)}
            )
        except Refused as refused:
            reply = self._refusal(refused.status, refused.message)
            return replace(reply, status=200) if self._on.http_ok else reply

    def error(self, status: int) -> Reply:
        """A refusal with `status` in the envelope."""
        return self._refusal(status, "The sandbox was told to answer so")

    def snapshot(self) -> dict[str, Any]:
        """Counts, keys and states; no personal values."""
        return self._clients.snapshot()

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a client past all rules."""
        return self._clients.plant(record, self._bench.clock.now())

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes or deletes the client with this contactEncodedKey."""
        if kind != "customers":
            raise KeyError(kind)
        return self._clients.amend(name, changes, self._bench.clock.now())

    def _perform(self, call: Call) -> object:
        if call.method != "POST" or call.segments not in (["api", "bpm", "cmd"], ["api", "bpm", "qry"]):
            raise Refused(404, "No such path or method")
        credential = self._credential(call)
        if credential is None:
            raise Refused(401, "The token is missing or unknown")
        if self._on.tenant_id not in ("", call.headers.get("x-tenant-id")):
            raise Refused(400, "X-Tenant-Id is missing or unknown")
        if not call.headers.get("content-type", "").startswith("application/json"):
            raise Refused(400, "The content type is not application/json")
        operation = self._operation(call)
        if operation is None:
            raise Refused(400, "unknown command")
        content = _content(call)
        if content is None:
            raise Refused(400, "data: must be an object")
        if operation == "document":
            return self._document(content, call)
        if operation in MOVES:
            return self._move(operation, content, call, credential)
        return self._actions[operation](self, content, call, credential)

    def _operation(self, call: Call) -> str | None:
        """The operation that the message names; a command that is on no page has the name that a switch gives it."""
        message = call.json()
        name = message.get(MEMBER["cmd"]) if isinstance(message, dict) and call.segments[-1] == "cmd" else None
        own = {self._on.exit_command: "exit", self._on.document_command: "document"}
        return own.get(name) if isinstance(name, str) and name and name in own else _operation(call)

    def _document(self, sent: Mapping[str, Any], call: Call) -> object:
        """A document of a client; its members are on no page, so any that has a type and a content is taken."""
        client = self._named(sent)
        if not any("content" in name.lower() and _string(value) for name, value in sent.items()):
            raise Refused(400, "fileContent: is required")
        client.documents += 1
        call.commit(customer_id=client.key)
        return {"contactEncodedKey": client.key}

    def _create(self, sent: Mapping[str, Any], call: Call, credential: str) -> object:
        fields = accepted(sent, NEEDED, OPTIONAL, vendor=self._bench.settings.vendor)
        if fields["lastName"].lower().endswith("refused"):
            raise Refused(400, f"lastName: '{fields['lastName']}' is refused by the bank's rules")
        self._refuse_taken(fields)
        client = self._clients.add(fields, credential, self._bench.clock.now())
        call.commit(customer_id=client.key)
        if self._on.reply_without_key:
            return {}
        shown = {"contactEncodedKey": client.key, "customerNumber": client.customer_number}
        return shown | {"id": client.number} if self._on.returns_id else shown

    def _update(self, sent: Mapping[str, Any], call: Call, _: str) -> object:
        client = self._named(sent)
        # The page allows Update in Active only; the page of the command itself knows no states.
        if client.state != "Active" and (not self._bench.settings.vendor or client.state in ("Rejected", "Exited")):
            raise Refused(409, f"A client that is {client.state} can't be updated")
        fields = accepted(sent, (), CHANGEABLE, vendor=self._bench.settings.vendor)
        self._refuse_taken(fields, besides=client)
        client.change(fields, self._bench.clock.now())
        call.commit(customer_id=client.key)
        return {"contactEncodedKey": client.key, **fields}

    def _request_approval(self, sent: Mapping[str, Any], call: Call, _: str) -> object:
        client = self._named(sent)
        if client.state == PENDING:
            raise Refused(409, "The client is already in approval")
        # The page calls Rejected view-only; another page of the vendor's lets it be resubmitted.
        if client.state != "Rejected" or not self._bench.settings.vendor:
            raise Refused(409, f"A client that is {client.state} can't be submitted for approval")
        when = self._enter(client, PENDING, call)
        return {"contactEncodedKey": client.key, "approvalStatus": "Pending", "requestDate": when}

    def _move(self, operation: str, sent: Mapping[str, Any], call: Call, credential: str) -> object:
        """One of the state changes of the page."""
        reason = {"approve": None, "exit": None, "reject": "rejectionReason"}.get(operation, "reason")
        client = self._named(sent)
        if reason and not _string(sent.get(reason)):
            raise Refused(400, f"{reason}: is required")
        if self._on.maker_checker and client.creator == credential:
            raise Refused(403, "Whoever created a client may not decide about it")
        origins, target = MOVES[operation]
        if client.state not in origins:
            raise Refused(409, f"{operation}: the client is {client.state}")
        when = self._enter(client, target, call)
        shown: dict[str, object] = {"contactEncodedKey": client.key}
        if operation == "approve":
            return shown | {"approvalStatus": target, "approvedBy": credential, "approvalDate": when}
        if operation == "reject":
            return shown | {"approvalStatus": target}
        if operation == "exit":
            return shown | {"exitDate": when}
        blocked = operation == "blacklist"
        return shown | {"isBlacklisted": blocked, "blacklistDate" if blocked else "unblacklistDate": when}

    def _retrieve(self, sent: Mapping[str, Any], *_: object) -> object:
        if type(sent.get("id")) is not int:
            raise Refused(400, "id: must be an integer")
        client = self._clients.numbered(sent["id"])
        if client is None:
            raise Refused(404, "The client does not exist")
        return full(client)

    def _list(self, sent: Mapping[str, Any], *_: object) -> object:
        number, size = counted(sent, "pageNumber", 1), counted(sent, "pageSize", 50)
        size = min(size, MAX_PAGE) if self._bench.settings.vendor else size
        term = "" if self._on.search_ignores_term else str(sent.get("searchTerm") or "").lower()
        branch = sent.get("branchEncodedKey")
        found = [
            client
            for client in in_order(self._clients.by_key.values(), self._on.list_order, self._chance)
            if term in client.searched
            and self._fits(client, sent.get("predicates"))
            and branch in (None, "", client.fields.get("branchEncodedKey"))
        ]
        rows = [row(client) for client in found[(number - 1) * size : number * size]]
        return {"totalCount": len(found), "pageNumber": number, "pageSize": size, "contacts": rows}

    def _fits(self, client: Client, predicates: object) -> bool:
        """Does a client fit all predicates, where they are understood? Otherwise they are ignored."""
        if not self._on.predicates or not isinstance(predicates, list):
            return True
        return all(isinstance(each, dict) and holds(client, each) for each in predicates)

    _actions: Mapping[str, Callable[["BankLingo", Mapping[str, Any], Call, str], object]] = {
        "create_contact": _create,
        "update_contact": _update,
        "request_approval": _request_approval,
        "retrieve_contact": _retrieve,
        "list_contacts": _list,
    }

    def _enter(self, client: Client, state: str, call: Call) -> str:
        """The state change itself; when it happened."""
        client.state, client.modified = state, self._bench.clock.now()
        call.commit(customer_id=client.key)
        return iso(client.modified)

    def _refuse_taken(self, fields: Mapping[str, str], besides: Client | None = None) -> None:
        email = fields.get("emailAddress")
        if email and self._on.refuses_duplicates and self._clients.holds_email(email, besides):
            raise Refused(409, "A client with this e-mail address exists")

    def _named(self, sent: Mapping[str, Any]) -> Client:
        key = _string(sent.get("contactEncodedKey"))
        if not key:
            raise Refused(400, "contactEncodedKey: is required")
        client = self._clients.by_key.get(key)
        if client is None:
            raise Refused(404, "The client does not exist")
        return client

    def _credential(self, call: Call) -> str | None:
        sent, tokens = call.bearer.encode(), self._on.tokens.items()
        return next((name for token, name in tokens if hmac.compare_digest(token.encode(), sent)), None)

    def _refusal(self, status: int, message: str) -> Reply:
        code = CODES.get(status, "CBS_500")
        return self._sealed({"isSuccessful": False, "statusCode": code, "message": message, "data": None}, status)

    def _sealed(self, envelope: dict[str, object], status: int = 200) -> Reply:
        return json_reply(_pascal(envelope) if self._on.pascal_case else envelope, status)


def _switches(settings: Settings) -> Switches:
    switches = read(Switches, settings.switches.get(BankLingo.name, {}))
    if not all(isinstance(each, str) and each for pair in switches.tokens.items() for each in pair):
        raise ValueError("tokens must be an object from tokens to names of credentials")
    return switches


def _operation(call: Call) -> str | None:
    """The operation that the message names on its path; None for one that is not known there."""
    kind, message = call.segments[-1], call.json()
    if call.segments[:-1] != ["api", "bpm"] or kind not in NAMES or not isinstance(message, dict):
        return None
    return NAMES[kind].get(str(message.get(MEMBER[kind])))


def _content(call: Call) -> dict[str, Any] | None:
    """The `data` of the message; None when it is no object."""
    message = call.json()
    content = message.get("data") if isinstance(message, dict) else None
    return content if isinstance(content, dict) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _pascal(value: object) -> object:
    """Gives `body` with every member's first letter in upper case."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _pascal(each) for name, each in value.items()}
    return [_pascal(each) for each in value] if isinstance(value, list) else value
