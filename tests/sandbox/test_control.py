"""The control paths: planting, changing, settings, state."""

import httpx
import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller, person


def planted(number: int) -> dict[str, object]:
    names = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber", "externalUniqueId")
    return {name: person(number)[name] for name in names}


def test_planted_customers_are_in_the_way_of_a_create(operator: Caller, control: httpx.Client) -> None:
    made = control.post("/customers", json=[planted(1), planted(2)]).json()
    assert len({customer["customerId"] for customer in made}) == 2
    assert operator.create(7, phone1=person(1)["phone1"]).status_code == 409
    assert operator.create(8, nationalIdentityNumber=person(2)["nationalIdentityNumber"]).status_code == 409
    assert operator("GET", f"customers/{made[0]['customerId']}").json()["phone1"] == person(1)["phone1"]


def test_a_planted_customer_may_be_complete(operator: Caller, control: httpx.Client) -> None:
    wallet = {"walletTypeId": 5001, "externalUniqueId": "wal-planted"}
    record = planted(1) | {"kyc": "PASSED", "wallets": [wallet], "status": "SUSPENDED", "identities": ["sipho"]}
    made = control.post("/customers", json=record).json()[0]
    path = f"customers/{made['customerId']}"
    assert operator("GET", path).json()["status"] == "SUSPENDED"
    assert operator("GET", f"{path}/ratify").json()[0]["status"] == "PASSED"
    assert operator("GET", f"{path}/wallets").json()[0]["walletId"] == made["walletIds"][0]
    assert operator("HEAD", f"{path}/identities").status_code == 200


def test_two_planted_customers_may_share_what_is_unique(operator: Caller, control: httpx.Client) -> None:
    control.post("/customers", json=[planted(1), planted(1)])
    assert len(operator("GET", "customers", params={"identity": person(1)["phone1"]}).json()) == 2


def test_a_customer_can_be_changed_and_deleted_later(sandbox: Sandbox, operator: Caller, control: httpx.Client) -> None:
    customer = operator.verified(1)
    operator.wallet(customer)
    control.patch(f"/customers/{customer}", json={"phone1": "27830000009", "status": "CLOSED", "kyc": "FAILED"})
    profile = operator("GET", f"customers/{customer}").json()
    assert (profile["phone1"], profile["status"]) == ("27830000009", "CLOSED")
    assert operator("GET", f"customers/{customer}/ratify").json()[0]["status"] == "FAILED"
    control.patch(f"/customers/{customer}", json={"deleted": True})
    assert operator("GET", f"customers/{customer}").status_code == 404
    assert set(sandbox.snapshot()["counts"].values()) == {0}
    assert operator.create(1).status_code == 200


def test_a_wallet_can_be_changed_and_deleted_later(operator: Caller, control: httpx.Client) -> None:
    customer = operator.verified(1)
    wallet = operator.wallet(customer).json()["walletId"]
    control.patch(f"/wallets/{wallet}", json={"status": "FROZEN", "currency": "EUR"})
    listed = operator("GET", f"customers/{customer}/wallets").json()[0]
    assert (listed["status"], listed["currency"]) == ("FROZEN", "EUR")
    control.patch(f"/wallets/{wallet}", json={"deleted": True})
    assert operator("GET", f"customers/{customer}/wallets").json() == []
    assert operator("GET", f"wallets/{wallet}").status_code == 404


def test_the_state_counts_and_names_keys(operator: Caller, control: httpx.Client) -> None:
    customer = operator.verified(1)
    operator.wallet(customer)
    state = control.get("/state").json()
    counted = {name for name, count in state["counts"].items() if count == 1}
    assert counted == {"customers", "wallets", "verifications"}
    assert sum(state["counts"].values()) == 3
    assert (state["customers"][0]["externalUniqueId"], state["customers"][0]["kyc"]) == ("cust-00000001", "PASSED")
    assert state["wallets"][0]["customerId"] == customer


def test_settings_apply_at_once_and_go_with_a_reset(sandbox: Sandbox, control: httpx.Client) -> None:
    changed = control.post("/settings", json={"mutating_limit": [1, 60], "token_seconds": 5}).json()
    assert (changed["mutating_limit"], changed["token_seconds"]) == ([1, 60.0], 5.0)
    assert "password" not in str(changed["credentials"])
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
        assert [caller.create(number).status_code for number in range(2)] == [200, 429]
    control.post("/reset")
    assert control.get("/settings").json()["mutating_limit"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": 1},
        {"strictness": "lax"},
        {"mutating_limit": "60"},
        {"mutating_limit": "0/1"},
        {"kyc_polls": True},
        {"token_seconds": -1},
        {"credentials": []},
        {"credentials": [{"identity": "x"}]},
        [],
    ],
    ids=str,
)
def test_wrong_settings_are_refused_and_change_nothing(control: httpx.Client, changes: object) -> None:
    before = control.get("/settings").json()
    assert control.post("/settings", json=changes).status_code == 400
    assert control.get("/settings").json() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("PATCH", "/customers/1", {"status": "X"}, 404),
        ("PATCH", "/customers/1", {}, 400),
        ("POST", "/customers", {"firstName": "only"}, 400),
        ("GET", "/state?system=unknown", None, 404),
        ("GET", "/journal?after=x", None, 400),
    ],
)
def test_wrong_control_calls_are_refused(
    control: httpx.Client, method: str, path: str, body: object, status: int
) -> None:
    reply = control.request(method, path, json=body) if body is not None else control.request(method, path)
    assert reply.status_code == status
    assert "error" in reply.json()


def test_the_same_seed_gives_the_same_ids_whatever_was_refused(sandbox: Sandbox) -> None:
    def ids(refusals: int) -> list[int]:
        sandbox.reset()
        with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
            for number in range(refusals):
                caller.create(number, phone1="+27")
            return [caller.customer(number) for number in range(5)]

    assert ids(0) == ids(3)


def test_a_token_does_not_survive_a_reset_and_a_login_with_the_same_seed(sandbox: Sandbox) -> None:
    tokens = set()
    for _ in range(3):
        sandbox.reset()
        with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
            tokens.add(caller.headers["Authorization"])
    assert len(tokens) == 3
