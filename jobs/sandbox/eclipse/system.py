"""Eclipse as a system of the sandbox: from a path to an operation. The operations are beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.sandbox.bench import Bench
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.eclipse import access, admin_users, attachments, customers, identities, logins, records, wallets
from jobs.sandbox.eclipse.refusal import CODES, Refused
from jobs.sandbox.eclipse.store import Customer, Store
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply

Operation = Callable[[World, Call, Session], Reply]

OPEN: dict[tuple[str, ...], tuple[str, Callable[[World, Call], Reply]]] = {
    ("POST", "authentication", "login"): ("login", logins.login),
    ("POST", "authentication", "login-challenge"): ("login_challenge", logins.login_challenge),
    ("POST", "authentication", "renew"): ("renew", logins.renew),
}
"""Operations without a token."""

TENANT: dict[tuple[str, ...], tuple[str, Operation]] = {
    ("POST", "customers"): ("create_customer", customers.create),
    ("GET", "customers"): ("search_customers", customers.search),
    ("HEAD", "customers"): ("customer_exists", customers.exists),
    ("GET", "customers", "*"): ("get_customer", customers.get),
    ("PUT", "customers", "*"): ("update_customer", customers.update),
    ("POST", "customers", "*", "ratify"): ("trigger_kyc", wallets.trigger_kyc),
    ("GET", "customers", "*", "ratify"): ("read_kyc", wallets.read_kyc),
    ("GET", "customers", "*", "wallet-types"): ("wallet_types", wallets.wallet_types),
    ("POST", "customers", "*", "wallets"): ("create_wallet", wallets.create_wallet),
    ("GET", "customers", "*", "wallets"): ("list_wallets", wallets.list_wallets),
    ("GET", "wallets", "*"): ("get_wallet", wallets.get_wallet),
    ("POST", "customers", "*", "identities"): ("create_identity", identities.create_identity),
    ("HEAD", "customers", "*", "identities"): ("identity_exists", identities.identity_exists),
    ("POST", "customers", "*", "addresses"): ("create_address", attachments.create_address),
    ("GET", "customers", "*", "addresses"): ("list_addresses", attachments.list_addresses),
    ("POST", "customers", "*", "documents"): ("create_document", attachments.create_document),
    ("GET", "customers", "*", "documents"): ("list_documents", attachments.list_documents),
    ("POST", "admin-users"): ("create_admin_user", admin_users.create_admin_user),
    ("GET", "admin-users"): ("list_admin_users", admin_users.list_admin_users),
    ("PUT", "admin-users", "*"): ("update_admin_user", admin_users.update_admin_user),
}
"""Operations below `tenants/{tenantId}/`; `*` is an identifier."""


class Eclipse:
    """Eclipse Conductor below `/eclipse-conductor/rest/v1`, or another brand's prefix."""

    name = "eclipse"
    base_path = ""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.reset()

    @property
    def store(self) -> Store:
        """The live records."""
        return self._world.store

    def reset(self) -> None:
        """Forgets everything; reads the settings again."""
        self.prefix = f"/{self._bench.settings.eclipse_prefix}/rest/v1"
        self._world = World(self._bench)

    def identify(self, call: Call) -> Subject:
        """Operation, credential and customer of `call`; a token counts even when it has expired."""
        route = OPEN.get(_open_shape(call)) or TENANT.get(_tenant_shape(call))
        token = call.bearer
        owner = self._world.tokens.owner(token) if token else None
        limit = self._bench.settings.concurrency_limit
        if owner is not None and limit is not None:
            self._world.flights.arrive(owner.identity, call.entry, limit)
        body = call.json() if call.body else None
        sent = body if isinstance(body, dict) else {}
        customer = self._named(call)
        return Subject(
            operation=route[0] if route else "unknown",
            credential=owner.identity if owner else None,
            customer_id=customer.customer_id if customer else None,
            customer_key=customer.key if customer else None,
            sent_key=_text(sent.get("externalUniqueId")),
            last_name=customer.last_name if customer else _text(sent.get("lastName")),
        )

    def answer(self, call: Call) -> Reply:
        """Works on the call."""
        try:
            reply = self._perform(call)
        except Refused as refused:
            reply = self._world.refusals.render(refused)
        return reply.with_headers(access.budget(self._world, call))

    def error(self, status: int) -> Reply:
        """A refusal with `status` in the error array."""
        refused = Refused(status, CODES.get(status, "UNK001"), "The sandbox was told to answer so")
        return self._world.refusals.render(refused)

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids, keys and states; no personal values."""
        return records.snapshot(self.store)

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a customer past all rules, by default in the tenant of the first credential."""
        return records.plant(self.store, record, self._bench.settings.credentials[0].tenant, self._bench.clock.now())

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes or deletes a record."""
        return records.amend(self.store, kind, int(name), changes, self._bench.clock.now())

    def _perform(self, call: Call) -> Reply:
        if call.body and not call.headers.get("content-type", "").startswith("application/json"):
            raise Refused(400, "JPE001", "The content type is not application/json")
        open_route = OPEN.get(_open_shape(call))
        if open_route is not None:
            return open_route[1](self._world, call)
        route = TENANT.get(_tenant_shape(call))
        if route is None:
            raise Refused(404, "UNK001", "No such path or method")
        name, operation = route
        return operation(self._world, call, access.admit(self._world, call, name))

    def _named(self, call: Call) -> Customer | None:
        """The customer in the path, or the owner of the wallet there."""
        parts = call.segments
        if len(parts) < 4:
            return None
        number = access.identifier(parts[3])
        if parts[2] == "wallets":
            wallet = self.store.wallets.get(number)
            number = wallet.customer_id if wallet else -1
        return self.store.customers.get(number) if parts[2] in ("customers", "wallets") else None


def _open_shape(call: Call) -> tuple[str, ...]:
    return (call.method, *call.segments)


def _tenant_shape(call: Call) -> tuple[str, ...]:
    """Method and path with `*` for identifiers, which stand at every second place; empty for another path."""
    if call.segments[0] != "tenants" or len(call.segments) < 3:
        return ()
    return (call.method, *("*" if place % 2 else part for place, part in enumerate(call.segments[2:])))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
