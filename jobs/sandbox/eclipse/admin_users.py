"""Operations on the portal users of a tenant. Their passwords are with the logins and never leave."""

from typing import Any

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse import access, forms
from jobs.sandbox.eclipse.customers import page
from jobs.sandbox.eclipse.identities import refuse_taken
from jobs.sandbox.eclipse.store import Login
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, json_reply


def create_admin_user(world: World, call: Call, session: Session) -> Reply:
    """POST admin-users: the new user can log in at once."""
    sent = forms.ADMIN_USER.accept(call.json())
    refuse_taken(world, sent["identity"])
    return _stored(world, call, session, world.store.next_id(), sent, sent.pop("password"))


def update_admin_user(world: World, call: Call, session: Session) -> Reply:
    """PUT admin-users/{adminUserId}: changes the members sent; tokens issued before keep their positions."""
    number = access.identifier(call.segments[3])
    tenant, user = world.store.admin_users.get(number, (None, {}))
    if tenant != session.tenant:
        raise access.not_found()
    sent = forms.ADMIN_USER.accept(call.json(), partial=True)
    if sent.get("identity", user["identity"]) != user["identity"]:
        refuse_taken(world, sent["identity"])
    login = world.store.logins.pop(user["identity"])
    password = sent.pop("password", login.password)
    return _stored(world, call, session, number, {**user, **sent}, password)


def list_admin_users(world: World, call: Call, session: Session) -> Reply:
    """GET admin-users of the caller's tenant, oldest first."""
    users = world.store.admin_users.items()
    shown = ({"adminUserId": number, **user} for number, (tenant, user) in users if tenant == session.tenant)
    return json_reply(page(shown, call.query))


def _stored(world: World, call: Call, session: Session, number: int, user: dict[str, Any], password: str) -> Reply:
    world.store.admin_users[number] = (session.tenant, user)
    world.store.add_login(Login(user["identity"], password, session.tenant, tuple(user["positions"])))
    call.commit()
    return json_reply({"adminUserId": number, **user})
