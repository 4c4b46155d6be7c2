"""The order of lists: nothing is lost or doubled by it, and behind a cursor it stays."""

from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from . import bank as banklingo
from .hub import Hub

ORDERS = ("oldest", "newest", "shuffled")


def in_its_order(order: str, oldest_first: list[Any], found: list[Any]) -> bool:
    """Whether everything is there once, and in that order."""
    newest_first = oldest_first[::-1]
    fits = {"oldest": found == oldest_first, "newest": found == newest_first}
    fits["shuffled"] = not any(fits.values())
    return sorted(found) == sorted(oldest_first) and fits[order]


@pytest.mark.parametrize("order", ORDERS)
def test_customers_of_a_bank_come_in_that_order_page_by_page(sandbox: Sandbox, hub: Hub, order: str) -> None:
    sandbox.configure(switches={"blink": {"page_size": 7, "list_order": order}})
    pages = hub.pages()

    assert [len(page) for page in pages] == [7, 7, 7, 7, 7, 5]
    names = [f"C-{number:04d}" for number in range(1, 41)]
    assert in_its_order(order, names, [each["customerIdentification"] for page in pages for each in page])


@pytest.mark.parametrize("order", ORDERS)
def test_contacts_of_a_person_come_in_that_order(sandbox: Sandbox, hub: Hub, order: str) -> None:
    for number in range(20):
        hub.contact(contactContent=f"{number}@example.com")
    sandbox.configure(switches={"blink": {"list_order": order}})
    names = [each["contactIdentification"] for each in sandbox.of("blink").snapshot()["persons"][0]["contacts"]]
    found = [each["contactIdentification"] for each in hub("GET", "persons/P-0001/contactdetails").json()]

    assert in_its_order(order, names, found)


@pytest.mark.parametrize("order", ORDERS)
def test_clients_of_a_bank_come_in_that_order(sandbox: Sandbox, bank: banklingo.Bank, order: str) -> None:
    planted = [sandbox.of("banklingo").plant(**banklingo.person(number)) for number in range(1, 13)]
    banklingo.configure(sandbox, list_order=order)
    rows = bank.qry("ContactList").json()["data"]["contacts"]

    names = [each["contactEncodedKey"] for each in planted]
    assert in_its_order(order, names, [each["contactEncodedKey"] for each in rows])
