"""Rows that wait for a decision: left alone, read again, finished when it comes; they hold nothing meanwhile."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Muster, arrivals, standing, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


def test_undecided_rows_end_pending_with_5(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, "Kycstuck"), person(2)]))
    assert (ended.code, ended.outcomes) == (5, ["pending", "onboarded"])
    row = ended.rows[0]
    assert (row["reason_code"], row["decision_status"], row["failed_step"]) == ("decision", "PENDING", "kyc")
    assert ended.summary["next_command"] == "muster resume run-1"
    assert sum(ended.summary["pending_ageing"].values()) == 1


def test_resume_only_reads_and_finishes_once_it_is_decided(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of([person(1, "Kycstuck"), person(2, "Kycstuck")]))
    before = arrivals(sandbox)
    waiting = muster("resume")
    assert (waiting.code, writes(sandbox, before)) == (5, [])
    for customer, decision in zip(list(sandbox.state.customers), ("PASSED", "FAILED"), strict=True):
        sandbox.amend("customers", customer, kyc=decision)
    before = arrivals(sandbox)
    resumed = muster("resume")
    assert sorted(resumed.outcomes) == ["declined", "onboarded"]
    assert [entry["operation"] for entry in writes(sandbox, before)] == ["create_wallet"]


@pytest.mark.slow
def test_no_waiting_time_means_one_look(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    at = time.monotonic()
    ended = muster("run", file_of(people(3, "Kycslow")), "--decision-wait", "0", "--decision-poll", "60")
    assert (ended.code, ended.outcomes) == (5, ["pending"] * 3)
    assert time.monotonic() - at < 55, "a poll would have come after 60"
    sandbox.configure(kyc_polls=0)
    assert muster("resume", "--decision-wait", "60", "--decision-poll", "0.1").outcomes == ["onboarded"] * 3


def test_many_pending_rows_hold_no_worker(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.configure(kyc_polls=0)
    rows = [*people(50, "Kycslow"), person(51)]
    at = time.monotonic()
    ended = muster("run", file_of(rows), "--concurrency", "2", "--decision-poll", "2", "--decision-wait", "60")
    assert time.monotonic() - at < 45, "two workers that are held for 2 s by each of 50 rows take 50"
    assert ended.outcomes == ["onboarded"] * 51
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 51
    polls = [entry for entry in sandbox.journal() if entry["operation"] == "read_kyc"]
    assert len(polls) <= 51 + 50 + 51  # before the trigger, one poll, and the reconciliation's


def test_a_poll_that_fails_does_not_end_the_wait(muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None) -> None:
    nth = list(range(2, 8))
    sandbox.faults([{"operation": "read_kyc", "kind": "status", "nth": nth, "params": {"status": 500}}])
    ended = muster("run", file_of([person(1, "Kycslow")]), "--decision-wait", "30")
    assert ended.outcomes == ["onboarded"]


def test_a_status_that_nobody_documented_is_no_decision(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, "Kycodd")]))
    assert (ended.code, ended.outcomes) == (5, ["pending"])
    assert ended.rows[0]["decision_status"] == "REFERRED"
    assert standing(sandbox, person(1)["national_id"]).wallets == 0


def test_a_result_that_vanishes_while_we_wait_is_no_licence_to_trigger_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    muster("run", file_of([person(1, "Kycstuck")]))
    sandbox.faults([{"operation": "read_kyc", "kind": "status", "params": {"status": 200, "body": []}}])
    before = arrivals(sandbox)
    resumed = muster("resume")
    assert (resumed.outcomes, writes(sandbox, before)) == (["pending"], [])


@pytest.mark.slow
def test_a_customer_that_vanishes_while_we_wait_is_noticed(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of([person(1, "Kycstuck")]))
    sandbox.amend("customers", next(iter(sandbox.state.customers)), deleted=True)
    before = arrivals(sandbox)
    resumed = muster("resume")
    assert (resumed.outcomes, resumed.code) == (["pending"], 1)
    assert [line["class"] for line in resumed.reconciliation] == ["missing_in_target"]
    assert writes(sandbox, before) == []
