"""Operations on verifications and wallets of a customer."""

from typing import Any

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse import access, forms, kyc, views
from jobs.sandbox.eclipse.customers import page
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Customer
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, json_reply


def trigger_kyc(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/ratify: every call is a new run; the body may be empty."""
    customer = access.reach(world, call, session, "trigger_kyc")
    wanted = forms.RATIFICATION.accept(call.json() if call.body else {})
    run = kyc.start(
        customer.last_name,
        customer.verifications,
        {paper.kind for paper in customer.documents},
        kind=wanted.get("type", "NORMAL"),
        checks=tuple(wanted.get("checksToRun") or kyc.CHECKS),
        polls=world.settings.kyc_polls,
        now=world.clock.now(),
    )
    customer.verifications.append(run)
    call.commit(customer_id=customer.customer_id)
    return json_reply(run.as_json())


def read_kyc(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}/ratify: newest first, or oldest. A read is a poll of the newest run."""
    customer = access.reach(world, call, session, "read_kyc")
    if customer.verifications:
        customer.verifications[-1].read(world.clock.now())
    runs = customer.verifications
    ordered = reversed(runs) if world.settings.kyc_newest_first else iter(runs)
    return json_reply([run.as_json() for run in page(ordered, call.query)])


def wallet_types(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}/wallet-types: nothing is allowed before a PASSED verification."""
    customer = access.reach(world, call, session, "wallet_types")
    return json_reply(
        [{"walletTypeId": kind, "allowed": _allowed(world, customer, kind)} for kind in world.settings.wallet_types]
    )


def create_wallet(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/wallets."""
    customer = access.reach(world, call, session, "create_wallet")
    fields = forms.WALLET.accept(call.json())
    if world.store.has_key(fields["externalUniqueId"]):
        raise Refused(409, "USR004", "Wallet already exists with this externalUniqueId")
    if customer.kyc != "PASSED":
        raise Refused(400, "IAE002", "The customer's KYC has not passed")
    if not _allowed(world, customer, fields["walletTypeId"]):
        raise Refused(400, "IAE002", "The wallet type is not allowed for this customer")
    del fields["version"]
    wallet = world.store.add_wallet(customer, fields, world.clock.now())
    call.commit(customer_id=customer.customer_id, wallet_id=wallet.wallet_id)
    return json_reply(views.wallet(wallet))


def list_wallets(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}/wallets, oldest first."""
    customer = access.reach(world, call, session, "list_wallets")
    shown = [world.store.wallets[number] for number in page(iter(customer.wallets), call.query)]
    return json_reply([views.stored_wallet(wallet, world.settings) for wallet in shown])


def get_wallet(world: World, call: Call, session: Session) -> Reply:
    """GET wallets/{walletId}."""
    wallet = world.store.wallets.get(access.identifier(call.segments[3]))
    if wallet is None or wallet.tenant != session.tenant:
        raise access.not_found()
    if session.customer_id not in (None, wallet.customer_id):
        raise Refused(403, "SEC001", "A customer may only reach itself")
    return json_reply(views.stored_wallet(wallet, world.settings))


def _allowed(world: World, customer: Customer, kind: Any) -> bool:
    if customer.kyc != "PASSED" or customer.last_name.lower().endswith(kyc.NO_WALLET):
        return False
    every = customer.last_name.lower().endswith(kyc.TWO_WALLETS)
    return kind in world.settings.wallet_types and (every or kind in world.settings.allowed_wallet_types)
