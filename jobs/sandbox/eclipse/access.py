"""Who may do what: token, tenant, limits, positions. Runs before every operation but login and renewal."""

import math

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse.quotas import Claim
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Customer
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Headers

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

ONBOARDING_MAY = frozenset(
    {
        "create_customer",
        "update_customer",
        "get_customer",
        "search_customers",
        "customer_exists",
        "create_identity",
        "identity_exists",
        "create_document",
    }
)
"""Customer Management page: create, update and read new customers, create attachments, set the first identity."""

CUSTOMER_MAY = frozenset(
    {
        "get_customer",
        "update_customer",
        "trigger_kyc",
        "read_kyc",
        "wallet_types",
        "create_wallet",
        "list_wallets",
        "get_wallet",
        "identity_exists",
        "create_address",
        "list_addresses",
        "create_document",
        "list_documents",
    }
)
"""What a customer may do for itself (the page: wallet creation, KYC and so on)."""

GATED = frozenset({"update_customer", "get_customer", "create_document"})
"""Closed to ONBOARDING once the customer has an identity."""


def admit(world: World, call: Call, operation: str) -> Session:
    """The session of a call that may go on to its operation; Refused 401, 429, 403 or 404."""
    token = call.bearer
    session = world.tokens.session(token, world.clock.now()) if token else None
    if session is None:
        raise Refused(401, "SEC005", "The token is missing, malformed or expired")
    _count(world, call, session)
    if call.segments[1] != str(session.tenant):
        # A record of another tenant does not exist; a tenant's own lists are forbidden.
        if len(call.segments) > 3:
            raise not_found()
        raise Refused(403, "SEC001", "The caller does not belong to this tenant")
    if not _permitted(session, operation):
        raise Refused(403, "SEC001", "The caller's position does not permit this operation")
    return session


def reach(world: World, call: Call, session: Session, operation: str) -> Customer:
    """The customer named in the path; Refused 404, or 403 for one that the session may not touch."""
    customer = world.store.customers.get(identifier(call.segments[3]))
    if customer is None or customer.tenant != session.tenant:
        raise not_found()
    if session.customer_id not in (None, customer.customer_id):
        raise Refused(403, "SEC001", "A customer may only reach itself")
    if session.onboarding and customer.identities and operation in GATED:
        raise Refused(403, "SEC001", "The customer already has an identity")
    return customer


def not_found() -> Refused:
    """The record does not exist or belongs to a different tenant."""
    return Refused(404, "ARCH086", "Entity not found")


def identifier(text: str) -> int:
    """An identifier of a path; -1, which nothing has, for what is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _permitted(session: Session, operation: str) -> bool:
    if session.customer_id is not None:
        return operation in CUSTOMER_MAY
    return operation in ONBOARDING_MAY if session.onboarding else True


def budget(world: World, call: Call) -> Headers:
    """What is left of the tightest window of user and tenant, for the reply; empty where there is no such window."""
    token = call.bearer
    session = world.tokens.owner(token) if token else None
    claims = _shared(world, session) if session is not None else []
    if not claims:
        return ()
    now = world.clock.monotonic()
    left, calls = min((world.quotas.left(key, limit, now), limit.calls) for key, limit in claims)
    return (("x-ratelimit-limit", str(calls)), ("x-ratelimit-remaining", str(left)))


def _count(world: World, call: Call, session: Session) -> None:
    """Refused 429 when a window is full or too many calls of the user are in flight."""
    if world.flights.refused(call.entry):
        wait: float | None = 1.0
    else:
        claims = _shared(world, session) + (_mutating(world, call, session) if call.method in MUTATING else [])
        wait = world.quotas.take(claims, world.clock.monotonic())
    if wait is None:
        return
    seconds = str(max(1, math.ceil(wait)))
    headers = (("retry-after", seconds),) if world.settings.limit_retry_after else ()
    raise Refused(429, "RLT001", "Too many requests", headers=headers)


def _shared(world: World, session: Session) -> list[Claim]:
    """The windows over all calls of a user and of a tenant."""
    settings = world.settings
    windows = [(f"user|{session.identity}", settings.user_limit), (f"tenant|{session.tenant}", settings.tenant_limit)]
    return [(key, limit) for key, limit in windows if limit is not None]


def _mutating(world: World, call: Call, session: Session) -> list[Claim]:
    """The windows over calls that may change something."""
    settings = world.settings
    windows = [(f"credential|{session.identity}", settings.mutating_limit)]
    if session.onboarding:
        windows.append((f"onboarding|{call.address}", settings.onboarding_limit))
    return [(key, limit) for key, limit in windows if limit is not None]
