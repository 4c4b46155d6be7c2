"""A write that was lost on either side of its commit: done exactly once, and never claimed without proof."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from jobs.systems.messages import Request

from .muster import ONE_OF_EACH, Muster, Standing, standing, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]

WRITES = ("create_customer", "trigger_kyc", "create_wallet")

HTML = {"status": 502, "body": "<html><body>Bad Gateway</body></html>", "headers": {"content-type": "text/html"}}
TAKEN = [{"type": "BUSINESS", "code": "USR004", "description": "already exists", "traceId": "trace-1"}]

FAULTS: dict[str, dict[str, Any]] = {
    "drop before commit": {"kind": "drop_before_commit"},
    "reset before commit": {"kind": "drop_before_commit", "params": {"reset": True}},
    "drop after commit": {"kind": "drop_after_commit"},
    "reset after commit": {"kind": "drop_after_commit", "params": {"reset": True}},
    "drop in the middle of the reply": {"kind": "drop_mid_reply"},
    "truncated body": {"kind": "truncated_body"},
    "garbage body": {"kind": "garbage_body"},
    "empty body": {"kind": "empty_body"},
    "page instead of JSON": {"kind": "wrong_content_type"},
    "page of 502 after commit": {"kind": "status_after_commit", "params": HTML},
    "500 before commit": {"kind": "status", "params": {"status": 500}},
    "500 after commit": {"kind": "status_after_commit", "params": {"status": 500}},
    "503 before commit": {"kind": "status", "params": {"status": 503, "headers": {"Retry-After": "1"}}},
    "504 after commit": {"kind": "status_after_commit", "params": {"status": 504}},
    "409 after commit": {"kind": "status_after_commit", "params": {"status": 409}},
    "400 USR004 after commit": {"kind": "status_after_commit", "params": {"status": 400, "body": TAKEN}},
    "late answer": {"kind": "delay", "params": {"seconds": 1.0, "when": "after"}},
    "late arrival": {"kind": "delay", "params": {"seconds": 0.6, "when": "before"}},
    "an array instead of an object": {"kind": "status_after_commit", "params": {"status": 200, "body": []}},
    "an object without an id": {"kind": "status_after_commit", "params": {"status": 200, "body": {}}},
    "no content": {"kind": "status_after_commit", "params": {"status": 204}},
    "huge body": {"kind": "huge_body", "params": {"bytes": 6_000_000}},
}

ANSWERED = {"409 after commit", "400 USR004 after commit"}
"""Answers, though misleading ones: the target says that somebody holds the key. Whose it is only a key can prove."""


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes are given up after 0.4 s; the settling time of `hasty` is made longer than the late arrivals."""
    usual = Request.__init__

    def made(self: Request, *given: Any, **named: Any) -> None:
        usual(self, *given, **{**named, "deadline_seconds": 0.4})

    monkeypatch.setattr(Request, "__init__", made)
    monkeypatch.setattr("jobs.engine.driver.SETTLE_SECONDS", 1.0)


SLOW = pytest.mark.slow
"""Combinations that differ little from those that always run; the simulation meets all of them in milliseconds."""

TIMED = ("late answer", "late arrival")
"""What depends on how long calls take: on a virtual clock in the simulation, over sockets in the slow tests."""

PLACES = [(operation, hidden) for hidden in (True, False) for operation in WRITES]

CASES = [
    pytest.param(fault, operation, hidden, marks=() if place == number % len(PLACES) and fault not in TIMED else SLOW)
    for number, fault in enumerate(FAULTS)
    for place, (operation, hidden) in enumerate(PLACES)
]
"""Each fault at each place; always over a socket at one place, and the places take turns."""


@pytest.mark.few(4)
@pytest.mark.parametrize(("fault", "operation", "hidden"), CASES)
def test_a_lost_write_is_settled_by_reading(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    hasty: None,
    request: pytest.FixtureRequest,
    operation: str,
    fault: str,
    hidden: bool,
) -> None:
    if fault in TIMED:
        request.getfixturevalue("short_deadlines")
    sandbox.configure(
        strictness="seed" if hidden else "vendor", show_external_ids=not hidden, show_wallet_external_ids=not hidden
    )
    sandbox.faults([{"operation": operation, "nth": [1, 2], **FAULTS[fault]}])
    rows = people(2)
    ended = muster("run", file_of(rows))
    if hidden and operation == "create_customer" and fault in ANSWERED:
        assert {(row["outcome"], row["reason_code"]) for row in ended.rows} == {("conflict", "unproven")}
        assert [standing(sandbox, row["national_id"]) for row in rows] == [Standing(1, 0, 0)] * 2
        return
    assert ended.outcomes == ["onboarded", "onboarded"]
    assert ended.code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 2
    if fault not in ANSWERED:
        assert {row["customer_origin"] for row in ended.rows} == {"created"}


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("fault", ["500 before commit", pytest.param("503 before commit", marks=SLOW)])
def test_a_write_that_always_fails_ends_failed_after_five_attempts(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, fault: str
) -> None:
    sandbox.faults([{"operation": operation, **FAULTS[fault]}])
    ended = muster("run", file_of([person(1)]))
    row = ended.rows[0]
    assert (row["outcome"], row["reason_code"]) == ("failed", "attempts_exhausted")
    sent = [entry for entry in writes(sandbox) if entry["operation"] == operation]
    assert len(sent) == 5
    assert int(row["attempts"]) == 5 + WRITES.index(operation)
    assert ended.code == 1
    sandbox.faults([])
    retried = muster("retry", "run-1")
    assert (retried.outcomes, retried.code) == (["onboarded"], 0)
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


@pytest.mark.few(1)
@pytest.mark.parametrize("fault", ["drop before commit", "drop after commit", "page of 502 after commit"])
def test_a_lost_trigger_whose_result_can_not_be_seen_is_repeated_once_at_most(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, fault: str
) -> None:
    unseen = {"operation": "read_kyc", "kind": "status", "params": {"status": 200, "body": []}}
    sandbox.faults([{"operation": "trigger_kyc", **FAULTS[fault]}, unseen])
    ended = muster("run", file_of([person(1)]))
    assert ended.outcomes == ["in_doubt"]
    assert ended.rows[0]["failed_step"] == "kyc"
    assert len([entry for entry in writes(sandbox) if entry["operation"] == "trigger_kyc"]) <= 2
    before = len(sandbox.journal())
    again = muster("run", muster.folder / "customers.csv")
    assert again.outcomes == ["in_doubt"]
    assert writes(sandbox, before) == []
    sandbox.faults([])
    last = muster("resume")
    if fault == "drop before commit":
        assert last.outcomes == ["in_doubt"]  # a person must look: nothing shows that it ever arrived
    else:
        assert last.outcomes == ["onboarded"]


def test_reads_that_lag_behind_a_commit_cause_no_second_trigger(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    lag = {"operation": "read_kyc", "kind": "status", "nth": [1, 2, 3], "params": {"status": 200, "body": []}}
    for fault in ("drop after commit", "500 after commit"):
        sandbox.faults([{"operation": "trigger_kyc", "nth": 1, **FAULTS[fault]}, lag])
        row = person(1 if fault == "drop after commit" else 2)
        ended = muster("run", file_of([row]))
        assert ended.outcomes == ["onboarded"]
        assert standing(sandbox, row["national_id"]) == ONE_OF_EACH


def test_a_search_that_lags_behind_a_commit_causes_no_second_customer(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    lag = {
        "operation": "search_customers",
        "kind": "status",
        "nth": [3, 4, 5, 6],
        "params": {"status": 200, "body": []},
    }
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "drop_after_commit"}, lag])
    ended = muster("run", file_of([person(1)]))
    assert ended.outcomes == ["onboarded"]
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


def test_what_reading_can_not_settle_is_in_doubt_and_settled_later(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.configure(show_external_ids=False)
    blind = {"operation": "search_customers", "kind": "status", "nth": list(range(3, 99)), "params": {"status": 500}}
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "drop_after_commit"}, blind])
    ended = muster("run", file_of([person(1)]), "--outage-wait", "1")
    assert (ended.code, ended.outcomes) == (75, ["in_doubt"])  # nothing at all can be read any more
    sandbox.faults([])
    resumed = muster("resume")
    assert resumed.outcomes == ["onboarded"]
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


@pytest.mark.slow
def test_a_doubt_whose_reads_fail_while_others_go_well_is_left_to_the_next_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    blind = {"operation": "read_kyc", "kind": "status", "nth": list(range(1, 99)), "params": {"status": 500}}
    sandbox.faults([{"operation": "trigger_kyc", "nth": 1, "kind": "drop_after_commit"}, blind])
    ended = muster("run", file_of([person(1)]))
    assert (ended.code, ended.outcomes, ended.rows[0]["reason_code"]) == (1, ["in_doubt"], "read_failed")
    sandbox.faults([])
    assert muster("resume").outcomes == ["onboarded"]
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


@pytest.mark.slow
def test_a_key_that_is_refused_as_taken_and_never_shown_is_in_doubt(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    unseen = {"operation": "search_customers", "kind": "status", "params": {"status": 200, "body": []}}
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "drop_after_commit"}, unseen])
    ended = muster("run", file_of([person(1)]))
    assert ended.outcomes == ["in_doubt"]
    sandbox.faults([])
    assert muster("resume").outcomes == ["onboarded"]
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


def test_a_stranger_who_appears_while_a_create_is_unanswered_is_not_adopted(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.configure(show_external_ids=False)
    sandbox.faults([{"operation": "create_customer", "kind": "drop_before_commit", "nth": [1, 2, 3, 4, 5]}])
    ended = muster("run", file_of([person(1)]))
    sandbox.faults([])
    stranger = person(1) | {"first_name": "Somebody"}
    sandbox.plant(
        firstName=stranger["first_name"],
        lastName=stranger["last_name"],
        phone1=stranger["phone"],
        email="somebody.else@example.com",
        nationalIdentityNumber=stranger["national_id"],
    )
    retried = muster("retry", "run-1")
    assert ended.outcomes == ["failed"]
    assert (retried.outcomes, retried.rows[0]["reason_code"]) == (["conflict"], "unproven")
    assert standing(sandbox, person(1)["national_id"]) == Standing(1, 0, 0)


def test_a_reply_for_another_person_is_not_believed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    other = {"customerId": 1, "externalUniqueId": "cust-of-another", "nationalIdentityNumber": "1"}
    sandbox.faults(
        [
            {
                "operation": "create_customer",
                "nth": 1,
                "kind": "status_after_commit",
                "params": {"status": 200, "body": other},
            }
        ]
    )
    ended = muster("run", file_of([person(1)]))
    assert ended.outcomes == ["onboarded"]
    assert ended.rows[0]["customer_id"] != "1"


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["search_customers", "list_wallets", "wallet_types"])
@pytest.mark.parametrize("fault", ["drop before commit", "garbage body", "500 before commit", "empty body"])
def test_a_failed_read_is_repeated(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, fault: str
) -> None:
    sandbox.faults([{"operation": operation, "nth": [1, 2], **FAULTS[fault]}])
    rows = people(2)
    ended = muster("run", file_of(rows))
    assert ended.outcomes == ["onboarded", "onboarded"]
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 2


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["search_customers", "list_wallets", "wallet_types"])
def test_reads_that_always_fail_end_failed_and_write_nothing_further(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": "status", "params": {"status": 500}}])
    ended = muster("run", file_of([person(1)]), "--outage-wait", "1")
    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["failed"], "read_failed")
    assert standing(sandbox, person(1)["national_id"]).wallets == 0
    sandbox.faults([])
    assert muster("retry", "run-1").outcomes == ["onboarded"]
