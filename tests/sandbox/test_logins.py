"""Logins beyond a clear password: BCrypt, TOTP, signed challenges; the CSRF guard of a renewal; the path prefix."""

import base64
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from jobs.sandbox.eclipse import passwords, signing
from jobs.sandbox.server import Sandbox
from tests.keys import rsa_key

from .caller import PREFIX, Caller
from .test_tokens import claims

HASH = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
"""Of `U*U`: a published test vector of BCrypt."""


def public(key: rsa.RSAPrivateKey | None = None) -> str:
    key = key or rsa_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def signature(text: str, key: rsa.RSAPrivateKey | None = None) -> str:
    key = key or rsa_key()
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def post(caller: Caller, operation: str, **body: Any) -> httpx.Response:
    return caller.http.post(f"{PREFIX}/authentication/{operation}", json=body)


def challenge(caller: Caller, identity: str) -> str:
    return str(post(caller, "login-challenge", identity=identity).json()["challenge"])


def enrol(operator: Caller, **members: Any) -> int:
    customer = operator.customer(1)
    body = {"identity": "sipho.dlamini", "password": "a-good-password", **members}
    assert operator("POST", f"customers/{customer}/identities", json=body).status_code == 200
    return customer


@pytest.mark.skipif(sys.platform != "linux", reason="the system's crypt knows BCrypt on Linux only")
def test_a_hashed_password_lets_the_clear_one_in_and_not_the_hash(operator: Caller) -> None:
    enrol(operator, password=HASH)
    codes = [
        post(operator, "login", identity="sipho.dlamini", password=text).status_code for text in ("U*U", "U*V", HASH)
    ]
    assert codes == [200, 401, 401]


def test_a_hash_cannot_be_compared_where_the_system_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_crypt", lambda: None)
    assert not passwords.matches(HASH, "U*U")
    assert passwords.matches("clear", "clear")


def test_a_hash_of_a_high_cost_is_refused_without_repeating_it(operator: Caller) -> None:
    body = {"identity": "sipho.dlamini", "password": HASH.replace("$05$", "$13$")}
    reply = operator("POST", f"customers/{operator.customer(1)}/identities", json=body)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "VAL001")
    assert "CCCC" not in reply.text


def test_totp_is_asked_for_after_the_password_only(operator: Caller) -> None:
    enrol(operator, totpEnabled=True)
    known = {"identity": "sipho.dlamini", "password": "a-good-password"}
    tries = [{}, {"totp": "000000"}, {"totp": "123456", "password": "wrong"}, {"totp": "123456"}]
    replies = [post(operator, "login", **known | members) for members in tries]
    assert [reply.status_code for reply in replies] == [401, 401, 401, 200]
    assert [reply.json()[0]["code"] for reply in replies[:3]] == ["USR007", "USR007", "USR002"]


def test_a_signed_challenge_logs_a_customer_in_with_its_uid(operator: Caller) -> None:
    customer = enrol(operator, base64EncodedPublicKey=public())
    text = challenge(operator, "sipho.dlamini")
    reply = post(operator, "login", identity="sipho.dlamini", challenge=text, signature=signature(text))
    token = reply.json()["headerValue"].removeprefix("Bearer ")
    assert (len(text), len(base64.b64decode(text))) == (44, 32)
    assert (claims(token)["uid"], claims(token)["pos"]) == (customer, [])


def test_a_challenge_is_good_for_one_attempt(operator: Caller) -> None:
    enrol(operator, base64EncodedPublicKey=public())
    text = challenge(operator, "sipho.dlamini")
    signed = {"identity": "sipho.dlamini", "challenge": text, "signature": signature(text)}
    assert [post(operator, "login", **signed).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    "proof",
    [
        lambda text: {"challenge": text, "signature": signature(text, rsa_key("stranger"))},
        lambda text: {"challenge": text, "signature": signature(text + "x")},
        lambda text: {"challenge": "x" * 44, "signature": signature("x" * 44)},
        lambda text: {"challenge": text, "password": "a-good-password"},
        lambda text: {"signature": signature(text)},
    ],
    ids=["another key", "another text", "another challenge", "no signature", "no challenge"],
)
def test_what_does_not_prove_the_key_does_not_log_in(operator: Caller, proof: Callable[[str], dict[str, str]]) -> None:
    enrol(operator, base64EncodedPublicKey=public())
    reply = post(operator, "login", identity="sipho.dlamini", **proof(challenge(operator, "sipho.dlamini")))
    assert (reply.status_code, reply.json()[0]["code"]) == (401, "USR002")


def test_a_credential_of_the_settings_may_have_a_key(sandbox: Sandbox) -> None:
    keyed = {"identity": "keyed", "password": "not-needed", "tenant": 1001, "public_key": public()}
    sandbox.configure(credentials=[keyed])
    with Caller(sandbox, "keyed", "not-needed", 1001) as caller:
        text = challenge(caller, "keyed")
        reply = post(caller, "login", identity="keyed", challenge=text, signature=signature(text))
    assert reply.status_code == 200


def test_unknown_identities_get_a_challenge_too_and_a_login_needs_a_proof(operator: Caller) -> None:
    assert len(challenge(operator, "nobody")) == 44
    missing = post(operator, "login", identity="operator")
    assert (missing.status_code, missing.json()[0]["code"]) == (400, "VAL001")


@pytest.mark.parametrize("size", [1024, 2048, pytest.param(4096, marks=pytest.mark.slow)])
def test_signatures_are_verified_as_another_library_makes_them(size: int) -> None:
    key = rsa_key(size=size)
    text = "a challenge"
    good = signature(text, key)
    flipped = base64.b64encode(bytes((base64.b64decode(good)[0] ^ 1, *base64.b64decode(good)[1:]))).decode()
    assert signing.verified(public(key), text, good)
    assert not any(signing.verified(public(key), text, bad) for bad in (flipped, "", "AAAA", "not base64!"))


@pytest.mark.parametrize("key", ["", "AAAA", "k" * 100, base64.b64encode(b"\x30\x82\x01\x22\x30\x0d").decode()])
def test_what_is_no_key_verifies_nothing(key: str) -> None:
    assert not signing.verified(key, "text", signature("text"))


def test_without_the_switch_a_login_shows_no_csrf_token(operator: Caller) -> None:
    assert not {"csrfHeaderName", "csrfToken"} & set(operator.login)


def test_with_csrf_a_renewal_needs_the_header_of_its_own_token(sandbox: Sandbox) -> None:
    sandbox.configure(csrf=True)
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
        name, value = caller.login["csrfHeaderName"], caller.login["csrfToken"]
        body = {"jwt": caller.headers["Authorization"].removeprefix("Bearer ")}
        url = f"{PREFIX}/authentication/renew"
        replies = [caller.http.post(url, json=body, headers=sent) for sent in ({}, {name: "other"}, {name: value})]
        again = {"jwt": replies[2].json()["headerValue"].removeprefix("Bearer ")}
        stale = caller.http.post(url, json=again, headers={name: value})
    assert [reply.status_code for reply in (*replies, stale)] == [403, 403, 200, 403]
    assert replies[0].json()[0]["code"] == "SEC001"


def test_a_white_label_has_its_own_prefix_and_no_other() -> None:
    body = {"identity": "operator", "password": "operator-password"}
    with Sandbox(eclipse_prefix="brand-conductor") as sandbox, httpx.Client(trust_env=False) as client:
        codes = [
            client.post(f"{sandbox.base_url}/{prefix}/rest/v1/authentication/login", json=body).status_code
            for prefix in ("brand-conductor", "eclipse-conductor")
        ]
    assert codes == [200, 404]


@pytest.mark.parametrize("prefix", ["", "a/b", "__sandbox", "-x", 5])
def test_a_prefix_is_one_part_of_a_path(prefix: object) -> None:
    with pytest.raises(ValueError, match="eclipse_prefix"):
        Sandbox(eclipse_prefix=prefix)
