"""A file of rows against a bank behind bLink, over sockets: what each row ends as, and what the bank then holds."""

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import REPOSITORY, Muster

from .blink import (
    ADDRESS,
    CONTACTS,
    ENDINGS,
    WRITES,
    Filed,
    committed,
    configure,
    counts,
    each_or_slow,
    only,
    row,
    strangers,
)
from .blink import muster as muster


def test_a_customer_is_linked_and_its_contacts_and_address_are_made_as_given(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    ended = muster("run", file_of([row(1), row(2), only(3)]))
    assert ended.outcomes == ["onboarded", "onboarded", "already_onboarded"]
    assert [line["customer_id"] for line in ended.rows] == ["C-0001", "C-0002", "C-0003"]
    assert {line["customer_origin"] for line in ended.rows} == {"adopted"}
    assert [line["attempts"] for line in ended.rows] == ["3", "3", "0"]
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert counts(sandbox) == {"contacts": 44, "doubleContacts": 0, "addresses": 21}
    assert sorted(committed(sandbox)) == ["create_address", *["create_contact"] * 4, "update_address"]
    assert ended.code == 0


@pytest.mark.few(1)
@pytest.mark.parametrize("forgotten", [False, True], ids=["the ledger knows", "another ledger"])
def test_a_second_run_changes_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed, forgotten: bool) -> None:
    path = file_of([row(1), row(2)])
    muster("run", path)
    before, after = counts(sandbox), len(sandbox.journal())
    again = muster("run", path, *(("--ledger", "sqlite:///other.db") if forgotten else ()))
    assert again.outcomes == ["already_onboarded"] * 2
    assert (again.code, counts(sandbox), committed(sandbox, after)) == (0, before, [])


def test_what_is_so_already_is_not_sent(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    contacts = [
        {"medium": "email", "contactMediumType": "private", "contactContent": " New.Address.77@Example.com"},
        {"medium": "phone", "contactContent": "079 200 00 77"},
    ]
    place = {"streetName": "Seestrasse", "buildingNumber": "77", "postCode": "8002", "townName": "ZOLLIKERBERG"}
    sandbox.of("blink").plant(
        customerIdentification="C-0077",
        persons=[{"personIdentification": "P-0077", "contacts": contacts}],
        addresses=[{"postalAddress": {"physicalAddress": place | {"country": "CH"}}}],
    )
    ended = muster("run", file_of([row(77)]))
    assert (ended.outcomes, ended.code) == (["already_onboarded"], 0)
    assert committed(sandbox) == []
    assert [line["class"] for line in ended.reconciliation] == ["match"]


def test_each_row_ends_for_its_own_reason(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    strangers(sandbox)
    ended = muster("run", file_of([given for given, _, _ in ENDINGS]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [ending[1:] for ending in ENDINGS]
    assert {line["class"] for line in ended.reconciliation} == {"match", "not_sent"}
    refused = ended.rows[7]
    assert (refused["http_status"], refused["error_code"], refused["failed_step"]) == (
        "400",
        "invalidPayload",
        "contact_email",
    )
    sent = [entry for entry in sandbox.journal() if entry["operation"] == "create_contact" and entry["status"] == 400]
    assert len(sent) == 1
    assert len(refused["trace_id"]) == 32
    assert all(equation["ok"] for equation in ended.summary["equations"])


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("missing", "status"),
    each_or_slow(
        [(missing, status) for missing in (*WRITES, "list_contacts") for status in ("501", "405")],
        {("create_contact", "501"), ("update_address", "405"), ("list_contacts", "405")},
    ),
)
def test_what_the_bank_does_not_offer_ends_only_rows_that_ask_for_it(
    muster: Muster, sandbox: Sandbox, file_of: Filed, missing: str, status: str
) -> None:
    operations = {"healthcheck", "list_customers", "get_customer", "list_contacts", "create_contact"}
    operations |= {"get_address", "update_address", "create_address"}
    configure(sandbox, offers=sorted(operations - {missing}), not_offered=status)
    asks = CONTACTS[:2] if "contact" in missing else ADDRESS
    first = 1 if missing == "update_address" else 2
    ended = muster("run", file_of([only(first, *asks), only(6), only(first + 2, *asks)]), "--concurrency", "1")
    assert ended.outcomes == ["rejected", "already_onboarded", "rejected"]
    assert {line["reason_code"] for line in ended.rows} == {"not_offered", ""}
    tried = [entry for entry in sandbox.journal() if entry["operation"] == missing and entry["method"] != "GET"]
    assert len(tried) == (missing != "list_contacts")
    assert committed(sandbox) == []


@pytest.mark.few(1)
@pytest.mark.parametrize("path", ["seed", "plural"])
def test_a_bank_with_one_spelling_of_the_path_is_understood(
    muster: Muster, sandbox: Sandbox, file_of: Filed, path: str
) -> None:
    configure(sandbox, addresses_path=path)
    ended = muster("run", file_of([only(number, *ADDRESS, **row(number)) for number in range(1, 5)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 4)
    assert counts(sandbox)["addresses"] == 22


@pytest.mark.few(1)
@pytest.mark.parametrize("header", ["nextCursor", "X-Next-Cursor"])
def test_many_customers_are_listed_once(muster: Muster, sandbox: Sandbox, file_of: Filed, header: str) -> None:
    configure(sandbox, cursor_header=header, cursor_end="empty", page_size=15)
    ended = muster("run", file_of([only(number) for number in range(1, 41)]))
    assert (ended.code, set(ended.outcomes)) == (0, {"already_onboarded"})
    calls = [entry["operation"] for entry in sandbox.journal()]
    assert calls[: calls.index("token", 1)].count("list_customers") == 3


def test_a_list_without_an_end_proves_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, cursor_loop=True)
    ended = muster("run", file_of([{"row_ref": "r-1", "external_reference": "X-none"}]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("failed", "read_failed")]
    assert "twice" in ended.rows[0]["reason"]


@pytest.mark.slow
def test_the_sample_file_is_valid_and_ends_well(muster: Muster) -> None:
    sample = REPOSITORY / "sample_data" / "blink_10.csv"
    ended = muster("run", sample)
    assert (ended.code, len(ended.rows)) == (0, 10)
    assert set(ended.outcomes) == {"onboarded", "already_onboarded"}
