"""A model of Eclipse as its documents describe it: strict about keys, phones, identities, order of KYC and wallets.

Written from the vendor's page alone; it shares no code with the adapter. It keeps a journal of what arrived and a list
of offences: things that no client may do, whatever the answers it got.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import forms
from .answers import NOT_FOUND, Answer, iso, page, refusal
from .population import TENANT, Persona
from .records import Customer, Manners, Verification, Wallet

ROOT = "/eclipse-conductor/rest/v1"
IDENTITY, PASSWORD = "operator", "password"

OPERATIONS = frozenset(
    {
        ("POST", "customers"),
        ("GET", "customers"),
        ("GET", "customers", "*"),
        *((method, "customers", "*", part) for part in ("ratify", "wallets") for method in ("GET", "POST")),
        ("GET", "customers", "*", "wallet-types"),
    }
)
"""Method and path below the tenant; `*` is an id."""

PLAIN = Persona("plain")
SHOWN = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")


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
            return self._authentication(method, parts[1:], body, now)
        shape = (method, *("*" if place % 2 else part for place, part in enumerate(parts[2:])))
        if parts[0] != "tenants" or shape not in OPERATIONS:
            return refusal(404, "UNK001", "no such path or method")
        if self._tokens.get(auth, 0.0) <= now:
            return refusal(401, "SEC005", "token expired")
        if method == "POST" and self._full(now):
            return refusal(429, "RLT001", "slow down")
        if parts[1] != TENANT:
            return NOT_FOUND if parts[3:] else refusal(403, "SEC001", "not this tenant's")
        if not parts[3:]:
            return self._create(body, now, lag) if method == "POST" else self._search(query, now)
        customer = self.customers.get(int(parts[3])) if parts[3].isdigit() else None
        if customer is None:
            return NOT_FOUND
        return self._of_customer(method, customer, parts[4:], query, body, now, lag)

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

    def _authentication(self, method: str, operation: list[str], body: Any, now: float) -> Answer:
        match method, operation:
            case "POST", ["login"]:
                if wrong := forms.fault_of(body, forms.LOGIN):
                    return refusal(400, *wrong)
                if (body["identity"], body["password"]) != (IDENTITY, PASSWORD):
                    return refusal(401, "USR002", "wrong identity or password")
            case "POST", ["renew"]:
                if wrong := forms.fault_of(body, forms.RENEWAL):
                    return refusal(400, *wrong)
                if self._tokens.get(f"Bearer {body['jwt']}", 0.0) <= now:
                    return refusal(401, "SEC005", "token expired")
            case _:
                return refusal(404, "UNK001", "no such path or method")
        return self._granted(now)

    def _granted(self, now: float) -> Answer:
        self._ids += 1
        token, life = f"Bearer t{self._ids}", self.manners.token_seconds
        expires = math.ceil(self.epoch + now + life)
        self._tokens[token] = expires - self.epoch
        grant = {"headerName": "Authorization", "headerValue": token, "expiresEpochSecs": expires}
        return Answer(200, {**grant, "tenantId": int(TENANT), "roles": ["TENANT_SYSTEM"]})

    def _create(self, body: Any, now: float, lag: float) -> Answer:
        if wrong := forms.fault_of(body, forms.CUSTOMER):
            self.offences.append(f"a create that does not fit: {wrong[0]}")
            return refusal(400, *wrong)
        if self.personas.get(body["nationalIdentityNumber"], PLAIN).refused:
            return refusal(400, "VAL001", f"identity {body['nationalIdentityNumber']} is not acceptable")
        if self._taken_key(body["externalUniqueId"]):
            return refusal(409, "USR004", f"Customer already exists with key {body['externalUniqueId']}")
        for name in () if self.manners.only_keys_unique else ("phone1", SHOWN[4]):
            if any(held.fields[name].lower() == body[name].lower() for held in self.customers.values()):
                return refusal(409, "USR004", f"Customer already exists with {name} {body[name]}")
        customer = self.plant(body, now, stranger=False)
        customer.visible_at = now + lag
        key = {"externalUniqueId": customer.key}
        return Answer(200, self._shown(customer) | key)

    def _taken_key(self, key: str) -> bool:
        """Whether any customer or wallet carries `key`."""
        held = self.customers.values()
        return any(key in {one.key, *(wallet.key for wallet in one.wallets)} for one in held)

    def _search(self, query: Mapping[str, str], now: float) -> Answer:
        """By phone or identity number; everybody without a filter."""
        found = [
            customer
            for customer in self.customers.values()
            if customer.visible_at <= now and ("identity" not in query or self._fits(customer, query["identity"]))
        ]
        if self.moved and len(found) > 1:
            found = found[1:] + found[:1]
        return page([self._shown(customer) for customer in found], query, self.manners.page)

    def _fits(self, customer: Customer, wanted: str) -> bool:
        phone, identity = customer.fields["phone1"], customer.fields["nationalIdentityNumber"].lower()
        if self.manners.loose:
            return bool(phone.endswith(wanted[-6:]) or wanted[-6:].lower() in identity)
        return wanted.lower() in {phone, identity}

    def _of_customer(
        self,
        method: str,
        customer: Customer,
        rest: list[str],
        query: Mapping[str, str],
        body: Any,
        now: float,
        lag: float,
    ) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, self._profile(customer))
            case "GET", ["ratify"]:
                seen = [run for run in reversed(customer.verifications) if run.visible_at <= now]
                return page([self._result(run, now) for run in seen], query)
            case "GET", ["wallet-types"]:
                early = self.manners.types_early or self._kyc(customer, now) == "PASSED"
                kinds = self._persona(customer).types
                return Answer(
                    200, [{"walletTypeId": kind, "allowed": allowed if early else False} for kind, allowed in kinds]
                )
            case "GET", ["wallets"]:
                return page([self._wallet(customer, w) for w in customer.wallets if w.visible_at <= now], query)
            case "POST", ["ratify"]:
                return self._ratify(customer, now, lag)
        return self._open_wallet(customer, body, now, lag)

    def _kyc(self, customer: Customer, now: float) -> str | None:
        return customer.verifications[-1].status(now) if customer.verifications else None

    def _ratify(self, customer: Customer, now: float, lag: float) -> Answer:
        if customer.stranger:
            self.offences.append(f"KYC of a stranger {customer.customer_id}")
        if customer.verifications:
            self.offences.append(f"KYC again on {self._kyc(customer, now)} {customer.customer_id}")
        run = Verification(now, now + lag, self._persona(customer), again=self._kyc(customer, now) == "PASSED")
        customer.verifications.append(run)
        return Answer(200, self._result(run, now))

    def _open_wallet(self, customer: Customer, body: Any, now: float, lag: float) -> Answer:
        if wrong := forms.fault_of(body, forms.WALLET):
            self.offences.append(f"a wallet that does not fit: {wrong[0]}")
            return refusal(400, *wrong)
        kind, key, status = body["walletTypeId"], body["externalUniqueId"], self._kyc(customer, now)
        if status != "PASSED" or (kind, True) not in self._persona(customer).types or customer.stranger:
            self.offences.append(f"wallet of type {kind} on KYC {status} for {customer.customer_id}")
            taken = self._taken_key(key)
            return refusal(409, "USR004", "wallet already exists") if taken else refusal(400, "IAE002", "not eligible")
        if self._taken_key(key):
            return refusal(409, "USR004", "wallet already exists")
        self._ids += 1
        wallet = Wallet(self._ids, kind, key, body["currency"], now, now + lag)
        customer.wallets.append(wallet)
        return Answer(200, self._opened(customer, wallet))

    def _persona(self, customer: Customer) -> Persona:
        return self.personas.get(customer.fields["nationalIdentityNumber"], PLAIN)

    def _shown(self, customer: Customer) -> dict[str, Any]:
        created = iso(self.epoch + customer.created)
        shown = {name: customer.fields[name] for name in SHOWN}
        return {"customerId": customer.customer_id, **shown, "status": "ACTIVE", "created": created}

    def _profile(self, customer: Customer) -> dict[str, Any]:
        key = {"externalUniqueId": customer.key} if self.manners.show_keys else {}
        shown = self._shown(customer)
        return {**shown, "lastModified": shown["created"], **key}

    def _opened(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        ids = {"walletId": wallet.wallet_id, "customerId": customer.customer_id, "walletTypeId": wallet.kind}
        created = iso(self.epoch + wallet.created)
        return {**ids, "currency": wallet.currency, "status": "ACTIVE", "created": created}

    def _wallet(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        key = {"externalUniqueId": wallet.key} if self.manners.show_wallet_keys else {}
        return {**self._opened(customer, wallet), **key}

    def _result(self, run: Verification, now: float) -> dict[str, Any]:
        status = run.status(now)
        check = {"result": status if status in {"PASSED", "FAILED"} else "PENDING"}
        shown = {} if status is None else {"status": status}
        return {**shown, "lastModified": iso(self.epoch + run.began), "sanctionsListCheck": check}
