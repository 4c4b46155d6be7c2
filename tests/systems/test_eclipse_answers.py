"""What Eclipse answers is compared with what was asked for: nothing about somebody else, and no non-id, is believed."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs.folded import same_phone
from jobs.ledger.packed import pack, unpack
from jobs.sandbox.eclipse.kyc import CHECKS, Verification
from jobs.sandbox.server import Sandbox
from tests.flow.muster import ONE_OF_EACH, Muster, arrivals, lines, standing, writes
from tests.flow.people import MEMBERS, Row, person, record

Filed = Callable[[list[Row]], Path]
Body = dict[str, object]

pytestmark = pytest.mark.usefixtures("hasty")


def answered(operation: str, row: Row, body: object, kind: str = "status", **rule: object) -> dict[str, object]:
    """A fault rule: `operation` about the row's customer is answered with 200 and `body`."""
    params = {"status": 200, "body": body}
    return {"operation": operation, "match": {"lastName": row["last_name"]}, "kind": kind, "params": params, **rule}


def named(count: int) -> list[Row]:
    """Rows that fault rules can tell apart by their last name."""
    return [person(number, f"Nkosi-{number}") for number in range(1, count + 1)]


STRANGER = person(99, "Stranger")

ANSWERS: list[Body] = [
    {"phone1": STRANGER["phone"]},
    {"phone1": 27},
    {"nationalIdentityNumber": STRANGER["national_id"]},
    {"externalUniqueId": "cust-of-another"},
    {"externalUniqueId": False},
    {"phone1": None, "nationalIdentityNumber": "", "firstName": "Somebody"},
]
"""What makes the answer to a create one about somebody else, or about nobody in particular."""

IDS = ["0", "-1", '""', "7.5", "true", "1e400", "1" * 30, '"0"', '"null"', "null", "[7]"]


@pytest.mark.few(1)
@pytest.mark.parametrize("strictness", ["seed", "vendor"])
def test_a_create_that_is_answered_about_somebody_else_is_settled_by_reading_before_anything_follows(
    muster: Muster, sandbox: Sandbox, file_of: Filed, strictness: str
) -> None:
    sandbox.configure(strictness=strictness)
    stranger = sandbox.plant(**record(STRANGER))
    rows = named(len(ANSWERS))
    bodies = [{"customerId": stranger, **record(row), **answer} for row, answer in zip(rows, ANSWERS, strict=True)]
    sandbox.faults(
        [
            answered("create_customer", row, body, "status_after_commit", nth=1)
            for row, body in zip(rows, bodies, strict=True)
        ]
    )
    ended = muster("run", file_of(rows))
    assert ended.outcomes == ["onboarded"] * len(rows)
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * len(rows)
    assert str(stranger) not in {entry["customerId"] for entry in writes(sandbox)} | {
        row["customer_id"] for row in ended.rows
    }


def test_what_names_nobody_is_no_id_of_a_customer(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = named(len(IDS))
    texts = [json.dumps(record(row))[:-1] + f', "customerId": {spelt}}}' for row, spelt in zip(rows, IDS, strict=True)]
    sandbox.faults(
        [
            answered("create_customer", row, text, "status_after_commit", nth=1)
            for row, text in zip(rows, texts, strict=True)
        ]
    )
    ended = muster("run", file_of(rows))
    assert ended.outcomes == ["onboarded"] * len(rows)
    assert {row["customer_id"] for row in ended.rows} == {str(number) for number in sandbox.state.customers}


def test_an_answer_that_is_delivered_twice_gives_nobody_somebody_elses_customer(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": [2, 3], "kind": "previous_answer"}])
    rows = named(3)
    ended = muster("run", file_of(rows), "--concurrency", "1")
    assert ended.outcomes == ["onboarded"] * 3
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 3
    assert len({row["customer_id"] for row in ended.rows}) == 3


def test_an_id_that_another_row_got_is_given_to_no_second_one(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    first, second = named(2)
    (taken,) = (row["customer_id"] for row in muster("run", file_of([first])).rows)
    body = {"customerId": int(taken), **record(second)}
    sandbox.faults([answered("create_customer", second, body, "status_after_commit", nth=1)])
    ended = muster("run", file_of([first, second]))
    assert ended.outcomes == ["already_onboarded", "onboarded"]
    assert ended.rows[1]["customer_id"] != taken
    assert standing(sandbox, first["national_id"]) == ONE_OF_EACH


def ours(sandbox: Sandbox, muster: Muster, file_of: Filed, row: Row) -> None:
    """The row's customer is at the target from an earlier run, and this ledger knows nothing of it."""
    muster("run", file_of([row]), "--ledger", "sqlite:///earlier.db")


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["get_customer", "list_wallets", "read_kyc", "wallet_types"])
def test_a_read_that_is_about_another_customer_is_neither_adopted_nor_followed_by_a_write(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    sandbox.configure(show_external_ids=True)
    row = person(1)
    other: Body = {**record(row), "customerId": 7, "status": "PASSED", "walletTypeId": 5001, "allowed": True}
    if operation in {"get_customer", "read_kyc"}:
        ours(sandbox, muster, file_of, row)
    before = arrivals(sandbox)
    body = other if operation == "get_customer" else [other]
    sandbox.faults([answered(operation, row, body)])
    ended = muster("run", file_of([row]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("failed", "read_failed")]
    forbidden = {"get_customer": "create_customer", "read_kyc": "trigger_kyc"}.get(operation, "create_wallet")
    assert forbidden not in {entry["operation"] for entry in writes(sandbox, before)}
    sandbox.faults([])
    assert set(muster("retry", ended.folder.name).outcomes) <= {"onboarded", "already_onboarded"}
    assert standing(sandbox, row["national_id"]) == ONE_OF_EACH


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["get_customer", "list_wallets"])
def test_a_reconciliation_compares_no_row_with_another_customer(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    rows = named(2)
    ended = muster("run", file_of(rows))
    sandbox.faults([{"operation": operation, "nth": 2, "kind": "previous_answer"}])
    assert muster("reconcile", "run-1", "--concurrency", "1").code == 1
    (found,) = ended.folder.glob("reconcile-*/reconciliation.csv")
    assert sorted(line["class"] for line in lines(found)) == ["match", "unverified"]


def test_a_hit_without_an_id_is_no_proof_that_nobody_is_there(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    row = person(1)
    hit = {"operation": "search_customers", "kind": "status"}
    sandbox.faults([{**hit, "params": {"status": 200, "body": [{**record(row), "customerId": 0}]}}])
    ended = muster("run", file_of([row]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("failed", "read_failed")]
    assert writes(sandbox) == []


@pytest.mark.parametrize(
    "theirs", ["+27 82 400 0001", "0027824000001", "082-400-0001", "(082) 400.0001", "27824000001"]
)
def test_a_phone_is_the_same_in_every_spelling(theirs: str) -> None:
    assert same_phone("27824000001", theirs)


@pytest.mark.parametrize("theirs", ["27824000002", "0824000002", "824000001", "", None, "4000001", "+49824000001"])
def test_another_phone_is_another(theirs: str | None) -> None:
    assert not same_phone("27824000001", theirs)


def decided(*statuses: str, base: float = 1_000_000.0) -> list[Verification]:
    """Results at the target, oldest first, a second apart."""
    return [Verification(status, None, 0, CHECKS, base + place) for place, status in enumerate(statuses)]


@pytest.mark.few(1)
@pytest.mark.parametrize(("newest_first", "earlier"), [(True, 20), (False, 1), (False, 19), (False, 20), (False, 45)])
def test_the_newest_kyc_counts_in_whatever_order_and_number_they_are_listed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, newest_first: bool, earlier: int
) -> None:
    sandbox.configure(kyc_newest_first=newest_first)
    ended = muster("run", file_of([person(1, "Kycfail"), person(2)]))
    assert ended.outcomes == ["declined", "onboarded"]
    for row, last in zip(ended.rows, ("PASSED", "FAILED"), strict=True):
        customer = sandbox.state.customers[int(row["customer_id"])]
        other = "FAILED" if last == "PASSED" else "PASSED"
        customer.verifications[:] = decided(*[other] * earlier, last)
    assert muster("reconcile", "run-1").code == 1
    (found,) = ended.folder.glob("reconcile-*/reconciliation.csv")
    shown = [(line["field"], line["target_value_masked"]) for line in lines(found)]
    assert shown == [("decision_status", "PASSED"), ("decision_status", "FAILED")]
    before = arrivals(sandbox)
    assert muster("kyc", "run-1", "--retrigger").outcomes == ["onboarded", "already_onboarded"]
    assert [entry["operation"] for entry in writes(sandbox, before)] == ["create_wallet"]


LOST: dict[str, Any] = {"operation": "create_customer", "kind": "drop_after_commit"}
"""Whoever's create was answered is known to have no KYC yet; after a lost answer it is read."""


def test_results_of_one_moment_that_say_different_things_decide_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = named(3)
    passed, failed = ({"status": status, "lastModified": "2026-05-19T08:30:20.000Z"} for status in ("PASSED", "FAILED"))
    undated = {"status": "PASSED"}
    lists = [[failed, passed], [passed, failed], [failed, undated]]
    sandbox.faults([LOST, *(answered("read_kyc", row, body) for row, body in zip(rows, lists, strict=True))])
    ended = muster("run", file_of(rows))
    assert {(line["outcome"], line["reason_code"]) for line in ended.rows} == {("failed", "read_failed")}
    assert {entry["operation"] for entry in writes(sandbox)} == {"create_customer"}


ODD: list[Body] = [
    {"status": True},
    {"status": 1},
    {"status": ["PASSED"]},
    {"status": ""},
    {"status": "PASSED", "sanctionsListCheck": {"checked": 1, "passed": True}},
    {"status": "FAILED", "sanctionsListCheck": {"checked": True, "passed": "false"}},
    {"status": "FAILED", "sanctionsListCheck": {"result": False}},
    {"status": "FAILED", "customerId": 0},
]


@pytest.mark.slow
def test_a_result_whose_members_are_not_of_the_documented_type_decides_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = named(len(ODD))
    bodies = [{"lastModified": "2126-05-19T08:30:20.000Z", **body} for body in ODD]
    answers = zip(rows, bodies, strict=True)
    sandbox.faults([LOST, *(answered("read_kyc", row, [body]) for row, body in answers)])
    ended = muster("run", file_of(rows))
    assert {(line["outcome"], line["reason_code"]) for line in ended.rows} == {("failed", "read_failed")}
    replies = zip(rows, bodies, strict=True)
    sandbox.faults([answered("trigger_kyc", row, body, "status_after_commit") for row, body in replies])
    assert muster("retry", "run-1").outcomes == ["onboarded"] * len(ODD)
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * len(ODD)


def test_a_decision_that_only_our_lost_trigger_can_have_caused_is_believed_at_once(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.engine.driver.SETTLE_SECONDS", 3_600.0)  # who waited for it would not end
    sandbox.faults([{"operation": "trigger_kyc", "nth": 1, "kind": "drop_after_commit"}])
    ended = muster("run", file_of([person(1, "Kycfail")]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("declined", "kyc_failed")]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("operation", "lines", "arguments"),
    [
        ("trigger_kyc", (), ("--kyc-type", "COMPARISON", "--checks", "ofacCheck")),
        ("create_customer", ("[eclipse]", "user_type_id = 2"), ()),
    ],
)
def test_a_request_that_went_unanswered_is_repeated_as_it_was_under_other_settings(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    tmp_path: Path,
    operation: str,
    lines: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:
    path = file_of([person(1)])
    muster.killed(operation, "before", 1, "run", path)
    (tmp_path / "muster.toml").write_text("\n".join(lines))
    ended = muster("run", path, *arguments)
    assert ended.outcomes == ["onboarded"]
    (customer,) = sandbox.state.customers.values()
    assert customer.fields["userTypeId"] == 1
    assert [(run.kind, run.checks) for run in customer.verifications] == [("NORMAL", CHECKS)]


def keys_told(folder: Path) -> dict[str, list[str | None]]:
    """The keys of the requests that the ledger was told of before they left, by step."""
    with closing(sqlite3.connect(folder / "muster.db")) as ledger:
        found = ledger.execute("SELECT step, write_key FROM event WHERE kind = ? ORDER BY seq", [pack("intent")])
        told = [(unpack(step), None if key is None else unpack(key)) for step, key in found]
    return {step: [key for each, key in told if each == step] for step, _ in told}


def test_every_request_names_the_key_that_it_carries_before_it_leaves(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    (row,) = muster("run", file_of([person(1)])).rows
    assert keys_told(muster.folder) == {
        "customer": [row["external_unique_id"]],
        "kyc": [None],
        "wallet": [row["wallet_external_unique_id"]],
    }
    assert {row["external_unique_id"], row["wallet_external_unique_id"]} <= {
        entry["externalUniqueId"] for entry in writes(sandbox)
    }


def test_a_doctor_looks_at_more_than_the_oldest_customer(muster: Muster, sandbox: Sandbox) -> None:
    sandbox.configure(show_external_ids=True)
    oldest, *_ = (sandbox.plant(**record(person(number))) for number in range(1, 6))
    body = {"customerId": oldest, **dict.fromkeys(MEMBERS.values(), "x")}
    params = {"status": 200, "body": body}
    rule = {"operation": "get_customer", "match": {"customerId": str(oldest)}, "kind": "status", "params": params}
    sandbox.faults([rule])
    checks: list[dict[str, Any]] = json.loads(muster("doctor", "--output", "json").stdout)["checks"]
    assert {each["check"]: each["result"] for each in checks}["keys in profiles"] == "pass"
