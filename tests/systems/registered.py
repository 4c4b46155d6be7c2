"""Self-registration as its tests meet it: rows with a login name, what the target holds of them, who asked what."""

import csv
from pathlib import Path

from jobs.sandbox.eclipse.store import Customer, Login
from jobs.sandbox.server import Sandbox
from tests.flow.people import Row, person

DELIVERED = "delivered.csv"
PASSWORDS = ("--passwords", DELIVERED)


def newcomer(number: int, last_name: str = "Nkosi", **changes: str) -> Row:
    """Row `number` of an input file, with a login name."""
    return person(number, last_name, identity=f"thandi.{number}") | changes


def newcomers(count: int) -> list[Row]:
    """`count` of them."""
    return [newcomer(number) for number in range(1, count + 1)]


def held(sandbox: Sandbox, row: Row) -> list[Customer]:
    """The customers that have the row's identity number."""
    every = sandbox.state.customers.values()
    return [customer for customer in every if customer.fields["nationalIdentityNumber"] == row["national_id"]]


def login_of(sandbox: Sandbox, row: Row) -> Login:
    """The one login of the one customer with the row's identity number."""
    (customer,) = held(sandbox, row)
    (identity,) = customer.identities
    return sandbox.state.logins[identity]


def delivered(folder: Path) -> dict[str, str]:
    """Passwords by identity, as they were delivered."""
    with (folder / DELIVERED).open(encoding="utf-8", newline="") as file:
        return {line["identity"]: line["password"] for line in csv.DictReader(file)}


def intrusions(sandbox: Sandbox) -> list[str]:
    """Calls with the ONBOARDING credential about a customer that came after that customer's login was made."""
    made: dict[int, int] = {}
    late = []
    for entry in sandbox.journal():
        customer = entry["customerId"]
        if entry["credential"] == sandbox.onboarding_identity and made.get(customer, entry["n"]) < entry["n"]:
            late.append(f"{entry['operation']} of {customer}")
        if entry["operation"] == "create_identity" and entry["committed"]:
            made[customer] = entry["n"]
    return late
