"""Portal users: what they need, how they are changed, that they log in with what they may."""

from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller
from .test_tokens import claims

USER = {
    "firstName": "Thembi",
    "lastName": "Nkosi",
    "email": "thembi@example.com",
    "phone1": "27794567890",
    "identity": "thembi.nkosi",
    "password": "initial-password",
    "positions": ["LEVEL_01"],
}


def add(caller: Caller, **members: Any) -> int:
    return int(caller("POST", "admin-users", json=USER | members).json()["adminUserId"])


@pytest.mark.parametrize(
    "members",
    [
        *({name: None} for name in USER),
        {"phone1": "+27794567890"},
        {"email": "no-at-sign"},
        {"identity": "ab"},
        {"identity": "a" * 41},
        {"password": "ab"},
        {"password": "a" * 81},
        {"positions": []},
        {"positions": "LEVEL_01"},
        {"positions": ["LEVEL_00"]},
        {"positions": ["LEVEL_21"]},
        {"positions": ["LEVEL_1"]},
        {"positions": [{"position": "LEVEL_01"}]},
    ],
    ids=str,
)
def test_a_user_that_breaks_a_rule_is_400(sandbox: Sandbox, operator: Caller, members: dict[str, Any]) -> None:
    reply = operator("POST", "admin-users", json=USER | members)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "VAL001")
    assert next(iter(members)) in reply.json()[0]["description"]
    assert sandbox.snapshot()["counts"]["adminUsers"] == 0


def test_a_refusal_does_not_repeat_the_password(operator: Caller) -> None:
    reply = operator("POST", "admin-users", json=USER | {"password": "secret-" * 12})
    assert reply.status_code == 400
    assert "secret-" not in reply.text


def test_every_position_of_the_page_is_known(operator: Caller) -> None:
    positions = ["TENANT_SYSTEM", "ONBOARDING", *(f"LEVEL_{level:02d}" for level in range(1, 21))]
    reply = operator("POST", "admin-users", json=USER | {"positions": positions})
    assert reply.json()["positions"] == positions


def test_a_new_user_logs_in_with_its_positions_and_tenant(sandbox: Sandbox, stranger: Caller) -> None:
    add(stranger, positions=["ONBOARDING"])
    with Caller(sandbox, "thembi.nkosi", "initial-password", stranger.tenant) as caller:
        token = claims(caller.headers["Authorization"].removeprefix("Bearer "))
        refused = caller("GET", "admin-users")
        made = caller.create(1)
    assert (token["tenant"], token["pos"], "uid" in token) == (stranger.tenant, ["ONBOARDING"], False)
    assert (refused.status_code, made.status_code) == (403, 200)


def test_an_identity_is_unique_over_tenants_credentials_and_customers(operator: Caller, stranger: Caller) -> None:
    add(operator)
    login = {"identity": "sipho", "password": "a-password"}
    operator("POST", f"customers/{operator.customer(1)}/identities", json=login)
    codes = [
        stranger("POST", "admin-users", json=USER | {"identity": identity}).status_code
        for identity in ("thembi.nkosi", "sipho", "operator", "somebody.else")
    ]
    taken = operator("POST", f"customers/{operator.customer(2)}/identities", json=login | {"identity": "thembi.nkosi"})
    assert codes == [409, 409, 409, 200]
    assert (taken.status_code, taken.json()[0]["code"]) == (409, "USR004")


def test_the_list_is_paged_without_passwords_and_without_other_tenants(operator: Caller, stranger: Caller) -> None:
    numbers = [add(operator, identity=f"user-{number}") for number in range(5)]
    add(stranger, identity="user-of-the-other")
    pages = [operator("GET", "admin-users", params={"limit": 2, "offset": offset}) for offset in (0, 2, 4, 6)]
    assert [user["adminUserId"] for page in pages for user in page.json()] == numbers
    assert not any("password" in page.text for page in pages)


def test_a_changed_user_logs_in_with_the_new_identity_password_and_positions(
    sandbox: Sandbox, operator: Caller
) -> None:
    path = f"admin-users/{add(operator)}"
    change = {"identity": "thembi.zulu", "password": "another-password", "positions": ["ONBOARDING"]}
    reply = operator("PUT", path, json=change)
    with Caller(sandbox, "thembi.nkosi", "initial-password", 1001) as old:
        assert old.login == {}
    with Caller(sandbox, "thembi.zulu", "another-password", 1001) as new:
        assert new.login["roles"] == ["ONBOARDING"]
    assert (reply.status_code, reply.json()["firstName"]) == (200, "Thembi")
    assert "password" not in reply.text
    assert operator("GET", "admin-users").json() == [reply.json()]


def test_a_change_keeps_the_rules_and_the_old_password(sandbox: Sandbox, operator: Caller, stranger: Caller) -> None:
    path = f"admin-users/{add(operator)}"
    refused = [
        operator("PUT", path, json={"identity": "operator"}),
        operator("PUT", path, json={"phone1": "+27"}),
        stranger("PUT", path, json={"firstName": "Other"}),
        operator("PUT", "admin-users/7", json={"firstName": "Other"}),
    ]
    assert operator("PUT", path, json={"lastName": "Zulu", "identity": "thembi.nkosi"}).json()["lastName"] == "Zulu"
    assert [reply.status_code for reply in refused] == [409, 400, 404, 404]
    with Caller(sandbox, "thembi.nkosi", "initial-password", 1001) as caller:
        assert caller.login
