"""Positions, limits, identities of customers, admin users."""

import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller, person


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
    assert onboarding("GET", "customers").json() == []


def test_a_customer_logs_in_and_reaches_only_itself(sandbox: Sandbox, operator: Caller) -> None:
    own, other = operator.customer(1), operator.customer(2)
    operator("POST", f"customers/{own}/identities", json={"identity": "sipho", "password": "a-password"})
    with Caller(sandbox, "sipho", "a-password", sandbox.tenant) as caller:
        assert caller("POST", f"customers/{own}/ratify", json={}).json()["status"] == "PASSED"
        assert caller.wallet(own).status_code == 200
        assert caller("GET", f"customers/{other}").status_code == 403
        assert caller("GET", "customers").status_code == 403


@pytest.mark.parametrize("login", [{"identity": "ab"}, {"password": "x"}, {"totpEnabled": "yes"}])
def test_an_identity_that_breaks_a_rule_is_400(operator: Caller, login: dict[str, str]) -> None:
    body = {"identity": "sipho", "password": "a-password"} | login
    assert operator("POST", f"customers/{operator.customer(1)}/identities", json=body).status_code == 400


def test_the_61st_mutating_call_of_onboarding_is_429(sandbox: Sandbox, onboarding: Caller) -> None:
    codes = [onboarding.create(number).status_code for number in range(61)]
    last = onboarding.create(99)
    assert codes == [200] * 60 + [429]
    assert last.json()[0]["code"] == "RLT001"
    assert 170 <= int(last.headers["Retry-After"]) <= 180
    assert onboarding("HEAD", "customers", params={"phone1": person(1)["phone1"]}).status_code == 200
    assert sandbox.snapshot()["counts"]["customers"] == 60


def test_a_limit_for_all_credentials_opens_again_after_its_window(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(mutating_limit="2/0.5", limit_retry_after=False)
    codes = [operator.create(number).status_code for number in range(3)]
    refused = operator.create(9)
    while (reply := operator.create(4)).status_code == 429:
        pass
    arrivals = [entry["monotonic"] for entry in sandbox.journal() if entry["operation"] == "create_customer"]
    assert codes == [200, 200, 429]
    assert "Retry-After" not in refused.headers
    assert reply.status_code == 200
    assert arrivals[-1] - arrivals[0] >= 0.5


def test_admin_users_are_unique_listed_without_password_and_can_log_in(sandbox: Sandbox, operator: Caller) -> None:
    body = {
        "firstName": "Thembi",
        "lastName": "Nkosi",
        "email": "thembi@example.com",
        "phone1": "27794567890",
        "identity": "thembi.nkosi",
        "password": "initial-password",
        "positions": ["LEVEL_01"],
    }
    made = operator("POST", "admin-users", json=body)
    assert made.status_code == 200
    assert operator("POST", "admin-users", json=body).status_code == 409
    assert (
        operator("POST", "admin-users", json=body | {"identity": "b.b", "positions": ["LEVEL_21"]}).status_code == 400
    )
    assert operator("GET", "admin-users").json() == [made.json()]
    assert "password" not in made.json()
    with Caller(sandbox, "thembi.nkosi", "initial-password", sandbox.tenant) as caller:
        assert caller.create(1).status_code == 200


def test_addresses_and_documents_are_accepted(sandbox: Sandbox, operator: Caller) -> None:
    path = f"customers/{operator.customer(1)}"
    address = operator("POST", f"{path}/addresses", json={"addressType": "HOME", "line1": "1 Long Street"})
    paper = {"base64EncodedDocument": "AAAA", "documentType": "PASSPORT", "mediaType": "image/png"}
    document = operator("POST", f"{path}/documents?performOcr=false", json=paper)
    assert "addressId" in address.json()
    assert "documentId" in document.json()
    assert operator("POST", f"{path}/documents", json=paper | {"documentType": "COMPARISON_X"}).status_code == 400
    assert sandbox.snapshot()["customers"][0]["addresses"] == 1
