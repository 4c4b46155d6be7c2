"""One file that shows every outcome, as section 5 of the contract words them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Ended, Muster, standing, writes
from .people import Row, identity_number, person, record

TAKEN_KEY = "cust-key-of-somebody"

ENDINGS: list[tuple[Row, str, str]] = [
    (person(1), "onboarded", ""),
    (person(2, "Kycfail"), "declined", "kyc_failed"),
    (person(3, "Kycstuck"), "pending", "decision"),
    (person(4, "Kycslow"), "onboarded", ""),
    (person(5, "Nowallet"), "not_eligible", "no_wallet_type"),
    (person(6, wallet_type_id="5002"), "not_eligible", "wallet_type_not_allowed"),
    (person(7, "Refused"), "rejected", "refused_by_target"),
    (person(8), "conflict", "phone_taken"),
    (person(9), "conflict", "identity_taken"),
    (person(10), "conflict", "same_person"),
    (person(11), "conflict", "unproven"),
    (person(12, external_unique_id=TAKEN_KEY), "conflict", "key_taken"),
    (person(13), "conflict", "ambiguous"),
    (person(14, phone="12345"), "quarantined", "phone_invalid:phone"),
    (person(15, email=""), "quarantined", "missing:email"),
    (person(1), "quarantined", "duplicate_in_file:external_unique_id"),
    (person(16, "Kycslowfail"), "declined", "kyc_failed"),
    (person(17, "Kycodd"), "pending", "decision"),
    (person(18, wallet_type_id="5001"), "onboarded", ""),
]


def planted(sandbox: Sandbox) -> None:
    """The strangers that the conflicts are about."""
    sandbox.plant(**record(person(8), nationalIdentityNumber=identity_number(108), firstName="Somebody"))
    sandbox.plant(**record(person(9), phone1="27824000109", firstName="Somebody"))
    sandbox.plant(**record(person(10), externalUniqueId="cust-another-key"))
    sandbox.plant(**record(person(11), externalUniqueId="cust-hidden-key"))
    sandbox.plant(**record(person(112), externalUniqueId=TAKEN_KEY))
    sandbox.plant(**record(person(13), externalUniqueId="cust-first-twin"))
    sandbox.plant(**record(person(13), externalUniqueId="cust-second-twin"))


@pytest.fixture
def strangers(sandbox: Sandbox) -> dict[int, tuple[dict[str, object], str, int]]:
    planted(sandbox)
    return records(sandbox)


def records(sandbox: Sandbox) -> dict[int, tuple[dict[str, object], str, int]]:
    """What must not change: members, status and number of verifications and wallets of each customer."""
    return {
        number: (dict(each.fields), each.status, each.version + len(each.verifications) + len(each.wallets))
        for number, each in sandbox.state.customers.items()
    }


@pytest.mark.few(1)
@pytest.mark.parametrize("keys_shown", [True, False], ids=["keys shown", "keys hidden"])
def test_each_row_ends_as_the_contract_says(
    muster: Muster,
    sandbox: Sandbox,
    strangers: dict[int, tuple[dict[str, object], str, int]],
    file_of: Callable[[list[Row]], Path],
    keys_shown: bool,
) -> None:
    sandbox.configure(show_external_ids=keys_shown)
    ended = muster("run", file_of([row for row, _, _ in ENDINGS]))
    expected = [(outcome, reason) for _, outcome, reason in ENDINGS]
    if keys_shown:
        expected[10] = ("conflict", "same_person")
    else:
        expected[9] = ("conflict", "unproven")
    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == expected
    assert ended.code == 1
    kept = {number: found for number, found in records(sandbox).items() if number in strangers}
    assert kept == strangers


@pytest.fixture
def ended(
    muster: Muster,
    strangers: dict[int, tuple[dict[str, object], str, int]],
    file_of: Callable[[list[Row]], Path],
) -> Ended:
    return muster("run", file_of([row for row, _, _ in ENDINGS]))


def test_each_outcome_names_what_a_person_needs(ended: Ended) -> None:
    rows = ended.rows
    assert rows[0]["customer_origin"] == "created"
    assert rows[0]["wallet_id"]
    assert rows[0]["attempts"] == "3"
    assert (rows[1]["decision_status"], rows[1]["failed_checks"]) == ("FAILED", "sanctionsListCheck")
    assert rows[1]["wallet_id"] == ""
    assert (rows[6]["http_status"], rows[6]["error_code"], rows[6]["failed_step"]) == ("400", "VAL001", "customer")
    assert rows[6]["trace_id"]
    assert [row["source_row"] for row in rows] == [str(number) for number in range(1, len(ENDINGS) + 1)]
    assert all(row["attempts"] == "0" for row in rows if row["reason_code"] in {"phone_taken", "unproven", "ambiguous"})


def test_no_wallet_without_a_pass_and_no_customer_without_a_reason(ended: Ended, sandbox: Sandbox) -> None:
    onboarded = {row["national_id"] for row, outcome, _ in ENDINGS if outcome == "onboarded"}
    for row, _, _ in ENDINGS:
        held = standing(sandbox, row["national_id"])
        if row["national_id"] in onboarded:
            assert held == ONE_OF_EACH, row["row_ref"]
        else:
            assert held.wallets == 0, row["row_ref"]
    passed = {each.customer_id for each in sandbox.state.customers.values() if each.kyc == "PASSED"}
    assert {each.customer_id for each in sandbox.state.wallets.values()} <= passed


def test_totals_come_out_the_same_in_every_file(ended: Ended, sandbox: Sandbox) -> None:
    summary = ended.summary
    assert {name: count for name, count in summary["outcomes"].items() if count} == dict(ended.counts)
    assert all(equation["ok"] for equation in summary["equations"])
    assert summary["requests"]["mutating"] == len(writes(sandbox))
    assert sum(summary["requests"]["by_method"].values()) == len(sandbox.journal())
    assert {line["class"] for line in ended.reconciliation} == {"match", "not_sent"}
