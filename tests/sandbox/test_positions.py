"""Positions, the limits of credentials, identities of customers."""

import time
from typing import Any

import pytest

from jobs.sandbox.eclipse.system import TENANT
from jobs.sandbox.server import Sandbox

from .caller import PREFIX, Caller, person


def test_onboarding_creates_and_reads_but_runs_no_kyc_and_no_wallet(onboarding: Caller) -> None:
    made = onboarding.create(1)
    assert set(made.json()) == {"customerId", "firstName", "lastName", "phone1", "status"}
    path = f"customers/{made.json()['customerId']}"
    assert onboarding("HEAD", "customers", params={"phone1": person(1)["phone1"]}).status_code == 200
    assert onboarding("GET", path).status_code == 200
    refused = [
        onboarding("POST", f"{path}/ratify", json={}),
        onboarding("GET", f"{path}/wallet-types"),
        onboarding.wallet(made.json()["customerId"]),
        onboarding("GET", f"{path}/wallets"),
        onboarding("GET", "admin-users"),
    ]
    assert [(reply.status_code, reply.json()[0]["code"]) for reply in refused] == [(403, "SEC001")] * 5


def test_a_renewed_customer_token_opens_its_own_wallet_and_no_other(sandbox: Sandbox, operator: Caller) -> None:
    own, other = operator.verified(1), operator.verified(2)
    wallets = [operator.wallet(who, f"wal-{who}").json()["walletId"] for who in (own, other)]
    operator("POST", f"customers/{own}/identities", json={"identity": "sipho", "password": "a-password"})
    with Caller(sandbox, "sipho", "a-password", sandbox.tenant) as caller:
        jwt = caller.headers["Authorization"].removeprefix("Bearer ")
        renewed = caller.http.post(f"{PREFIX}/authentication/renew", json={"jwt": jwt}).json()["headerValue"]
        caller.headers = {"Authorization": renewed}
        codes = [caller("GET", f"wallets/{wallet}").status_code for wallet in wallets]
    assert codes == [200, 403]


ONBOARDING_MAY = {
    ("POST", "customers"),
    ("GET", "customers"),
    ("HEAD", "customers"),
    ("GET", "customers/{}"),
    ("PUT", "customers/{}"),
    ("POST", "customers/{}/documents"),
    ("POST", "customers/{}/identities"),
    ("HEAD", "customers/{}/identities"),
}
"""Create, update and read customers, attach documents, give the first identity: the page's flow and no more."""


def test_onboarding_may_do_what_its_four_permissions_say_and_nothing_else(onboarding: Caller) -> None:
    customer = onboarding.customer(1)
    allowed = set()
    for method, *parts in TENANT:
        path = "/".join("{}" if part == "*" else part for part in parts)
        reply = onboarding(method, path.format(customer), json={} if method in ("POST", "PUT") else None)
        if reply.status_code != 403:
            allowed.add((method, path))
    assert allowed == ONBOARDING_MAY


def test_onboarding_searches_only_among_those_without_identity_but_sees_that_others_exist(onboarding: Caller) -> None:
    login = {"identity": "sipho.dlamini", "password": "a-good-password"}
    onboarding("POST", f"customers/{onboarding.customer(1)}/identities", json=login)
    other = onboarding.customer(2)
    rows = onboarding("GET", "customers", params={"lastName": "Dlamini"}).json()
    taken = [onboarding("HEAD", "customers", params={"identity": name}) for name in ("sipho.dlamini", "nobody.here")]
    assert [row["customerId"] for row in rows] == [other]
    assert [reply.status_code for reply in taken] == [200, 404]


def test_onboarding_loses_a_customer_with_its_first_identity(sandbox: Sandbox, onboarding: Caller) -> None:
    path = f"customers/{onboarding.customer(1)}"
    login = {"identity": "sipho.dlamini", "password": "a-good-password"}
    assert onboarding("HEAD", f"{path}/identities").status_code == 404
    assert onboarding("PUT", path, json={"firstName": "Siphiwe"}).status_code == 200
    assert onboarding("POST", f"{path}/identities", json=login).json()["identity"] == "sipho.dlamini"
    assert onboarding("HEAD", f"{path}/identities").status_code == 200
    assert onboarding("POST", f"{path}/identities", json=login).status_code == 409
    assert onboarding("GET", path).status_code == 403
    assert onboarding("PUT", path, json={"firstName": "Late"}).status_code == 403
    assert onboarding("POST", f"{path}/documents", json={}).status_code == 403
    assert onboarding("POST", f"{path}/identities", json=login | {"identity": "another"}).status_code == 403
    assert onboarding("GET", "customers").json() == []


def test_a_customer_logs_in_and_reaches_only_itself(sandbox: Sandbox, operator: Caller) -> None:
    own, other = operator.customer(1), operator.customer(2)
    operator("POST", f"customers/{own}/identities", json={"identity": "sipho", "password": "a-password"})
    with Caller(sandbox, "sipho", "a-password", sandbox.tenant) as caller:
        assert caller("POST", f"customers/{own}/ratify", json={}).json()["status"] == "PASSED"
        assert caller.wallet(own).status_code == 200
        assert caller("GET", f"customers/{other}").status_code == 403
        assert caller("GET", "customers").status_code == 403


IN_REACH = ["HEAD identities", "GET ratify", "GET wallet-types", "GET wallets", "GET documents", "GET addresses"]


@pytest.mark.parametrize("call", IN_REACH)
def test_a_customer_does_for_itself_what_it_may_not_do_for_another(
    sandbox: Sandbox, operator: Caller, call: str
) -> None:
    own, other = operator.customer(1), operator.customer(2)
    operator("POST", f"customers/{own}/identities", json={"identity": "sipho", "password": "a-password"})
    method, resource = call.split()
    with Caller(sandbox, "sipho", "a-password", sandbox.tenant) as caller:
        codes = [caller(method, f"customers/{customer}/{resource}").status_code for customer in (own, other)]
    assert codes == [200, 403]


@pytest.mark.parametrize(
    "login",
    [
        *({"identity": name} for name in ("ab", "a" * 41, None, 5)),
        *({"password": text} for text in ("ab", "a" * 81, None)),
        {"totpEnabled": "yes"},
        *({"base64EncodedPublicKey": "k" * length} for length in (99, 2001)),
    ],
    ids=str,
)
def test_an_identity_that_breaks_a_rule_is_400(operator: Caller, login: dict[str, Any]) -> None:
    body = {"identity": "sipho", "password": "a-password"} | login
    assert operator("POST", f"customers/{operator.customer(1)}/identities", json=body).status_code == 400


@pytest.mark.parametrize(
    "login",
    [
        *({"identity": "a" * length, "password": "b" * size} for length, size in ((3, 3), (40, 80))),
        *({"base64EncodedPublicKey": "k" * length} for length in (100, 2000)),
    ],
    ids=lambda login: str({name: len(text) for name, text in login.items()}),
)
def test_an_identity_at_the_edge_of_its_lengths_is_taken(operator: Caller, login: dict[str, str]) -> None:
    body = {"identity": "sipho", "password": "a-password"} | login
    customer = operator.customer(1)
    reply = operator("POST", f"customers/{customer}/identities", json=body)
    assert reply.json() == {"identity": body["identity"], "userId": customer}


def test_the_61st_mutating_call_of_onboarding_is_429(sandbox: Sandbox, onboarding: Caller) -> None:
    began = time.monotonic()
    codes = [onboarding.create(number).status_code for number in range(61)]
    last = onboarding.create(99)
    passed = time.monotonic() - began
    assert codes == [200] * 60 + [429]
    assert last.json()[0]["code"] == "RLT001"
    assert 179 - passed <= int(last.headers["Retry-After"]) <= 180
    assert onboarding("HEAD", "customers", params={"phone1": person(1)["phone1"]}).status_code == 200
    assert sandbox.snapshot()["counts"]["customers"] == 60


def test_a_limit_for_all_credentials_opens_again_after_its_window(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(mutating_limit="2/0.5", limit_retry_after=False)
    before = time.monotonic()  # the first one is counted after it, whenever the journal notes it
    codes = [operator.create(number).status_code for number in range(3)]
    refused = operator.create(9)
    while (reply := operator.create(4)).status_code == 429:
        pass
    opened_again = time.monotonic()
    assert codes == [200, 200, 429]
    assert "Retry-After" not in refused.headers
    assert reply.status_code == 200
    assert opened_again - before >= 0.5
