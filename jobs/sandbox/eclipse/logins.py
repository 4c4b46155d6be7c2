"""Operations on logins: login, renewal, identities of customers, admin users; also addresses and documents."""

import hmac

from jobs.sandbox.call import Call
from jobs.sandbox.clock import iso
from jobs.sandbox.eclipse import access, forms
from jobs.sandbox.eclipse.customers import page
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Login
from jobs.sandbox.eclipse.tokens import Session, expiry
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, empty_reply, json_reply


def login(world: World, call: Call) -> Reply:
    """POST authentication/login."""
    sent = forms.LOGIN.accept(call.json())
    known = world.login(sent["identity"])
    if known is None or not hmac.compare_digest(known.password.encode(), sent["password"].encode()):
        raise Refused(401, "USR002", "The identity or the password is wrong")
    return _grant(world, known.identity, known.tenant, known.positions, known.customer_id)


def renew(world: World, call: Call) -> Reply:
    """POST authentication/renew with a token that is still valid; the old one stays valid until it expires."""
    sent = forms.RENEWAL.accept(call.json())
    session = world.tokens.session(sent["jwt"], world.clock.now())
    if session is None:
        raise Refused(401, "SEC005", "The token is malformed or expired")
    return _grant(world, session.identity, session.tenant, session.positions, session.customer_id)


def create_identity(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/identities: unique over the whole platform."""
    customer = access.reach(world, call, session, "create_identity")
    sent = forms.NEW_IDENTITY.accept(call.json())
    _refuse_taken(world, sent["identity"])
    if session.onboarding and customer.identities:
        raise Refused(403, "SEC001", "The customer already has an identity")
    own = Login(sent["identity"], sent["password"], customer.tenant, customer_id=customer.customer_id)
    world.store.add_login(own)
    call.commit(customer_id=customer.customer_id)
    return json_reply({"identity": sent["identity"], "userId": customer.customer_id})


def identity_exists(world: World, call: Call, session: Session) -> Reply:
    """HEAD customers/{customerId}/identities."""
    customer = access.reach(world, call, session, "identity_exists")
    return empty_reply(200 if customer.identities else 404)


def create_admin_user(world: World, call: Call, session: Session) -> Reply:
    """POST admin-users: the new user can log in at once."""
    sent = forms.ADMIN_USER.accept(call.json())
    _refuse_taken(world, sent["identity"])
    password = sent.pop("password")
    number = world.store.next_id()
    world.store.admin_users[number] = (session.tenant, sent)
    world.store.add_login(Login(sent["identity"], password, session.tenant, tuple(sent["positions"])))
    call.commit()
    return json_reply({"adminUserId": number, **sent})


def list_admin_users(world: World, call: Call, session: Session) -> Reply:
    """GET admin-users of the caller's tenant."""
    users = world.store.admin_users.items()
    shown = ({"adminUserId": number, **user} for number, (tenant, user) in users if tenant == session.tenant)
    return json_reply(page(shown, call.query))


def create_address(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/addresses: accepted and counted, not kept."""
    customer = access.reach(world, call, session, "create_address")
    sent = forms.ADDRESS.accept(call.json())
    customer.addresses += 1
    call.commit(customer_id=customer.customer_id)
    return json_reply({"addressId": world.store.next_id(), **sent})


def create_document(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/documents: accepted and counted, not kept."""
    customer = access.reach(world, call, session, "create_document")
    sent = forms.DOCUMENT.accept(call.json())
    customer.documents += 1
    call.commit(customer_id=customer.customer_id)
    return json_reply({"documentId": world.store.next_id(), "documentType": sent["documentType"]})


def _refuse_taken(world: World, identity: str) -> None:
    if world.login(identity) is not None:
        raise Refused(409, "USR004", "The identity already exists")


def _grant(world: World, identity: str, tenant: int, positions: tuple[str, ...], customer_id: int | None) -> Reply:
    now = world.clock.now()
    expires = expiry(now, world.settings.token_seconds)
    token = world.tokens.issue(Session(identity, tenant, positions, expires, customer_id), now)
    return json_reply(
        {
            "headerName": "Authorization",
            "headerValue": f"Bearer {token}",
            "expiresEpochSecs": expires,
            "expires": iso(expires),
            "tenantId": tenant,
            "roles": list(positions),
            "sessionId": token.rpartition(".")[2][:16],
        }
    )
