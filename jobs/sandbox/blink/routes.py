"""The paths of bLink's Customer Management and the operations behind them."""

from collections.abc import Iterable

from jobs.sandbox.blink.forms import Refused
from jobs.sandbox.call import Call

TOKEN = ("POST", "consent-flow", "v2", "oauth", "token")

ROUTES = {
    ("GET", "healthcheck"): "healthcheck",
    ("GET", "customers"): "list_customers",
    ("GET", "customers", "*"): "get_customer",
    ("GET", "customers", "*", "kyc"): "get_kyc",
    ("GET", "persons"): "list_persons",
    ("GET", "persons", "*"): "get_person",
    ("GET", "persons", "*", "contactdetails"): "list_contacts",
    ("POST", "persons", "*", "contactdetails"): "create_contact",
    ("POST", "customers", "*", "addresses"): "create_address",
    ("GET", "customers", "*", "addresses"): "get_address",
    ("PUT", "customers", "*", "addresses"): "update_address",
    ("GET", "customer", "*", "addresses"): "get_address",
    ("PUT", "customer", "*", "addresses"): "update_address",
}
"""`*` is an identifier. The page prints the singular where an address is read or changed, all others the plural."""

OPERATIONS = tuple(dict.fromkeys(ROUTES.values()))

SPELLINGS = {"both": ("customers", "customer"), "seed": ("customer",), "plural": ("customers",)}
"""The first parts under which an address may be read or changed, for each value of `addresses_path`."""


def path(call: Call) -> tuple[str, ...]:
    """Method and path as they came."""
    return (call.method, *call.segments)


def shape(call: Call) -> tuple[str, ...]:
    """Method and path with `*` for the identifier."""
    return (call.method, *("*" if place == 1 else part for place, part in enumerate(call.segments)))


def no_route(call: Call, besides: Iterable[str] = ()) -> Refused:
    """405 when the path knows another method, else 404. `besides`: operations that don't count."""
    resource = shape(call)[1:]
    methods = [route[0] for route, name in ROUTES.items() if route[1:] == resource and name not in besides]
    if methods or path(call)[1:] == TOKEN[1:]:
        return Refused(405, "wrongMethod", "The path has no such method")
    return Refused(404, "resourceDoesNotExist", "No such path")
