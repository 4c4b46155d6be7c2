"""Verifications by last name, eligibility, wallets."""

from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller, person


def statuses(caller: Caller, customer: int, reads: int) -> list[str]:
    first = caller("POST", f"customers/{customer}/ratify", json={}).json()["status"]
    path = f"customers/{customer}/ratify?offset=0&limit=1"
    return [first, *(caller("GET", path).json()[0]["status"] for _ in range(reads))]


@pytest.mark.parametrize(
    ("last_name", "expected"),
    [
        ("Dlamini", ["PASSED"] * 5),
        ("Nkosi-Kycfail", ["FAILED"] * 5),
        ("Kycslow", ["PENDING", "PENDING", "PENDING", "PASSED", "PASSED"]),
        ("KYCSLOW", ["PENDING", "PENDING", "PENDING", "PASSED", "PASSED"]),
        ("van der Kycslowfail", ["PENDING", "PENDING", "PENDING", "FAILED", "FAILED"]),
        ("Kycstuck", ["PENDING"] * 5),
        ("Kycodd", ["REFERRED"] * 5),
        ("Kycfailure", ["PASSED"] * 5),
        ("Kycsecond", ["FAILED"] * 5),
        ("Nodocument", ["FAILED"] * 5),
        ("Twowallets", ["PASSED"] * 5),
    ],
)
def test_the_end_of_the_last_name_decides_the_verification(
    operator: Caller, last_name: str, expected: list[str]
) -> None:
    customer = operator.customer(1, last_name)
    assert statuses(operator, customer, 4) == expected


def test_the_number_of_polls_is_a_setting(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(kyc_polls=0)
    customer = operator.customer(1, "Kycslow")
    assert statuses(operator, customer, 1) == ["PENDING", "PASSED"]


def test_a_failed_verification_names_its_check_in_both_shapes(operator: Caller) -> None:
    customer = operator.customer(1, "Kycfail")
    result = operator("POST", f"customers/{customer}/ratify", json={"type": "NORMAL"}).json()
    assert result["sanctionsListCheck"] == {"result": "FAILED", "checked": True, "passed": False, "pending": False}
    assert result["nationalIdentityIsLegitimate"]["passed"] is True


def test_the_checks_can_be_limited(operator: Caller) -> None:
    path = f"customers/{operator.customer(1)}/ratify"
    result = operator("POST", path, json={"checksToRun": ["ofacCheck"]}).json()
    assert set(result) == {"status", "lastModified", "ofacCheck"}
    assert operator("POST", path, json={"checksToRun": ["noSuchCheck"]}).status_code == 400
    assert operator("POST", path, json={"type": "SOME"}).status_code == 400


def test_kycsecond_passes_when_it_is_triggered_again(operator: Caller) -> None:
    path = f"customers/{operator.customer(1, 'Kycsecond')}/ratify"
    assert [operator("POST", path, json={}).json()["status"] for _ in range(2)] == ["FAILED", "PASSED"]
    assert [run["status"] for run in operator("GET", path).json()] == ["PASSED", "FAILED"]


def test_nodocument_passes_when_a_photo_and_an_identity_document_are_there(operator: Caller) -> None:
    path = f"customers/{operator.customer(1, 'Nodocument')}"
    results = [operator("POST", f"{path}/ratify", json={}).json()]
    for kind in ("FACIAL_PHOTO", "NATIONAL_IDENTITY"):
        body = {"base64EncodedDocument": "QUJD", "documentType": kind, "mediaType": "image/jpeg"}
        operator("POST", f"{path}/documents", json=body)
        results.append(operator("POST", f"{path}/ratify", json={}).json())
    assert [result["status"] for result in results] == ["FAILED", "FAILED", "PASSED"]
    assert results[0]["selfieMatchesNationalIdentity"]["result"] == "FAILED"
    assert results[0]["sanctionsListCheck"]["result"] == "PASSED"


@pytest.mark.parametrize(("last_name", "status"), [("Nodocument", "PASSED"), ("Kycfail", "FAILED")])
def test_a_check_that_did_not_run_is_neither_shown_nor_failed(operator: Caller, last_name: str, status: str) -> None:
    path = f"customers/{operator.customer(1, last_name)}/ratify"
    result = operator("POST", path, json={"checksToRun": ["ofacCheck", "euCheck"]}).json()
    assert set(result) == {"status", "lastModified", "ofacCheck", "euCheck"}
    assert (result["status"], result["ofacCheck"]["result"]) == (status, status)


def test_the_state_shows_the_types_of_verifications(sandbox: Sandbox, operator: Caller) -> None:
    path = f"customers/{operator.customer(1)}/ratify"
    for body in ({}, {"type": "COMPARISON"}, {"type": "NORMAL"}):
        operator("POST", path, json=body)
    assert sandbox.snapshot()["customers"][0]["verificationTypes"] == ["NORMAL", "COMPARISON", "NORMAL"]


def test_an_empty_body_runs_the_default_checks(operator: Caller) -> None:
    path = f"customers/{operator.customer(1)}/ratify"
    assert operator("GET", path).json() == []
    assert operator("POST", path).json()["status"] == "PASSED"


def test_running_again_on_passed_starts_over_and_history_is_newest_first(operator: Caller) -> None:
    customer = operator.verified(1)
    assert operator("POST", f"customers/{customer}/ratify", json={}).json()["status"] == "PENDING"
    history = operator("GET", f"customers/{customer}/ratify").json()
    assert [run["status"] for run in history] == ["PENDING", "PASSED"]
    assert operator.wallet(customer).status_code == 400


def test_wallet_types_are_allowed_only_after_passed(operator: Caller) -> None:
    customer = operator.customer(1)
    path = f"customers/{customer}/wallet-types"
    before = operator("GET", path).json()
    operator("POST", f"customers/{customer}/ratify", json={})
    assert [kind["allowed"] for kind in before] == [False, False]
    assert operator("GET", path).json() == [
        {"walletTypeId": 5001, "allowed": True},
        {"walletTypeId": 5002, "allowed": False},
    ]


def test_nowallet_passes_without_an_allowed_type(operator: Caller) -> None:
    customer = operator.customer(1, "Nowallet")
    assert operator("POST", f"customers/{customer}/ratify", json={}).json()["status"] == "PASSED"
    kinds = operator("GET", f"customers/{customer}/wallet-types").json()
    assert not any(kind["allowed"] for kind in kinds)
    assert operator.wallet(customer).status_code == 400


def test_refused_is_a_business_refusal_of_the_create(sandbox: Sandbox, operator: Caller) -> None:
    reply = operator.create(1, "Refused")
    assert (reply.status_code, reply.json()[0]["code"], reply.json()[0]["type"]) == (400, "VAL001", "BUSINESS")
    assert sandbox.snapshot()["counts"]["customers"] == 0


def test_a_wallet_is_answered_listed_and_read(sandbox: Sandbox, operator: Caller) -> None:
    customer = operator.verified(1)
    made = operator.wallet(customer).json()
    assert {name: made[name] for name in ("customerId", "walletTypeId", "currency", "status")} == {
        "customerId": customer,
        "walletTypeId": 5001,
        "currency": "ZAR",
        "status": "ACTIVE",
    }
    assert made["name"] == "Primary Wallet"
    listed = operator("GET", f"customers/{customer}/wallets").json()
    assert listed == [operator("GET", f"wallets/{made['walletId']}").json()]
    assert listed[0]["externalUniqueId"] == "wal-000001"
    sandbox.configure(show_wallet_external_ids=False)
    assert "externalUniqueId" not in operator("GET", f"customers/{customer}/wallets").json()[0]


@pytest.mark.parametrize("keys", [True, False])
def test_the_platform_may_open_wallets_by_itself(sandbox: Sandbox, operator: Caller, keys: bool) -> None:
    sandbox.configure(own_wallets=[5001, 7], own_wallet_keys=keys)
    customer = operator.verified(1)
    own = operator("GET", f"customers/{customer}/wallets").json()
    assert [(wallet["walletTypeId"], wallet["currency"]) for wallet in own] == [(5001, "ZAR"), (7, "ZAR")]
    assert ["externalUniqueId" in wallet for wallet in own] == [keys, keys]
    assert operator.wallet(customer).status_code == 200
    assert [wallet["walletTypeId"] for wallet in operator("GET", f"customers/{customer}/wallets").json()] == [
        5001,
        7,
        5001,
    ]


def test_results_may_be_listed_oldest_first(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(kyc_newest_first=False)
    path = f"customers/{operator.customer(1, 'Kycsecond')}/ratify"
    for _ in range(2):
        operator("POST", path, json={})
    assert [run["status"] for run in operator("GET", f"{path}?offset=0&limit=1").json()] == ["FAILED"]
    assert [run["status"] for run in operator("GET", path).json()] == ["FAILED", "PASSED"]


def test_twowallets_may_have_a_wallet_of_each_type(operator: Caller) -> None:
    customer = operator.customer(1, "Twowallets")
    operator("POST", f"customers/{customer}/ratify", json={})
    kinds = operator("GET", f"customers/{customer}/wallet-types").json()
    made = [operator.wallet(customer, f"wal-{kind}", walletTypeId=kind) for kind in (5001, 5002)]
    listed = operator("GET", f"customers/{customer}/wallets").json()
    assert [kind["allowed"] for kind in kinds] == [True, True]
    assert [reply.status_code for reply in made] == [200, 200]
    assert [wallet["walletTypeId"] for wallet in listed] == [5001, 5002]


@pytest.mark.parametrize("currency", ["ZAR", "EUR", "USD", "JPY", "XOF"])
def test_a_wallet_may_be_in_any_currency(operator: Caller, currency: str) -> None:
    assert operator.wallet(operator.verified(1), currency=currency).json()["currency"] == currency


@pytest.mark.parametrize("last_name", ["Kycfail", "Kycstuck", "Kycodd"])
def test_no_wallet_without_passed(sandbox: Sandbox, operator: Caller, last_name: str) -> None:
    customer = operator.customer(1, last_name)
    before = operator.wallet(customer)
    operator("POST", f"customers/{customer}/ratify", json={})
    after = operator.wallet(customer)
    assert [(reply.status_code, reply.json()[0]["type"]) for reply in (before, after)] == [(400, "BUSINESS")] * 2
    assert "KYC" in after.json()[0]["description"]
    assert sandbox.snapshot()["counts"]["wallets"] == 0


@pytest.mark.parametrize(
    "members",
    [
        {"walletTypeId": "5001"},
        {"walletTypeId": 5002},
        {"walletTypeId": 9},
        {"currency": "zar"},
        {"currency": "ZZZ"},
        {"currency": "XAU"},
        {"currency": 710},
        {"status": "INACTIVE"},
        {"status": None},
        {"version": 1},
        {"version": None},
        {"externalUniqueId": None},
        {"externalUniqueId": "short"},
    ],
    ids=str,
)
def test_a_wallet_that_breaks_a_rule_is_400(sandbox: Sandbox, operator: Caller, members: dict[str, Any]) -> None:
    reply = operator.wallet(operator.verified(1), **members)
    assert reply.status_code == 400
    assert sandbox.snapshot()["counts"]["wallets"] == 0


def test_a_wallet_key_is_unique_also_against_customers(operator: Caller) -> None:
    customer = operator.verified(1)
    keys = ["wal-000001", "wal-000001", person(1)["externalUniqueId"]]
    assert [operator.wallet(customer, key).status_code for key in keys] == [200, 409, 409]


def test_another_tenants_wallet_is_404(operator: Caller, stranger: Caller) -> None:
    wallet = operator.wallet(operator.verified(1)).json()["walletId"]
    assert stranger("GET", f"wallets/{wallet}").status_code == 404
