"""bLink with lost and broken answers, lag, kills and throttling: nothing is doubled, and nothing is believed unseen."""

import random
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster

from .blink import ADDRESS, CONTACTS, DONE, START, WRITES, Filed, committed, configure, counts, each_or_slow, only, row
from .blink import muster as muster

FAULTY: dict[str, dict[str, Any]] = {
    "drop_after_commit": {},
    "drop_before_commit": {},
    "status_after_commit": {"status": 504},
    "status": {"status": 503},
    "truncated_body": {},
    "garbage_body": {},
}


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("operation", "kind"),
    each_or_slow(
        [(operation, kind) for operation in WRITES for kind in FAULTY],
        {("create_contact", kind) for kind in FAULTY} | {(operation, "drop_after_commit") for operation in WRITES},
    ),
)
def test_a_lost_or_broken_answer_makes_no_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, kind: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": kind, "nth": 1, "params": FAULTY[kind]}])
    ended = muster("run", file_of([row(1), row(2)]))
    assert ended.outcomes == ["onboarded", "onboarded"]
    assert counts(sandbox) == {"contacts": 44, "doubleContacts": 0, "addresses": 21}
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert sorted(committed(sandbox)) == ["create_address", *["create_contact"] * 4, "update_address"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_storm_of_faults_makes_no_double_and_hides_no_write(
    muster: Muster, sandbox: Sandbox, file_of: Filed, seed: int
) -> None:
    chance = random.Random(seed)
    calls = [*WRITES, "get_customer", "list_contacts", "get_address", "list_customers", "token"]
    sandbox.faults(
        [
            {"operation": name, "kind": kind, "nth": chance.sample(range(1, 40), 6), "params": FAULTY[kind]}
            for name in calls
            for kind in chance.sample(sorted(FAULTY), 3)
            if name != "token" or kind in {"status", "drop_before_commit"}
        ]
    )
    configure(sandbox, lag_reads=chance.randrange(3))
    rows = [row(number) for number in range(1, 31)]
    for storm in (True, False):
        ended = muster("run", file_of(rows), "--concurrency", "6")
        found = counts(sandbox)
        assert (found["doubleContacts"], ended.code in {0, 1}) == (0, True), seed
        assert (found["contacts"] <= 100, found["addresses"] <= 35) == (True, True), seed
        assert all(equation["ok"] for equation in ended.summary["equations"] if equation["kind"] == "books"), seed
        if storm:
            sandbox.faults([])
    open_ends = {line["reason_code"] for line in ended.rows if line["outcome"] not in {"onboarded", DONE}}
    assert open_ends <= {"unanswered", "not_shown", "read_failed"}, seed
    assert not {line["class"] for line in ended.reconciliation if line["class"] in {"missing_in_target", "ambiguous"}}


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", WRITES)
def test_a_write_that_is_never_answered_ends_in_doubt_after_one_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": "drop_before_commit"}])
    asks = CONTACTS[:2] if operation == "create_contact" else ADDRESS
    ended = muster("run", file_of([only(1 if operation == "update_address" else 2, *asks)]))
    assert [(line["outcome"], line["reason_code"], line["attempts"]) for line in ended.rows] == [
        ("in_doubt", "unanswered", "2")
    ]
    assert counts(sandbox) == START
    sandbox.faults([])
    assert muster("resume").code == 1
    assert counts(sandbox) == START


@pytest.mark.few(1)
@pytest.mark.parametrize("first", [1, 2], ids=["changed", "made"])
def test_a_bank_that_shows_late_what_it_took_is_waited_for(
    muster: Muster, sandbox: Sandbox, file_of: Filed, first: int
) -> None:
    configure(sandbox, lag_reads=2)
    sandbox.faults([{"operation": "create_contact", "kind": "drop_after_commit", "nth": 1}])
    ended = muster("run", file_of([row(first)]), "--concurrency", "1")
    assert ended.outcomes == ["onboarded"]
    assert counts(sandbox)["doubleContacts"] == 0
    assert len(committed(sandbox)) == 3


def test_a_change_that_the_bank_never_shows_ends_in_doubt(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, lag_reads=10_000)
    ended = muster("run", file_of([only(1, *ADDRESS)]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "not_shown")]
    assert committed(sandbox) == ["update_address"]
    assert {line["class"] for line in ended.reconciliation} == {"field_difference"}
    configure(sandbox, lag_reads=0)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("operation", "when"),
    each_or_slow(
        [(operation, when) for operation in WRITES for when in ("before", "after")],
        {("create_contact", "after"), ("update_address", "before")},
    ),
)
def test_a_run_that_is_killed_is_finished_without_a_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, when: str
) -> None:
    muster.killed(operation, when, 1, "run", file_of([row(1), row(2), row(3), row(4)]), "--concurrency", "2")
    resumed = muster("resume")
    assert (resumed.code, set(resumed.outcomes)) == (0, {"onboarded"})
    assert counts(sandbox) == {"contacts": 48, "doubleContacts": 0, "addresses": 22}
    assert all(equation["ok"] for equation in resumed.summary["equations"])


def test_a_lost_change_is_not_made_to_another_address(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    second = {
        "postalAddress": {"salutation": {}, "physicalAddress": {"postCode": "1", "townName": "A", "country": "CH"}}
    }
    persons = [{"personIdentification": "P-9100", "lastName": "Meier"}]
    ids = sandbox.of("blink").plant(customerIdentification="C-9100", persons=persons, addresses=[second, second])
    muster.killed("update_address", "before", 1, "run", file_of([only(9100, *ADDRESS)]))
    configure(sandbox, address_shown="newest")
    ended = muster("resume")
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "unanswered")]
    assert (committed(sandbox), len(ids["addresses"])) == ([], 2)
    configure(sandbox)
    assert muster("resume").outcomes == ["onboarded"]
    assert committed(sandbox) == ["update_address"]


@pytest.mark.slow
def test_after_a_restart_two_rows_do_not_work_on_one_customer_either(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    whole = row(1, row_ref="other", external_reference="X-0001")
    other = {name: whole[name] for name in ("row_ref", "external_reference", *ADDRESS)}
    muster.killed("create_contact", "after", 1, "run", file_of([only(1, *CONTACTS[:2]), other]), "--concurrency", "1")
    resumed = muster("resume", "--concurrency", "1")
    assert [(line["outcome"], line["reason_code"]) for line in resumed.rows] == [
        ("onboarded", ""),
        ("conflict", "same_customer"),
    ]
    assert committed(sandbox) == ["create_contact"]


@pytest.mark.slow
def test_a_bank_that_throttles_is_asked_again_later(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    throttle = {"kind": "throttle", "nth": [1, 2], "params": {"retry_after": 0}}
    sandbox.faults([{"operation": name, **throttle} for name in ("create_contact", "get_customer", "token")])
    ended = muster("run", file_of([row(1), row(2)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert counts(sandbox)["doubleContacts"] == 0
