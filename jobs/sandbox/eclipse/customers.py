"""Operations on customers: create, update, search, existence, profile."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse import access, forms, own_wallets, views
from jobs.sandbox.eclipse.checks import integer
from jobs.sandbox.eclipse.kyc import REFUSED
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Customer, Store
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, empty_reply, json_reply

Row = TypeVar("Row")

PAGE = 1000
"""Rows of a list when no limit is given. Another vendor page; the main page advises callers to send 20."""

UNIQUE = {"phone1": "phone number", "nationalIdentityNumber": "identity number"}
"""Unique within a tenant; `externalUniqueId` is unique over all tenants."""

FILTERS = ("phone1", "email", "nationalIdentityNumber", "passportNumber", "asylumRefNumber")


def create(world: World, call: Call, session: Session) -> Reply:
    """POST customers."""
    form = forms.CUSTOMER_VENDOR if world.settings.vendor else forms.CUSTOMER
    fields = form.accept(call.json())
    if fields["lastName"].lower().endswith(REFUSED):
        raise Refused(400, "VAL001", f"lastName: '{fields['lastName']}' is refused by the tenant's rules")
    if world.store.has_key(fields["externalUniqueId"]):
        raise Refused(409, "USR004", "Customer already exists with this externalUniqueId")
    _refuse_taken(world.store, session.tenant, fields)
    del fields["version"]
    status = fields.pop("status", "ACTIVE")
    customer = world.store.add_customer(session.tenant, fields, world.clock.now())
    customer.status = status
    own_wallets.open_all(world, customer)
    call.commit(customer_id=customer.customer_id)
    return json_reply(views.registered(customer) if session.onboarding else views.created(customer))


def update(world: World, call: Call, session: Session) -> Reply:
    """PUT customers/{customerId}: the members sent replace the old ones; `version`, when sent, must be the current."""
    customer = access.reach(world, call, session, "update_customer")
    form = forms.CUSTOMER_VENDOR if world.settings.vendor else forms.CUSTOMER
    current = form.with_rules({"version": integer})
    fields = current.accept(call.json(), partial=True)
    if fields.pop("version", customer.version) != customer.version:
        raise Refused(409, "UNK001", "The customer was changed in the meantime")
    key = fields.get("externalUniqueId", customer.key)
    if key != customer.key and world.store.has_key(key):
        raise Refused(409, "USR004", "Customer already exists with this externalUniqueId")
    _refuse_taken(world.store, session.tenant, fields, besides=customer)
    customer.status = fields.pop("status", customer.status)
    world.store.change_customer(customer, fields, world.clock.now())
    call.commit(customer_id=customer.customer_id)
    return json_reply(views.profile(customer, world.settings))


def search(world: World, call: Call, session: Session) -> Reply:
    """GET customers: filters are combined with AND; unknown ones are ignored."""
    rows: Iterator[Customer] = (
        customer for customer in _candidates(world.store, session.tenant, call.query) if _fits(customer, call.query)
    )
    if session.onboarding:
        rows = (customer for customer in rows if not customer.identities)
    return json_reply([views.found(customer) for customer in page(rows, call.query)])


def exists(world: World, call: Call, session: Session) -> Reply:
    """HEAD customers: 200 when any of the filters finds a customer, else 404."""
    filters = {name: value for name, value in call.query.items() if name in (*FILTERS, "identity")}
    if not filters:
        raise Refused(400, "IAE002", "At least one filter is required")
    return empty_reply(200 if any(_any(world.store, session.tenant, *item) for item in filters.items()) else 404)


def get(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}."""
    customer = access.reach(world, call, session, "get_customer")
    return json_reply(views.profile(customer, world.settings))


def page(rows: Iterator[Row], query: Mapping[str, str]) -> list[Row]:
    """The part of `rows` that limit and offset ask for."""
    limit, offset = (_count(query, name, default) for name, default in (("limit", PAGE), ("offset", 0)))
    return list(islice(rows, offset, offset + limit))


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(400, "IAE002", f"{name}: '{text}' is not a number from 0")
    return int(text)


def _refuse_taken(store: Store, tenant: int, fields: Mapping[str, Any], besides: Customer | None = None) -> None:
    for name, words in UNIQUE.items():
        if name in fields and any(holder is not besides for holder in store.find(tenant, name, fields[name])):
            raise Refused(409, "USR004", f"Customer already exists with this {words}")


def _candidates(store: Store, tenant: int, query: Mapping[str, str]) -> Iterator[Customer]:
    """The customers to look at: through an index where a filter has one."""
    if "identity" in query:
        return iter(_any(store, tenant, "identity", query["identity"]))
    for name in ("nationalIdentityNumber", "lastName"):
        if name in query:
            return iter(store.find(tenant, name, query[name]))
    return store.of_tenant(tenant)


def _any(store: Store, tenant: int, name: str, value: str) -> list[Customer]:
    """`identity` is a phone number, an identity number or a login; every other filter is the member it names."""
    if name != "identity":
        return store.find(tenant, name, value)
    holders = store.find(tenant, "phone1", value) + store.find(tenant, "nationalIdentityNumber", value)
    login = store.logins.get(value)
    if login is not None and login.tenant == tenant and login.customer_id is not None:
        holders.append(store.customers[login.customer_id])
    return list({holder.customer_id: holder for holder in holders}.values())


def _fits(customer: Customer, query: Mapping[str, str]) -> bool:
    return all(
        str(customer.fields.get(name, "")).lower() == query[name].lower()
        for name in ("firstName", "lastName", "nationalIdentityNumber")
        if name in query
    )
