"""A model of Eclipse as its documents describe it: strict about keys, phones, identities, order of KYC and wallets.

Written from the vendor's page alone; it shares no code with the adapter. It keeps a journal of what arrived and a list
of offences: things that no client may do, whatever the answers it got.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from . import forms
from .answers import NOT_FOUND, Answer, iso, page, refusal
from .faults import Fault
from .population import TENANT, Persona
from .records import MADE, NEWEST, Customer, Manners, Moment, Verification, Wallet

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

Item = TypeVar("Item")

PLAIN = Persona("plain")
OTHER_TYPE = 5009
"""Allowed before all others, once the target changes its mind."""

SHOWN = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")


@dataclass(frozen=True)
class Arrival:
    """One call as the target saw it. `step`, `key` (the customer's) and `write_key` (the body's) are set for writes."""

    at: float
    step: str | None
    key: str | None
    status: int
    write_key: str | None = None


class Target:
    """The tenant's data, changed by `answer` alone."""

    def __init__(self, personas: Mapping[str, Persona], manners: Manners, epoch: float) -> None:
        self.personas, self.manners, self.epoch = personas, manners, epoch
        self.customers: dict[int, Customer] = {}
        self.journal: list[Arrival] = []
        self.offences: list[str] = []
        self.reached: Counter[str] = Counter()
        """What a client met of its liberties."""
        self._ids = 1000
        self._tokens: dict[str, float] = {}
        self._taken: list[float] = []

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, auth: str, moment: Moment) -> Answer:
        """What the target replies, once it has done what was asked."""
        now = moment.now
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
            return self._create(body, moment) if method == "POST" else self._search(query, moment)
        customer = self.customers.get(int(parts[3])) if parts[3].isdigit() else None
        if customer is None:
            return NOT_FOUND
        return self._of_customer(method, customer, parts[4:], query, body, moment)

    def revoke(self) -> None:
        """All tokens are void from now on."""
        self._tokens.clear()

    def plant(self, fields: dict[str, Any], now: float, *, stranger: bool = True) -> Customer:
        """A customer who is there without a call."""
        self._ids += 1
        persona = self.personas.get(fields["nationalIdentityNumber"], PLAIN)
        customer = self.customers[self._ids] = Customer(self._ids, fields, now, now, stranger, types=persona.types)
        return customer

    def ours(self, key: str) -> list[Customer]:
        """All customers that carry `key`."""
        return [customer for customer in self.customers.values() if customer.key == key]

    def shown_of(self, name: str) -> list[dict[str, Any]]:
        """All customers as they are shown, or all wallets for `walletId`."""
        customers = self.customers.values()
        if name == "walletId":
            return [self._wallet(customer, wallet) for customer in customers for wallet in customer.wallets]
        return [self._profile(customer) for customer in customers]

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

    def _create(self, body: Any, moment: Moment) -> Answer:
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
        customer = self.plant(body, moment.now, stranger=False)
        customer.visible_at = moment.now + moment.lag
        if given := self._persona(customer).given:
            self._give(customer, *given, moment.now)
        key = {"externalUniqueId": customer.key}
        return Answer(200, self._shown(customer) | key)

    def _taken_key(self, key: str) -> bool:
        """Whether any customer or wallet carries `key`."""
        held = self.customers.values()
        return any(key in {one.key, *(wallet.key for wallet in one.wallets)} for one in held)

    def _give(self, customer: Customer, kind: int, keyed: bool, now: float) -> None:
        """A wallet that nobody asked for; it is there, and shown, with the customer."""
        self._ids += 1
        key = f"vendor-{self._ids}" if keyed else None
        customer.wallets.append(Wallet(self._ids, kind, key, "ZAR", now, now, ours=False))
        self.reached["a wallet that the target made" + (" with a key" if keyed else "")] += 1

    def _search(self, query: Mapping[str, str], moment: Moment) -> Answer:
        """By phone or identity number; everybody without a filter."""
        found = [
            customer
            for customer in self.customers.values()
            if ("identity" not in query or self._fits(customer, query["identity"]))
            and self._seen(customer.visible_at, "search", moment)
        ]
        # who pages through a list that is shuffled for each page can't find anybody: then it is in some fixed order
        order = self.manners.search_order if len(found) <= self.manners.page else MADE
        found = self._ordered(found, order, "search", moment)
        if moment.whim == Fault.MOVED and len(found) > 1:
            found = found[1:] + found[:1]
        return page([self._shown(customer) for customer in found], query, self.manners.page)

    def _seen(self, visible_at: float, name: str, moment: Moment) -> bool:
        """Whether list `name` shows what is there for all from `visible_at` on."""
        if visible_at <= moment.now or name not in self.manners.lagging:
            return True
        if self.manners.replicas and name != "profile" and moment.dice.random() < 0.5:
            return True
        self.reached[f"{name} lags"] += 1
        return False

    def _ordered(self, items: list[Item], order: str, name: str, moment: Moment) -> list[Item]:
        """`items`, which are in the order in which they were made, in `order`."""
        if order == MADE or len(items) < 2:
            return items
        if order == NEWEST:
            return items[::-1]
        shuffled = moment.dice.sample(items, len(items))
        self.reached[f"{name} shuffled"] += shuffled != items
        return shuffled

    def _fits(self, customer: Customer, wanted: str) -> bool:
        phone, identity = customer.fields["phone1"], customer.fields["nationalIdentityNumber"].lower()
        if self.manners.loose:
            return bool(phone.endswith(wanted[-6:]) or wanted[-6:].lower() in identity)
        return wanted.lower() in {phone, identity}

    def _of_customer(
        self, method: str, customer: Customer, rest: list[str], query: Mapping[str, str], body: Any, moment: Moment
    ) -> Answer:
        if method == "GET" and not self._seen(customer.visible_at, "profile", moment):
            return NOT_FOUND
        match method, rest:
            case "GET", []:
                return Answer(200, self._profile(customer))
            case "GET", ["ratify"]:
                return page(self._results(customer, moment), query)
            case "GET", ["wallet-types"]:
                return Answer(200, self._types(customer, moment))
            case "GET", ["wallets"]:
                seen = [wallet for wallet in customer.wallets if self._seen(wallet.visible_at, "wallets", moment)]
                ordered = self._ordered(seen, self.manners.wallets_order, "wallets", moment)
                return page([self._wallet(customer, wallet) for wallet in ordered], query)
            case "POST", ["ratify"]:
                return self._ratify(customer, moment)
        return self._open_wallet(customer, body, moment)

    def _results(self, customer: Customer, moment: Moment) -> list[dict[str, Any]]:
        seen = [run for run in customer.verifications if self._seen(run.visible_at, "kyc", moment)]
        order = self.manners.kyc_order
        self.reached["kyc oldest first"] += order == MADE and len(seen) > 1
        ordered = self._ordered(seen, order, "kyc", moment)
        for run in seen[-1:]:
            customer.told.add(run.status(moment.now))
            self.reached["a decision that was thought over"] += run.thought_over(moment.now)
        return [self._result(run, moment.now) for run in ordered]

    def _types(self, customer: Customer, moment: Moment) -> list[dict[str, Any]]:
        """What a client is shown stays valid for it."""
        run = customer.verifications[-1] if customer.verifications else None
        decided = run is not None and run.status(moment.now) == "PASSED"
        hidden = run is not None and not self._seen(run.visible_at, "types", moment)
        early = self.manners.types_early or (decided and not hidden)
        allows = early and moment.whim != Fault.NO_TYPES
        customer.untold |= not allows and (decided or moment.whim == Fault.NO_TYPES)
        if moment.whim == Fault.OTHER_TYPES and any(allowed is True for _, allowed in customer.types):
            customer.types = ((OTHER_TYPE, True), *reversed(customer.types))
        held = {wallet.kind for wallet in customer.made} if self.manners.one_of_a_type else set()
        kinds = [(kind, allowed if allows and kind not in held else False) for kind, allowed in customer.types]
        self.reached["a type that is held is not allowed"] += any(kind in held for kind, _ in customer.types)
        customer.shown.update(kind for kind, allowed in kinds if allowed is True)
        ordered = self._ordered(kinds, self.manners.types_order, "types", moment)
        return [{"walletTypeId": kind, "allowed": allowed} for kind, allowed in ordered]

    def _kyc(self, customer: Customer, now: float) -> str | None:
        return customer.verifications[-1].status(now) if customer.verifications else None

    def _ratify(self, customer: Customer, moment: Moment) -> Answer:
        now = moment.now
        if customer.stranger:
            self.offences.append(f"KYC of a stranger {customer.customer_id}")
        if customer.verifications:
            self.offences.append(f"KYC again on {self._kyc(customer, now)} {customer.customer_id}")
        again = self._kyc(customer, now) == "PASSED"
        run = Verification(now, now + moment.lag, self._persona(customer), again=again)
        customer.verifications.append(run)
        customer.told.add(run.status(now))
        return Answer(200, self._result(run, now))

    def _open_wallet(self, customer: Customer, body: Any, moment: Moment) -> Answer:
        """What was shown to a client is the client's to rely on: it is no offence when it changed meanwhile."""
        if wrong := forms.fault_of(body, forms.WALLET):
            self.offences.append(f"a wallet that does not fit: {wrong[0]}")
            return refusal(400, *wrong)
        kind, key, status = body["walletTypeId"], body["externalUniqueId"], self._kyc(customer, moment.now)
        relied = "PASSED" in customer.told | {status} and kind in customer.shown | self._allowed(customer)
        if not relied or customer.stranger:
            self.offences.append(f"wallet of type {kind} on KYC {status} for {customer.customer_id}")
        if not relied or customer.stranger or status != "PASSED":
            taken = self._taken_key(key)
            return refusal(409, "USR004", "wallet already exists") if taken else refusal(400, "IAE002", "not eligible")
        if self._taken_key(key):
            return refusal(409, "USR004", "wallet already exists")
        self._ids += 1
        wallet = Wallet(self._ids, kind, key, body["currency"], moment.now, moment.now + moment.lag)
        customer.wallets.append(wallet)
        return Answer(200, self._opened(customer, wallet))

    def _allowed(self, customer: Customer) -> set[int]:
        return {kind for kind, allowed in customer.types if allowed is True}

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
        key = {"externalUniqueId": wallet.key} if self.manners.show_wallet_keys and wallet.key else {}
        return {**self._opened(customer, wallet), **key}

    def _result(self, run: Verification, now: float) -> dict[str, Any]:
        status = run.status(now)
        check = {"result": status if status in {"PASSED", "FAILED"} else "PENDING"}
        shown = {} if status is None else {"status": status}
        return {**shown, "lastModified": iso(self.epoch + run.began), "sanctionsListCheck": check}
