"""A model of Eclipse as its documents describe it: strict about keys, phones, identities, order of KYC and wallets.

Written from the vendor's page alone; it shares no code with the adapter. It keeps a journal of what arrived and a list
of offences: things that no client may do, whatever the answers it got.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.model import Rate

from .population import Persona

ROOT = "/eclipse-conductor/rest/v1"
REQUIRED = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber", "userTypeId", "externalUniqueId")
SHOWN = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")


@dataclass
class Verification:
    """One KYC run."""

    began: float
    visible_at: float
    persona: Persona

    def status(self, now: float) -> str | None:
        """PASSED or FAILED once decided."""
        return self.persona.verdict if now >= self.began + self.persona.seconds else self.persona.interim


@dataclass
class Wallet:
    """One wallet."""

    wallet_id: int
    kind: int
    key: str
    visible_at: float


@dataclass
class Customer:
    """One customer; `stranger` was there before us and is not ours."""

    customer_id: int
    fields: dict[str, Any]
    created: float
    visible_at: float
    stranger: bool = False
    verifications: list[Verification] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The client's key."""
        return str(self.fields["externalUniqueId"])


@dataclass(frozen=True)
class Manners:
    """What the documents leave open; drawn from the seed."""

    show_keys: bool = True
    show_wallet_keys: bool = True
    page: int = 20
    """The most records that a page holds, whatever `limit` says."""
    only_keys_unique: bool = False
    """Whether phone and identity may be shared, and only the key is refused."""
    token_seconds: float = 900.0
    limit: Rate | None = None
    """Writes that it takes in any window; it refuses the others with 429. None: all."""


@dataclass(frozen=True)
class Answer:
    """Status and body, before the network has its way with it."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Arrival:
    """One call as the target saw it. `step` and `key` are set for writes."""

    at: float
    step: str | None
    key: str | None
    status: int


class Target:
    """The tenant's data, changed by `answer` alone."""

    def __init__(self, personas: Mapping[str, Persona], manners: Manners, epoch: float) -> None:
        self.personas, self.manners, self.epoch = personas, manners, epoch
        self.customers: dict[int, Customer] = {}
        self.journal: list[Arrival] = []
        self.offences: list[str] = []
        self.moved = False
        self._ids = 1000
        self._tokens: dict[str, float] = {}
        self._taken: list[float] = []

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, auth: str, now: float, lag: float
    ) -> Answer:
        """What the target replies, once it has done what was asked. Others see a commit after `lag` seconds."""
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if parts[0] == "authentication":
            return self._login(now)
        if self._tokens.get(auth, 0.0) <= now:
            return refusal(401, "SEC004", "token expired")
        if method == "POST" and self._full(now):
            return refusal(429, "RLT001", "slow down")
        match method, parts[2:]:
            case "POST", ["customers"]:
                return self._create(body, now, lag)
            case "GET", ["customers"]:
                return self._search(query, now)
            case _, ["customers", number, *rest] if number.isdigit() and int(number) in self.customers:
                return self._of_customer(method, self.customers[int(number)], rest, body, now, lag)
        return refusal(404, "ARCH086", "not found")

    def revoke(self) -> None:
        """All tokens are void from now on."""
        self._tokens.clear()

    def plant(self, fields: dict[str, Any], now: float, *, stranger: bool = True) -> Customer:
        """A customer who is there without a call."""
        self._ids += 1
        customer = self.customers[self._ids] = Customer(self._ids, fields, now, now, stranger)
        return customer

    def ours(self, key: str) -> list[Customer]:
        """All customers that carry `key`."""
        return [customer for customer in self.customers.values() if customer.key == key]

    def _full(self, now: float) -> bool:
        """Whether the limit is used up; if not, this write uses it."""
        limit = self.manners.limit
        if limit is None:
            return False
        self._taken = [at for at in self._taken if now - at < limit.seconds]
        full = len(self._taken) >= limit.calls
        self._taken += [] if full else [now]
        return full

    def _login(self, now: float) -> Answer:
        self._ids += 1
        token, life = f"Bearer t{self._ids}", self.manners.token_seconds
        self._tokens[token] = now + life
        expires = self.epoch + now + life
        return Answer(200, {"headerName": "Authorization", "headerValue": token, "expiresEpochSecs": expires})

    def _create(self, body: Any, now: float, lag: float) -> Answer:
        if not isinstance(body, dict) or any(not body.get(name) for name in REQUIRED) or body.get("version") != 0:
            self.offences.append("a create without a required field")
            return refusal(400, "VAL001", "missing field")
        if not str(body["phone1"]).isdigit():
            return refusal(400, "VAL001", f"bad phone {body['phone1']}")
        persona = self.personas[body["nationalIdentityNumber"]]
        if persona.refused:
            return refusal(400, "VAL001", f"identity {body['nationalIdentityNumber']} is not acceptable")
        unique = ("externalUniqueId",) if self.manners.only_keys_unique else ("externalUniqueId", "phone1", SHOWN[4])
        for name in unique:
            if any(held.fields[name] == body[name] for held in self.customers.values()):
                return refusal(409, "USR004", f"Customer already exists with {name} {body[name]}")
        customer = self.plant(body, now, stranger=False)
        customer.visible_at = now + lag
        return Answer(200, self._profile(customer))

    def _search(self, query: Mapping[str, str], now: float) -> Answer:
        """Matches loosely: the last digits are enough, as a server may that takes national spellings."""
        wanted = query["identity"][-6:]
        found = [
            customer
            for customer in self.customers.values()
            if customer.visible_at <= now
            and (customer.fields["phone1"].endswith(wanted) or wanted in customer.fields["nationalIdentityNumber"])
        ]
        if self.moved and len(found) > 1:
            found = found[1:] + found[:1]
        offset, limit = int(query["offset"]), min(int(query["limit"]), self.manners.page)
        return Answer(200, [self._shown(customer) for customer in found[offset : offset + limit]])

    def _of_customer(
        self, method: str, customer: Customer, rest: list[str], body: Any, now: float, lag: float
    ) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, self._profile(customer))
            case "GET", ["ratify"]:
                seen = [run for run in reversed(customer.verifications) if run.visible_at <= now]
                return Answer(200, [self._result(run, now) for run in seen[:1]])
            case "GET", ["wallet-types"]:
                kinds = self._persona(customer).types
                return Answer(200, [{"walletTypeId": kind, "allowed": allowed} for kind, allowed in kinds])
            case "GET", ["wallets"]:
                return Answer(200, [self._wallet(customer, w) for w in customer.wallets if w.visible_at <= now])
            case "POST", ["ratify"]:
                return self._ratify(customer, now, lag)
            case "POST", ["wallets"]:
                return self._open_wallet(customer, body, now, lag)
        return refusal(404, "ARCH086", "not found")

    def _ratify(self, customer: Customer, now: float, lag: float) -> Answer:
        if customer.stranger:
            self.offences.append(f"KYC of a stranger {customer.customer_id}")
        if customer.verifications:
            self.offences.append(f"KYC again on {customer.verifications[-1].status(now)} {customer.customer_id}")
        run = Verification(now, now + lag, self._persona(customer))
        customer.verifications.append(run)
        return Answer(200, self._result(run, now))

    def _open_wallet(self, customer: Customer, body: Any, now: float, lag: float) -> Answer:
        kind, key = body["walletTypeId"], body["externalUniqueId"]
        status = customer.verifications[-1].status(now) if customer.verifications else None
        if status != "PASSED" or (kind, True) not in self._persona(customer).types or customer.stranger:
            self.offences.append(f"wallet of type {kind} on KYC {status} for {customer.customer_id}")
            return refusal(400, "VAL001", "not eligible")
        if any(wallet.key == key for held in self.customers.values() for wallet in held.wallets):
            return refusal(409, "USR004", "wallet already exists")
        self._ids += 1
        wallet = Wallet(self._ids, kind, key, now + lag)
        customer.wallets.append(wallet)
        return Answer(200, self._wallet(customer, wallet) | {"customerId": customer.customer_id})

    def _persona(self, customer: Customer) -> Persona:
        return self.personas.get(customer.fields["nationalIdentityNumber"], Persona("plain"))

    def _shown(self, customer: Customer) -> dict[str, Any]:
        created = iso(self.epoch + customer.created)
        shown = {name: customer.fields[name] for name in SHOWN}
        return {"customerId": customer.customer_id, **shown, "status": "ACTIVE", "created": created}

    def _profile(self, customer: Customer) -> dict[str, Any]:
        key = {"externalUniqueId": customer.key} if self.manners.show_keys else {}
        return self._shown(customer) | key

    def _wallet(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        key = {"externalUniqueId": wallet.key} if self.manners.show_wallet_keys else {}
        return {"walletId": wallet.wallet_id, "walletTypeId": wallet.kind, "currency": "ZAR", **key}

    def _result(self, run: Verification, now: float) -> dict[str, Any]:
        status = run.status(now)
        check = {"result": status or "PENDING"}
        shown = {} if status is None else {"status": status}
        return {**shown, "lastModified": iso(self.epoch + run.began), "sanctionsListCheck": check}


def refusal(status: int, code: str, words: str) -> Answer:
    """The vendor's error array; its words may hold what was sent."""
    return Answer(status, [{"type": "BUSINESS", "code": code, "description": words, "traceId": f"trace-{code}"}])


def iso(moment: float) -> str:
    """The vendor's form of a time."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def encoded(body: Any) -> bytes:
    """A body on the wire."""
    return b"" if body is None else json.dumps(body).encode()
