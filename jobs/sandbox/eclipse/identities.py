"""Operations on the logins of customers. Identities are unique over the whole platform."""

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse import access, forms
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Login
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, empty_reply, json_reply


def create_identity(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/identities; a repeat is 409, also for ONBOARDING, as the page has it."""
    customer = access.reach(world, call, session, "create_identity")
    sent = forms.NEW_IDENTITY.accept(call.json())
    refuse_taken(world, sent["identity"])
    if session.onboarding and customer.identities:
        raise Refused(403, "SEC001", "The customer already has an identity")
    own = Login(
        sent["identity"],
        sent["password"],
        customer.tenant,
        customer_id=customer.customer_id,
        totp=sent.get("totpEnabled", False),
        public_key=sent.get("base64EncodedPublicKey"),
    )
    world.store.add_login(own)
    call.commit(customer_id=customer.customer_id)
    return json_reply({"identity": sent["identity"], "userId": customer.customer_id})


def identity_exists(world: World, call: Call, session: Session) -> Reply:
    """HEAD customers/{customerId}/identities."""
    customer = access.reach(world, call, session, "identity_exists")
    return empty_reply(200 if customer.identities else 404)


def refuse_taken(world: World, identity: str) -> None:
    """Refused 409 when anyone of any tenant, customer or admin user, logs in as `identity`."""
    if world.login(identity) is not None:
        raise Refused(409, "USR004", "The identity already exists")
