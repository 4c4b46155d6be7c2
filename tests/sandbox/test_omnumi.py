"""Omnumi over real sockets: credentials, form, uniqueness, catalogue, scenarios, probe, what is stored."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from jobs.sandbox.omnumi.errors import CATALOGUE, FILLED, SCENARIOS
from jobs.sandbox.server import Sandbox

TENANT = "e1e9adb4-d3bd-4ba5-98b8-011c03a9d2b1"
OTHER = "0b6c1f0e-8f0b-4c2b-9d52-6f2a4a1d7c55"
NOTE = orjson.loads((Path(__file__).parent / "omnumi_note.json").read_bytes())
PICTURE = b"\x89PNG not really"


def person(number: int = 1, **members: Any) -> dict[str, Any]:
    """A body that is accepted; a member given as None is left out."""
    body = {
        "tenantId": TENANT,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": f"Person{number}@example.com",
        "phoneNumber": f"2782{number:07d}",
        "dateOfBirth": "1990-01-31",
        "address": address(),
        "governmentDocuments": [{"type": "Passport", "content": base64.b64encode(PICTURE).decode(), "expired": False}],
    }
    return {name: value for name, value in (body | members).items() if value is not None}


def address(**members: str) -> dict[str, str]:
    parts = {"street": "1 Long Street", "city": "Cape Town", "state": "WC", "country": "ZA", "postalCode": "8001"}
    return parts | {"isoCountryCode": "ZA"} | members


class Partner:
    """One partner's calls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.standing = sandbox, sandbox.of("omnumi")
        self.http = httpx.Client(base_url=self.standing.base_url, timeout=10, trust_env=False)
        self.http.headers["access-token"] = "omnumi-access-token"

    def create(self, number: int = 1, **members: Any) -> httpx.Response:
        return self.http.post("/tenant/customer", json=person(number, **members))

    def refusal(self, number: int = 1, **members: Any) -> list[Any]:
        reply = self.create(number, **members)
        assert reply.status_code == 400
        return [error.get("message", error.get("errors")) for error in reply.json()["errors"]]

    def switch(self, **switches: object) -> None:
        self.sandbox.configure(switches={"omnumi": switches})

    def stored(self) -> dict[str, Any]:
        return self.standing.snapshot()


@pytest.fixture
def partner(sandbox: Sandbox) -> Iterator[Partner]:
    caller = Partner(sandbox)
    with caller.http:
        yield caller


def text(name: str) -> str:
    return CATALOGUE[name][1]


def test_the_example_of_the_release_note_is_accepted_and_answered_alike(partner: Partner) -> None:
    reply = partner.http.post("/tenant/customer", json=NOTE["request"])
    told, shown = reply.json()["data"], NOTE["created"]["data"]

    assert reply.status_code == 201
    assert set(told) == set(shown)
    made = {"customerAccountId", "domainNamespace", "gender"}
    assert {name: told[name] for name in told if name not in made} == {
        name: shown[name] for name in shown if name not in made
    }


def test_the_catalogue_is_the_one_of_the_release_note() -> None:
    noted = {(error["type"], error.get("message", error.get("errors"))) for error in NOTE["refused"]["errors"]}
    assert set(CATALOGUE.values()) == noted


def test_a_customer_is_created_under_the_documented_names(partner: Partner) -> None:
    reply = partner.create(selfieContent="face", tax={"country": "ZA"}, customNamespace="ada")
    told = reply.json()["data"]

    assert (reply.status_code, reply.json()["message"]) == (201, "Customer's profile submitted for review")
    assert (told["complianceStatus"], told["faceImage"], told["domainNamespace"]) == (
        "PENDING",
        "face",
        "ada.sandbox.ul",
    )
    assert told["documents"] == person()["governmentDocuments"]
    assert not {"governmentDocuments", "selfieContent", "customNamespace"} & set(told)
    assert [row["customerAccountId"] for row in partner.stored()["customers"]] == [told["customerAccountId"]]


def test_the_state_has_names_and_hashes_but_no_person(partner: Partner) -> None:
    partner.create(customerMetaData={"rowRef": "r-1"}, selfieContent="face!")
    row = partner.stored()["customers"][0]

    hashes = {item["member"]: item for item in row["documents"]}
    assert row["email_sha256"] == hashlib.sha256(b"person1@example.com").hexdigest()
    assert {"customerMetaData.rowRef", "governmentDocuments.0.content", "address.city"} <= set(row["members"])
    assert hashes["governmentDocuments.0.content"]["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert hashes["selfieContent"]["sha256"] is None
    assert not any(word in str(partner.stored()) for word in ("Ada", "Lovelace", "@", "27820000001", "r-1"))


def test_the_journal_names_operation_tenant_and_customer(partner: Partner) -> None:
    account = partner.create().json()["data"]["customerAccountId"]
    entry = partner.sandbox.journal()[-1]

    assert (entry["system"], entry["operation"], entry["credential"]) == ("omnumi", "create_customer", TENANT)
    assert (entry["committed"], entry["customerId"], entry["status"]) == (True, account, 201)
    assert "Lovelace" not in str(entry)


@pytest.mark.parametrize("tenant", [None, "", "1001", 7])
def test_the_tenant_in_the_body_must_be_a_uuid(partner: Partner, tenant: object) -> None:
    reply = partner.create(tenantId=tenant)
    assert (reply.status_code, reply.json()) == (
        400,
        {"errors": [{"type": "catch", "message": text("tenant_invalid")}]},
    )


def test_an_unknown_tenant_has_the_misleading_type(partner: Partner) -> None:
    assert partner.create(tenantId=OTHER).json() == {
        "errors": [{"type": "Duplicate", "message": "No data found with given tenant Id"}]
    }


def test_a_tenant_that_is_blocked_or_not_onboarded_may_not_onboard(partner: Partner) -> None:
    partner.switch(tenants={TENANT: "blocked", OTHER: "IN_REVIEW"})
    assert partner.refusal() == [text("tenant_blocked")]
    assert partner.refusal(tenantId=OTHER) == ["Tenant onboarding status is IN_REVIEW"]


@pytest.mark.parametrize(("strictness", "status"), [("seed", 400), ("vendor", 401)])
def test_the_access_token_is_checked(partner: Partner, strictness: str, status: int) -> None:
    partner.sandbox.configure(strictness=strictness)
    partner.http.headers.update({"access-token": "another", "tenant-id": TENANT})
    assert partner.create().status_code == status
    partner.switch(access_token=False)
    assert partner.create().status_code == 201


def test_the_tenant_header_is_demanded_by_later_versions_only(partner: Partner) -> None:
    assert partner.create(1).status_code == 201
    partner.sandbox.configure(strictness="vendor")
    assert partner.create(2).json() == {"errors": [{"type": "Invalid", "message": "Invalid Tenant Id"}]}
    partner.http.headers["tenant-id"] = TENANT
    assert partner.create(3).status_code == 201


def test_a_tenant_header_must_agree_with_the_body(partner: Partner) -> None:
    partner.http.headers["tenant-id"] = OTHER
    assert partner.refusal() == [text("tenant_invalid")]


@pytest.mark.parametrize("name", ["firstName", "lastName", "email", "phoneNumber", "dateOfBirth", "address"])
def test_a_required_member_is_demanded(partner: Partner, name: str) -> None:
    absent: dict[str, Any] = {name: None}
    error = partner.create(**absent).json()["errors"][0]
    assert error == {"type": "Rule Error", "errors": [{"field": name, "message": "is required"}]}


@pytest.mark.parametrize("name", ["city", "state", "country", "postalCode", "isoCountryCode", "street"])
def test_a_part_of_the_address_is_demanded(partner: Partner, name: str) -> None:
    [errors] = partner.refusal(address=address(**{name: ""}))
    assert errors == [{"field": f"address.{name}", "message": "is required"}]
    assert partner.create(address=address(street="", address1="1 Long Street")).status_code == 201


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"phoneNumber": "+27821234567"}, "phoneNumber"),
        ({"dateOfBirth": "1990-02-30"}, "dateOfBirth"),
        ({"dateOfBirth": "19900131"}, "dateOfBirth"),
        ({"email": "nobody"}, "email"),
        ({"bankAccount": False}, "bankAccount"),
        ({"maritalStatus": 1}, "maritalStatus"),
        ({"customerMetaData": "x"}, "customerMetaData"),
        ({"governmentDocuments": {"content": "x"}}, "governmentDocuments"),
        ({"governmentDocuments": [{"content": "x", "expired": "false"}]}, "governmentDocuments.0.expired"),
        ({"passport": {"validTillDate": "soon"}}, "passport.validTillDate"),
        ({"passport": ""}, "passport"),
        ({"governmentDocuments": [""]}, "governmentDocuments.0"),
        ({"tax": ["ZA"]}, "tax"),
    ],
)
def test_a_member_of_the_wrong_kind_is_a_rule_error(partner: Partner, members: dict[str, Any], field: str) -> None:
    [errors] = partner.refusal(**members)
    assert [error["field"] for error in errors] == [field]
    assert partner.stored()["counts"]["customers"] == 0


@pytest.mark.parametrize("marital", ["married", ["married", "unmarried"]])
def test_marital_status_may_be_text_or_list(partner: Partner, marital: object) -> None:
    reply = partner.create(maritalStatus=marital, unheardOf={"a": 1}, gidDOB="", passport={"validFromDate": ""})
    assert reply.status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"isoCountryCode": "XX"},
        {"isoCountryCode": "za"},
        {"country": "South Africa"},
        {"state": "Western Cape"},
        {"state": "KY"},
    ],
)
def test_country_and_state_are_iso_codes(partner: Partner, wrong: dict[str, str]) -> None:
    assert partner.refusal(address=address(**wrong)) == [text("iso_code")]


@pytest.mark.parametrize(("country", "state"), [("US", "KY"), ("CA", "ON"), ("DE", "BY"), ("GB", "ENG")])
def test_the_state_belongs_to_the_iso_country(partner: Partner, country: str, state: str) -> None:
    assert partner.create(address=address(isoCountryCode=country, state=state)).status_code == 201


@pytest.mark.parametrize(
    "members", [{"governmentDocuments": None}, {"governmentDocuments": [{"content": ""}]}, {"governmentDocuments": []}]
)
def test_documents_must_be_sufficient(partner: Partner, members: dict[str, Any]) -> None:
    assert partner.refusal(**members) == [text("documents")]
    assert partner.create(2, **members, passport={"content": "x"}).status_code == 201
    partner.switch(required_documents=0)
    assert partner.create(3, **members).status_code == 201


def test_an_expired_document_is_not_sufficient(partner: Partner) -> None:
    assert partner.refusal(governmentDocuments=[{"content": "x", "expired": True}]) == [text("documents")]


def test_an_email_is_registered_once_in_any_case(partner: Partner) -> None:
    partner.create()
    reply = partner.create(email="PERSON1@EXAMPLE.COM", phoneNumber="27829999999")
    assert reply.json() == {"errors": [{"type": "onboard", "message": text("email_taken")}]}
    assert partner.stored()["counts"] == {"customers": 1, "doubles": 0, "half": 0}


def test_an_email_of_another_tenant_has_another_type(partner: Partner) -> None:
    partner.standing.plant(email="person1@example.com", tenantId=OTHER)
    assert partner.create().json() == {"errors": [{"type": "Duplicate", "message": text("email_duplicate")}]}


@pytest.mark.parametrize(
    ("name", "entry"), [("customNamespace", "namespace_taken"), ("accountAddress", "address_taken")]
)
def test_namespace_and_account_address_are_unique(partner: Partner, name: str, entry: str) -> None:
    assert partner.create(1, **{name: "0xAbc"}).status_code == 201
    assert partner.refusal(2, **{name: "0xabc"}) == [text(entry)]


def test_a_phone_number_makes_a_wallet_user_only_when_told(partner: Partner) -> None:
    assert [partner.create(number, phoneNumber="27821234567").status_code for number in (1, 2)] == [201, 201]
    partner.switch(wallet_user="phone")
    assert partner.refusal(3, phoneNumber="27821234567") == [text("wallet_user")]


def test_all_broken_rules_are_told_when_asked_for(partner: Partner) -> None:
    partner.create()
    wrong: dict[str, Any] = {"address": address(state="?"), "governmentDocuments": None}
    assert partner.refusal(**wrong) == [text("iso_code")]
    partner.switch(report="all")
    assert partner.refusal(**wrong) == [text("iso_code"), text("email_taken"), text("documents")]


@pytest.mark.parametrize("ending", SCENARIOS)
def test_a_last_name_brings_its_errors_about(partner: Partner, ending: str) -> None:
    names, leaves_record = SCENARIOS[ending]
    reply = partner.create(lastName=f"van {ending.upper()}")

    assert reply.status_code == 400
    assert [error["type"] for error in reply.json()["errors"]] == [CATALOGUE[name][0] for name in names]
    assert partner.stored()["counts"] == {"customers": leaves_record, "doubles": 0, "half": leaves_record}
    assert partner.sandbox.journal()[-1]["committed"] is leaves_record


def test_no_ending_hides_another_one() -> None:
    assert [
        (ending, other) for ending in SCENARIOS for other in SCENARIOS if ending != other and ending.endswith(other)
    ] == []


def test_what_a_refusal_leaves_behind_is_in_the_way(partner: Partner) -> None:
    assert partner.refusal(lastName="Rollback") == ["error in deleting identity"]
    assert partner.refusal(lastName="Rollback") == [text("email_taken")]


def test_a_rule_error_nests_a_list_a_text_or_an_object(partner: Partner) -> None:
    nested = [partner.refusal(lastName=ending)[0] for ending in ("Rulefail", "Rulefailtext", "Rulefailobject")]
    assert [type(value) for value in nested] == [list, str, dict]
    assert all("Person1@example.com" in str(value) for value in nested)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_entry_of_the_catalogue_can_be_forced(partner: Partner, name: str) -> None:
    partner.switch(errors=[name, "documents"], placeholders=True)
    kind, message = CATALOGUE[name]
    member = "errors" if kind == "Rule Error" else "message"
    assert partner.create().json()["errors"][0] == {"type": kind, member: message}
    assert len(partner.refusal()) == 2


def test_placeholders_are_filled_unless_told_otherwise(partner: Partner) -> None:
    partner.switch(errors=list(FILLED))
    assert not {text(name) for name in FILLED} & set(partner.refusal())


def test_the_probe_is_there_when_told_and_names_no_customer(partner: Partner) -> None:
    partner.create(customNamespace="ada", accountAddress="0xA1")
    partner.http.headers["tenant-id"] = TENANT
    query = {"identifierType": "customNamespace", "identifierValue": "ada"}
    assert partner.http.get("/tenant/customer/balance", params=query).status_code == 404
    partner.switch(probes=True)
    asked = [
        partner.http.get("/tenant/customer/balance", params={"identifierType": kind, "identifierValue": value})
        for kind, value in [
            ("customNamespace", "ADA"),
            ("namespace", "ada.sandbox.ul"),
            ("accountAddress", "0xa1"),
            ("namespace", "ada"),
            ("email", "x"),
        ]
    ]
    assert [reply.status_code for reply in asked] == [200, 200, 200, 404, 400]
    assert "customerAccountId" not in asked[0].text


@pytest.mark.parametrize(("method", "path"), [("GET", "/tenant/customer"), ("POST", "/tenant"), ("POST", "/")])
def test_other_paths_are_not_there(partner: Partner, method: str, path: str) -> None:
    reply = partner.http.request(method, path)
    assert (reply.status_code, reply.json()["errors"][0]["type"]) == (404, "fetch")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"x"'])
def test_a_body_that_is_no_object_is_refused(partner: Partner, content: bytes) -> None:
    reply = partner.http.post("/tenant/customer", content=content, headers={"content-type": "application/json"})
    assert reply.status_code == 400


def test_a_record_is_planted_amended_and_deleted(partner: Partner) -> None:
    account = partner.standing.plant(email="a@example.com")["customerAccountId"]
    partner.standing.plant(email="A@example.com", complianceStatus="REJECTED")
    partner.standing.amend("customers", account, complianceStatus="APPROVED")
    assert [row["complianceStatus"] for row in partner.stored()["customers"]] == ["APPROVED", "REJECTED"]
    assert partner.stored()["counts"]["doubles"] == 1
    partner.standing.amend("customers", account, deleted=True)
    assert partner.stored()["counts"]["customers"] == 1
    with pytest.raises(KeyError):
        partner.standing.amend("customers", account, deleted=True)


def test_a_fault_after_the_commit_leaves_the_customer(partner: Partner) -> None:
    fault = {"operation": "create_customer", "match": {"lastName": "Lovelace"}, "kind": "status_after_commit"}
    partner.sandbox.faults([fault | {"params": {"status": 504}, "nth": 1}])
    assert partner.create().status_code == 504
    assert partner.refusal() == [text("email_taken")]


@pytest.mark.parametrize(
    ("switches", "complaint"),
    [
        ({"tenant": {}}, "unknown switch 'tenant'"),
        ({"report": "some"}, "one of first, all"),
        ({"required_documents": True}, "whole number"),
        ({"access_token": "yes"}, "true or false"),
        ({"errors": ["nonsense"]}, "no entry 'nonsense'"),
        ({"errors": "catch"}, "list of texts"),
        ({"tenants": {TENANT: 1}}, "a state is text"),
    ],
)
def test_a_wrong_switch_is_refused_when_it_is_set(partner: Partner, switches: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        partner.switch(**switches)
    with pytest.raises(ValueError, match=complaint):
        Sandbox(switches={"omnumi": switches})
    assert partner.create().status_code == 201


def test_ids_are_the_same_after_a_reset(partner: Partner) -> None:
    first = partner.create().json()["data"]["customerAccountId"]
    partner.sandbox.reset()
    assert partner.stored()["counts"]["customers"] == 0
    assert partner.create().json()["data"]["customerAccountId"] == first
