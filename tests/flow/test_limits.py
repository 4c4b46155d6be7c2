"""Limits of the target: never exceeded where they are known, waited for where they are not, never an attempt spent."""

import json
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.clock import Clock
from jobs.run import throttling
from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Muster, standing, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]

WRITES = ("create_customer", "trigger_kyc", "create_wallet")
RLT001 = [{"type": "SYSTEM", "code": "RLT001", "description": "too many requests", "traceId": "trace-1"}]

REFUSALS: dict[str, dict[str, Any]] = {
    "without Retry-After": {"kind": "throttle"},
    "seconds": {"kind": "throttle", "params": {"retry_after": 0}},
    "date": {"kind": "throttle", "params": {"retry_after_date": 1}},
    "nonsense": {"kind": "throttle", "params": {"retry_after": "soon"}},
    "RLT001 under 400": {"kind": "status", "params": {"status": 400, "body": RLT001}},
}


CASES = [
    pytest.param(operation, refusal, marks=() if place == number % len(WRITES) else pytest.mark.slow)
    for number, refusal in enumerate(REFUSALS)
    for place, operation in enumerate(WRITES)
]
"""Each refusal at each write; always over a socket at one of them. The simulation meets all of them in milliseconds."""


def most_in_any_window(sandbox: Sandbox, seconds: float) -> int:
    """The most mutating calls that arrived within `seconds`, wherever that window begins."""
    times = [entry["monotonic"] for entry in writes(sandbox)]
    return max(bisect_right(times, at + seconds) - number for number, at in enumerate(times))


@pytest.mark.few(2)
@pytest.mark.parametrize(("operation", "refusal"), CASES)
def test_refusals_because_of_a_limit_spend_no_attempt(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, refusal: str
) -> None:
    nth = list(range(1, 9)) if refusal == "seconds" else [1, 2]
    sandbox.faults([{"operation": operation, "nth": nth, **REFUSALS[refusal]}])
    ended = muster("run", file_of([person(1)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH
    assert int(ended.rows[0]["attempts"]) == len(writes(sandbox)) == 3 + len(nth)


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["search_customers", "read_kyc", "wallet_types", "login"])
def test_refused_reads_are_waited_for(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str
) -> None:
    sandbox.faults([{"operation": operation, "nth": [1, 2, 3], **REFUSALS["seconds"]}])
    assert muster("run", file_of([person(1)])).outcomes == ["onboarded"]


def test_a_pause_that_the_target_asks_for_is_kept_by_all_workers(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "throttle", "params": {"retry_after": 2}}])
    ended = muster("run", file_of(people(8)), "--concurrency", "4")
    assert ended.outcomes == ["onboarded"] * 8
    times = [(entry["monotonic"], entry["status"]) for entry in writes(sandbox)]
    refused = next(at for at, status in times if status == 429)
    under_way = [at for at, _ in times if refused < at < refused + 1.9]
    assert len(under_way) <= 3, "no more than the other workers had sent, and none a second one"


def test_a_known_limit_is_kept_without_a_single_refusal(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.configure(mutating_limit="12/2")
    rows = people(14)
    ended = muster("run", file_of(rows), "--rate", "12/2", "--concurrency", "8")
    assert ended.outcomes == ["onboarded"] * 14
    assert 429 not in {entry["status"] for entry in sandbox.journal()}
    assert most_in_any_window(sandbox, 2) <= 12
    assert len(writes(sandbox)) == 42


@pytest.mark.slow
def test_a_known_limit_is_kept_over_slow_and_lost_answers(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.configure(mutating_limit="10/2")
    sandbox.faults(
        [
            {
                "operation": "create_customer",
                "nth": [2, 7],
                "kind": "delay",
                "params": {"seconds": 1, "when": "before"},
            },
            {"operation": "create_wallet", "nth": [3, 6], "kind": "drop_after_commit"},
        ]
    )
    ended = muster("run", file_of(people(10)), "--rate", "10/2", "--concurrency", "8")
    assert ended.outcomes == ["onboarded"] * 10
    assert 429 not in {entry["status"] for entry in sandbox.journal()}
    assert most_in_any_window(sandbox, 2) <= 10


@pytest.mark.few(1)
@pytest.mark.parametrize("hours", [0, 1, -1])
def test_a_known_limit_holds_over_runs_whatever_is_done_to_the_wall_clock(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    sandbox.configure(mutating_limit="9/4")
    muster("run", file_of(people(3)), "--rate", "9/4")
    monkeypatch.setattr(Clock, "now", lambda _: datetime.now(UTC) + timedelta(hours=hours))
    ended = muster("run", file_of(people(6)), "--rate", "9/4")
    assert ended.counts["onboarded"] == 3
    assert 429 not in {entry["status"] for entry in sandbox.journal()}
    assert most_in_any_window(sandbox, 4) <= 9


def test_an_unknown_limit_is_found_by_trying(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.configure(mutating_limit="4/1", limit_retry_after=False)
    ended = muster("run", file_of(people(6)), "--rate", "auto")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 6)


@pytest.mark.slow
def test_the_onboarding_credential_gets_its_documented_limit(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.onboarding_identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.onboarding_password)
    rows = [row | {"identity": f"login.{number}", "password": "a-Good-one-1"} for number, row in enumerate(people(2))]
    ended = muster("register", file_of(rows), "--rate", "auto")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert ended.summary["limits"]["calls"] == 60


@pytest.mark.slow
def test_what_a_run_learned_of_the_limit_the_next_one_knows(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.transport.pauses.FIRST_PAUSE", 0.2)
    sandbox.configure(mutating_limit="6/1", limit_retry_after=False)
    refused, said = [], []
    for rows in (people(12), people(24)):
        before = len(sandbox.journal())
        ended = muster("run", file_of(rows), "--rate", "12/1", "--concurrency", "8")
        assert ended.code == 0
        said.append("has refused 12 calls in 1 s" in ended.stderr)
        refused.append(sum(entry["status"] == 429 for entry in sandbox.journal()[before:]))
    assert refused[0] >= 6
    assert refused[1] <= refused[0] / 2
    assert said == [False, True]
    assert "learned limit" in muster("doctor").stdout


@pytest.mark.slow
def test_a_learned_limit_gives_way_to_a_lower_rate_and_rises_again_to_a_higher_one(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.rates.QUIET_SECONDS", 0.1)
    monkeypatch.setattr("jobs.rates.QUIET_WINDOWS", 0.5)
    sandbox.faults([{"operation": "create_customer", "nth": [1], "kind": "throttle", "params": {"retry_after": 0}}])
    assert muster("run", file_of(people(1)), "--rate", "10/0.2").code == 0
    assert "9 write calls in 0.2 s" in muster("doctor").stdout
    assert muster("run", file_of(people(2)), "--rate", "3/0.2").code == 0
    assert "9 write calls in 0.2 s" in muster("doctor").stdout
    assert muster("run", file_of(people(14)), "--rate", "10/0.2").code == 0
    assert "learned limit" not in muster("doctor").stdout


def test_a_day_that_the_target_asks_for_ends_the_run_which_says_who_and_until_when(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.transport.pauses.MAX_RETRY_AFTER_SECONDS", 1.5)
    monkeypatch.setattr("jobs.transport.quota.MAX_RETRY_AFTER_SECONDS", 1.5)
    monkeypatch.setattr(throttling, "MAX_RETRY_AFTER_SECONDS", 1.5)
    sandbox.faults([{"operation": "create_customer", "nth": 3, "kind": "throttle", "params": {"retry_after": 86400}}])
    file = file_of(people(40))

    ended = muster("run", file, "--concurrency", "2")

    assert ended.code == 3
    left = [row for row in ended.rows if row["outcome"] in {"not_attempted", "pending"}]
    assert len(left) >= 36
    assert {row["reason_code"] for row in ended.rows if row["outcome"] == "not_attempted"} == {"throttled"}
    assert not {"failed", "in_doubt"} & set(ended.outcomes)
    (note,) = (note for note in ended.summary["notes"] if "asked" in note)
    assert note.startswith("stopped: the target asked for no write calls for 1 d, until ")
    assert "(HTTP 429)" in note
    assert {row["class"] for row in ended.reconciliation} == {"match", "not_sent"}
    refused = next(entry["monotonic"] for entry in writes(sandbox) if entry["status"] == 429)
    sent = len(writes(sandbox))

    again = muster("resume")

    assert (again.code, again.counts["onboarded"] + again.counts["already_onboarded"]) == (0, 40)
    assert writes(sandbox)[sent]["monotonic"] - refused >= 1.5


def test_a_pause_that_goes_beyond_the_deadline_ends_the_run(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.faults([{"operation": "search_customers", "nth": 5, "kind": "throttle", "params": {"retry_after": 3000}}])
    deadline = datetime.now().astimezone() + timedelta(minutes=20)

    ended = muster("run", file_of(people(20)), "--deadline", f"{deadline:%H:%M}", "--concurrency", "2")

    assert ended.code == 3
    assert ended.counts["not_attempted"] >= 15
    (note,) = (note for note in ended.summary["notes"] if "asked" in note)
    assert note.startswith("stopped: the target asked for no read calls for 50 min, until ")
    assert note.endswith("which is after the deadline")
    assert ended.summary["reconciliation"] == dict.fromkeys(ended.summary["reconciliation"], 0)


@pytest.mark.slow
def test_a_pause_is_said_on_the_screen_and_in_the_report(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "SAID_SECONDS", 2.0)
    sandbox.faults([{"operation": "trigger_kyc", "nth": 1, "kind": "throttle", "params": {"retry_after": 2}}])

    ended = muster("run", file_of(people(2)))

    assert ended.code == 0
    said = "the target asked for no write calls for 2 s, until "
    assert any(said in line and line.endswith("(HTTP 429): waiting 2 s") for line in ended.stderr.splitlines())
    (note,) = (note for note in ended.summary["notes"] if said in note)
    assert note.endswith("(HTTP 429): waited 2 s")


def test_a_target_that_refuses_everything_for_long_ends_the_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    monkeypatch.setattr("jobs.transport.pauses.MOST_REFUSED_SECONDS", 1.0)
    monkeypatch.setattr(throttling, "MOST_REFUSED_SECONDS", 1.0)
    always = {"operation": "create_customer", "nth": "every", "kind": "throttle", "params": {"retry_after": 0}}
    sandbox.faults([always])

    ended = muster("run", file_of(people(30)), "--concurrency", "4")

    assert (ended.code, ended.counts["not_attempted"] + ended.counts["pending"]) == (3, 30)
    (note,) = (note for note in ended.summary["notes"] if "does not say" in note)
    assert note.endswith("and has refused every one for 1 s")
    assert len(writes(sandbox)) <= 4 * 30


def test_a_limit_counts_for_each_address_only_where_an_agreement_is_named(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path
) -> None:
    rate = ("--rate", "3/600")
    refused = muster("run", file_of([person(1)]), *rate, "--egress", "203.0.113.7")
    agreed = (*rate, "--egress-agreement", "ticket 4711")
    runs = [muster("run", file_of([person(n)]), *agreed, "--egress", f"203.0.113.{n}") for n in (1, 2)]

    assert refused.code == 2
    assert "--egress-agreement" in refused.stderr
    assert [run.outcomes for run in runs] == [["onboarded"]] * 2, "the second waits for no window of the first"
    facts = json.loads((runs[0].folder / "manifest.json").read_bytes())
    assert "ticket 4711" in json.dumps(facts)
