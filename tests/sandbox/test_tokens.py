"""Login, renewal, expiry and what a token opens."""

import base64
import time

import httpx
import orjson
import pytest

from jobs.sandbox.server import Sandbox

from .caller import PREFIX, Caller


def claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    value: dict[str, object] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value


def test_login_grants_a_token_with_the_claims_of_the_vendor(operator: Caller) -> None:
    login = operator.login
    token = login["headerValue"].removeprefix("Bearer ")
    assert login["headerName"] == "Authorization"
    assert abs(login["expiresEpochSecs"] - time.time() - 900) < 60
    assert claims(token) == {
        "sub": "operator",
        "tenant": 1001,
        "exp": login["expiresEpochSecs"],
        "iat": claims(token)["iat"],
        "pos": ["TENANT_SYSTEM"],
        "sess": claims(token)["sess"],
    }
    assert {"tenantId", "roles", "sessionId"} <= set(login)


@pytest.mark.parametrize(("identity", "password"), [("operator", "wrong-password"), ("nobody", "operator-password")])
def test_wrong_credentials_are_401_usr002(operator: Caller, identity: str, password: str) -> None:
    body = {"identity": identity, "password": password}
    reply = operator.http.post(f"{PREFIX}/authentication/login", json=body)
    assert (reply.status_code, reply.json()[0]["code"]) == (401, "USR002")


def test_renewal_grants_another_token_that_works(operator: Caller) -> None:
    old = operator.headers["Authorization"]
    reply = operator.http.post(f"{PREFIX}/authentication/renew", json={"jwt": old.removeprefix("Bearer ")})
    operator.headers = {"Authorization": reply.json()["headerValue"]}
    assert reply.json()["headerValue"] != old
    assert operator("GET", "customers").status_code == 200


def test_an_expired_token_opens_nothing_and_cannot_be_renewed(sandbox: Sandbox) -> None:
    sandbox.configure(token_seconds=0)
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
        sandbox.configure(clock_offset=2)
        reply = caller.create(1)
        jwt = caller.headers["Authorization"].removeprefix("Bearer ")
        renewal = caller.http.post(f"{PREFIX}/authentication/renew", json={"jwt": jwt})
    assert (reply.status_code, renewal.status_code) == (401, 401)
    assert isinstance(reply.json(), list)
    assert sandbox.snapshot()["counts"]["customers"] == 0


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic b3BlcmF0b3I6"])
def test_a_missing_or_malformed_token_is_401(operator: Caller, header: str) -> None:
    url = f"{PREFIX}/tenants/1001/customers"
    reply = operator.http.get(url, headers={"Authorization": header} if header else {})
    assert reply.status_code == 401


def test_a_tampered_token_is_401(operator: Caller) -> None:
    head, _, signature = operator.headers["Authorization"].split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"operator","tenant":1002}').decode()
    operator.headers = {"Authorization": f"{head}.{forged}.{signature}"}
    assert operator("GET", "customers").status_code == 401


def test_another_tenants_lists_are_403_and_its_records_404(operator: Caller, stranger: Caller) -> None:
    customer = operator.customer(1)
    assert stranger("GET", f"customers/{customer}").status_code == 404
    stranger.tenant = operator.tenant
    assert stranger("GET", "customers").status_code == 403
    assert stranger("GET", f"customers/{customer}").status_code == 404


def test_a_reset_forgets_tokens_and_records(sandbox: Sandbox, operator: Caller) -> None:
    operator.customer(1)
    sandbox.reset()
    assert operator("GET", "customers").status_code == 401
    assert sandbox.snapshot()["customers"] == []
    assert [entry["n"] for entry in sandbox.journal()] == [1]


def test_each_error_has_the_form_of_the_page(operator: Caller) -> None:
    reply = operator("GET", "customers/1")
    assert reply.status_code == 404
    for error in reply.json():
        assert set(error) == {"type", "severity", "description", "code", "traceId", "spanId", "environment"}
        assert (len(error["traceId"]), len(error["spanId"])) == (32, 16)


@pytest.mark.parametrize("path", ["nothing", "customers/1/nothing", "customers/..%2Fadmin-users", ""])
def test_an_unknown_path_is_404_with_the_error_array(operator: Caller, path: str) -> None:
    reply = operator("GET", path)
    assert reply.status_code == 404
    assert reply.json()[0]["code"] in {"UNK001", "ARCH086"}


def test_a_path_of_no_system_is_404(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.base_url}/elsewhere", trust_env=False).status_code == 404
