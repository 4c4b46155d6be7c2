"""bLink past its rules: planting, changing, switches."""

from typing import Any

import httpx
import pytest

from jobs.sandbox.blink.routes import ROUTES
from jobs.sandbox.server import Sandbox, Standing

from .hub import CONTACT, POSTAL, Hub


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("blink")


def test_every_operation_has_its_name(sandbox: Sandbox, hub: Hub) -> None:
    names = {"persons": "P-0001", "customers": "C-0001", "customer": "C-0001"}
    for method, first, *rest in ROUTES:
        path = "/".join([first, *(names[first] if part == "*" else part for part in rest)])
        hub(method, path, **({} if method == "GET" else {"json": {}}))
    assert [entry["operation"] for entry in sandbox.journal()] == ["token", *ROUTES.values()]


def test_a_customer_can_be_planted_changed_and_deleted(control: httpx.Client, hub: Hub) -> None:
    record = {
        "customerIdentification": "C-9",
        "externalReference": "X-0001",
        "status": "inactive",
        "persons": [
            {"personIdentification": "P-9", "lastName": "Nef", "contacts": [CONTACT]},
            {"personIdentification": "P-0001"},
        ],
        "addresses": [{"postalAddress": POSTAL}],
    }
    made = control.post("/customers?system=blink", json=record).json()[0]
    assert made["persons"] == ["P-9", "P-0001"]
    customer = hub("GET", "customers/C-9").json()
    assert (customer["status"], customer["addressList"]) == (
        "inactive",
        [{"addressIdentification": number} for number in made["addresses"]],
    )
    assert len(hub("GET", "persons/P-0001").json()["customerList"]) == 2
    control.patch("/customers/C-9?system=blink", json={"status": "closed", "externalReference": "other"})
    assert (hub("GET", "customers/C-9").json()["status"]) == "closed"
    control.patch("/customers/C-9?system=blink", json={"deleted": True})
    assert hub("GET", "customers/C-9").status_code == 404
    assert len(hub("GET", "persons/P-0001").json()["customerList"]) == 1


def test_a_contact_and_a_person_can_be_changed_behind_the_clients_back(hub: Hub, standing: Standing) -> None:
    number = hub.contact().json()["contactIdentification"]
    standing.amend("contacts", number, contactContent="other@example.com")
    assert hub("GET", "persons/P-0001/contactdetails").json()[-1]["contactContent"] == "other@example.com"
    standing.amend("contacts", number, deleted=True)
    standing.amend("persons", "P-0001", lastName="Nef")
    assert len(hub("GET", "persons/P-0001/contactdetails").json()) == 1
    assert hub("GET", "persons/P-0001").json()["personDetails"]["lastName"] == "Nef"
    standing.amend("persons", "P-0001", deleted=True)
    assert hub("GET", "customers/C-0001").json()["personList"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/customers", {"customerIdentification": "C-0001"}, 400),
        ("POST", "/customers", {"status": "sleeping"}, 400),
        ("PATCH", "/customers/C-0001", {"status": "sleeping"}, 400),
        ("PATCH", "/customers/nobody", {"status": "closed"}, 404),
        ("PATCH", "/wallets/1", {"status": "closed"}, 404),
    ],
)
def test_wrong_control_calls_are_refused(
    control: httpx.Client, standing: Standing, method: str, path: str, body: object, status: int
) -> None:
    before = standing.snapshot()
    assert control.request(method, f"{path}?system=blink", json=body).status_code == status
    assert standing.snapshot() == before


@pytest.mark.parametrize(
    "switches",
    [
        {"colour": 1},
        {"customers": -1},
        {"page_size": 0},
        {"page_size": True},
        {"cursor_header": "cursor"},
        {"offers": ["fly"]},
        {"offers": "healthcheck"},
        {"not_offered": 404},
        {"lag_reads": "2"},
    ],
    ids=str,
)
def test_a_wrong_switch_is_refused_and_changes_nothing(control: httpx.Client, switches: dict[str, Any]) -> None:
    reply = control.post("/settings", json={"switches": {"blink": switches}})
    assert (reply.status_code, next(iter(switches)) in reply.json()["error"]) == (400, True)
    assert control.get("/settings").json()["switches"] == {}
