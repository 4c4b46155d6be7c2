"""Create, uniqueness, search, existence, profile, update."""

from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller, person


def test_a_create_answers_the_record_of_the_page(operator: Caller) -> None:
    reply = operator.create(1)
    body = reply.json()
    sent = person(1)
    del sent["version"]
    assert reply.status_code == 200
    assert isinstance(body.pop("customerId"), int)
    assert body.pop("created").endswith("Z")
    assert body == {**sent, "status": "ACTIVE"}


@pytest.mark.parametrize(
    "members",
    [
        *({name: None} for name in person(1)),
        *({name: ""} for name in ("firstName", "lastName", "email", "nationalIdentityNumber")),
        {"phone1": "+27821234567"},
        {"phone1": "0821234567"},
        {"phone1": "27 82 123 4567"},
        {"phone1": 27821234567},
        {"phone1": "٢٧٨٢١٢٣٤٥٦٧"},
        {"nationalIdentityNumber": 9001015009087},
        {"version": 1},
        {"version": "0"},
        {"version": False},
        {"version": 0.0},
        {"userTypeId": "1"},
        {"userTypeId": True},
        {"externalUniqueId": "short"},
        {"externalUniqueId": "k" * 101},
        {"email": "no-at-sign"},
        {"title": 5},
    ],
    ids=str,
)
def test_a_body_that_breaks_a_rule_is_400_val001_and_not_stored(
    sandbox: Sandbox, operator: Caller, members: dict[str, Any]
) -> None:
    reply = operator.create(1, **members)
    assert (reply.status_code, {error["code"] for error in reply.json()}) == (400, {"VAL001"})
    assert next(iter(members)) in reply.json()[0]["description"]
    assert sandbox.snapshot()["counts"]["customers"] == 0


def test_every_violation_of_a_body_is_named(operator: Caller) -> None:
    reply = operator.create(1, phone1="+27", firstName=None, version=2)
    assert len(reply.json()) == 3


def test_members_that_nobody_knows_are_ignored(operator: Caller) -> None:
    assert operator.create(1, shoeSize=42).status_code == 200


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"NaN", b""])
def test_a_body_that_is_no_json_object_is_400(operator: Caller, content: bytes) -> None:
    operator.headers["Content-Type"] = "application/json"
    reply = operator("POST", "customers", content=content)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "JPE001")


def test_a_body_without_the_json_content_type_is_400(operator: Caller) -> None:
    assert operator("POST", "customers", content=b"{}").status_code == 400


@pytest.mark.parametrize("shared", ["phone1", "nationalIdentityNumber", "externalUniqueId"])
def test_a_second_holder_of_a_unique_member_is_409_usr004(sandbox: Sandbox, operator: Caller, shared: str) -> None:
    operator.create(1)
    reply = operator.create(2, **{shared: person(1)[shared]})
    assert (reply.status_code, reply.json()[0]["code"], reply.json()[0]["type"]) == (409, "USR004", "BUSINESS")
    assert sandbox.snapshot()["counts"]["customers"] == 1


def test_sending_the_same_create_again_is_409_and_makes_no_second(sandbox: Sandbox, operator: Caller) -> None:
    assert [operator.create(1).status_code for _ in range(3)] == [200, 409, 409]
    assert sandbox.snapshot()["counts"]["customers"] == 1


def test_a_key_is_unique_over_tenants_but_a_person_may_be_in_two(operator: Caller, stranger: Caller) -> None:
    operator.create(1)
    assert stranger.create(1).status_code == 409
    assert stranger.create(1, externalUniqueId="cust-of-the-other").status_code == 200


def test_vendor_strictness_adds_lengths_and_enumerations(sandbox: Sandbox, operator: Caller) -> None:
    odd: list[dict[str, Any]] = [
        {"firstName": "Q"},
        {"email": "a@b.co"},
        {"dateOfBirth": "1990-01-01"},
        {"gender": "x"},
    ]
    seed = [operator.create(number, **members).status_code for number, members in enumerate(odd)]
    sandbox.configure(strictness="vendor")
    vendor = [operator.create(number + 10, **members).status_code for number, members in enumerate(odd)]
    assert (seed, vendor) == ([200] * 4, [400] * 4)


@pytest.mark.parametrize("name", ["phone1", "nationalIdentityNumber"])
def test_identity_finds_by_phone_and_by_identity_number(operator: Caller, name: str) -> None:
    operator.create(1)
    operator.create(2)
    rows = operator("GET", "customers", params={"identity": person(2)[name], "limit": 10}).json()
    assert [row["nationalIdentityNumber"] for row in rows] == [person(2)["nationalIdentityNumber"]]
    assert "externalUniqueId" not in rows[0]


def test_filters_narrow_and_unknown_filters_do_not(operator: Caller) -> None:
    operator.create(1, "Nkosi")
    operator.create(2, "Nkosi", firstName="Thembi")
    operator.create(3, "Zulu")

    def found(**params: str) -> int:
        return len(operator("GET", "customers", params=params).json())

    assert found(firstName="Thembi", lastName="Nkosi") == 1
    assert found(lastName="nkosi") == 2
    assert found(nationalIdentityNumber=person(3)["nationalIdentityNumber"]) == 1
    assert found(identity=person(3)["phone1"], lastName="Nkosi") == 0
    assert found(externalUniqueId="cust-00000003") == 3


def test_pages_cover_all_customers_once(operator: Caller) -> None:
    for number in range(7):
        operator.create(number)
    pages = [operator("GET", "customers", params={"limit": 3, "offset": offset}).json() for offset in (0, 3, 6, 9)]
    ids = [row["customerId"] for page in pages for row in page]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("limit", ["-1", "x", "²", "1.5"])
def test_a_limit_that_is_no_number_is_400(operator: Caller, limit: str) -> None:
    assert operator("GET", "customers", params={"limit": limit}).status_code == 400


PAPERS = {"passportNumber": "A1234567", "asylumRefNumber": "ASY-12345"}


@pytest.mark.parametrize("name", ["phone1", "email", "nationalIdentityNumber", *PAPERS])
def test_head_finds_by_each_filter_alone(operator: Caller, name: str) -> None:
    operator.create(1, **PAPERS)
    held = person(1, **PAPERS)[name]
    codes = [operator("HEAD", "customers", params={name: value}).status_code for value in (held, f"{held}0", "none")]
    assert codes == [200, 404, 404]


def test_head_identity_finds_by_phone_identity_number_and_login(operator: Caller) -> None:
    login = {"identity": "sipho.dlamini", "password": "a-password"}
    operator("POST", f"customers/{operator.customer(1)}/identities", json=login)
    values = (person(1)["phone1"], person(1)["nationalIdentityNumber"], "sipho.dlamini", person(2)["phone1"])
    codes = [operator("HEAD", "customers", params={"identity": value}).status_code for value in values]
    assert codes == [200, 200, 200, 404]


@pytest.mark.parametrize("query", [{}, {"limit": "1"}, {"lastName": "Dlamini"}], ids=str)
def test_head_without_a_filter_of_its_own_is_400(operator: Caller, query: dict[str, str]) -> None:
    operator.create(1)
    assert operator("HEAD", "customers", params=query).status_code == 400


def test_head_finds_no_customer_of_another_tenant(operator: Caller, stranger: Caller) -> None:
    operator.create(1)
    assert stranger("HEAD", "customers", params={"phone1": person(1)["phone1"]}).status_code == 404


OPTIONAL = {
    "title": "MR",
    "middleName": "Themba",
    "maidenName": "Nkosi",
    "dateOfBirth": "19900101",
    "gender": "M",
    "maritalStatus": "S",
    "locale": "en",
    "language": "en",
    "birthCity": "Durban",
    "birthCountry": "ZA",
    "countryOfResidence": "ZA",
    "industry": "Retail",
    "additionalIdentity": "ID-98765",
    **PAPERS,
    "passportIssuingCountry": "ZA",
    "passportIssueDate": "20200101",
    "passportExpiry": "20300101",
    "asylumIssueDate": "20200101",
    "asylumExpiry": "20300101",
}


def test_optional_members_are_stored_and_shown_by_the_vendors_profile(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(strictness="vendor")
    customer = operator.create(1, **OPTIONAL).json()["customerId"]
    profile = operator("GET", f"customers/{customer}").json()
    assert {name: profile.get(name) for name in OPTIONAL} == OPTIONAL


@pytest.mark.parametrize(("settings", "shown"), [({}, False), ({"strictness": "vendor"}, True)])
def test_the_profile_shows_the_key_only_where_the_vendor_pages_do(
    sandbox: Sandbox, operator: Caller, settings: dict[str, Any], shown: bool
) -> None:
    customer = operator.customer(1)
    sandbox.configure(**settings)
    assert ("externalUniqueId" in operator("GET", f"customers/{customer}").json()) is shown
    sandbox.configure(show_external_ids=not shown)
    assert ("externalUniqueId" in operator("GET", f"customers/{customer}").json()) is not shown


def test_an_update_replaces_members_and_keeps_the_search_true(operator: Caller) -> None:
    customer = operator.customer(1)
    operator.customer(2)
    reply = operator("PUT", f"customers/{customer}", json={"phone1": "27830000001", "version": 0})
    taken = operator("PUT", f"customers/{customer}", json={"phone1": person(2)["phone1"]})
    stale = operator("PUT", f"customers/{customer}", json={"firstName": "Late", "version": 0})
    assert [reply.status_code, taken.status_code, stale.status_code] == [200, 409, 409]
    assert operator("GET", "customers", params={"identity": person(1)["phone1"]}).json() == []
    assert len(operator("GET", "customers", params={"identity": "27830000001"}).json()) == 1


def test_many_customers_are_created_without_growing_slower(sandbox: Sandbox) -> None:
    store, visited = sandbox.state, 0

    class Watched(dict[int, Any]):
        def values(self) -> Any:
            nonlocal visited
            visited += 1
            return super().values()

    store.customers = Watched(store.customers)
    for number in range(2000):
        sandbox.plant(**person(number))
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
        assert caller.create(5000).status_code == 200
        assert caller.create(7).status_code == 409
    assert visited == 0
