"""A plan says what a run would do, and does none of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


def planned(ended: Ended) -> dict[str, Any]:
    return dict(json.loads(ended.stdout))


def test_a_plan_of_new_rows_sends_nothing_and_leaves_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    file = file_of(people(5))
    ended = muster("plan", file, "--rate", "3/60", "--output", "json")
    found = planned(ended)
    assert (ended.code, found["rows"], found["mutating_calls"]) == (0, {"create": 5}, 15)
    assert found["limit"] == {"calls": 3, "seconds": 60.0}
    assert found["seconds"] == 4 * 60
    assert writes(sandbox) == []
    assert sorted(path.name for path in muster.folder.iterdir()) == [file.name]


def test_a_plan_says_how_long_the_file_takes_and_what_bounds_it(muster: Muster, file_of: Filed) -> None:
    file = file_of(people(5))
    found = planned(muster("plan", file, "--rate", "3/60", "--output", "json"))
    near, _, slow = found["capacity"]
    assert near == {"latency_ms": 50, "seconds": 240, "rows_an_hour": 60, "bound": "limit"}
    assert slow["bound"] == "limit"
    assert found["reads_expected"] == found["reads_made"] + 5 * (2 + 3)
    found = planned(muster("plan", file, "--rate", "1000/1", "--concurrency", "2", "--output", "json"))
    calls = found["mutating_calls"] + found["reads_expected"]
    assert found["capacity"][2] == {
        "latency_ms": 1000,
        "seconds": round(calls / 2),
        "rows_an_hour": int(3600 * 2 * 5 / calls),
        "bound": "replies",
    }


def test_a_plan_says_how_it_finds_out_who_is_there(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_of(people(10))
    assert "by looking for each row" in muster("plan", file).stdout
    monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", 10)
    found = planned(muster("plan", file, "--output", "json"))
    assert found["who_is_there"].startswith("from a listing of 0 customers")
    assert found["reads_made"] < 2 * 10
    calls = muster("run", file).summary["requests"]["mutating"]
    assert calls == found["mutating_calls"]


def test_a_plan_and_the_run_after_it_agree(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    stranger = person(1)
    sandbox.plant(
        firstName="Some",
        lastName="Body",
        phone1="27831112222",
        email="some.body@example.com",
        nationalIdentityNumber=stranger["national_id"],
        externalUniqueId="cust-of-another-system",
    )
    rows = [stranger, person(2), {**person(3), "email": "no address"}]
    file = file_of(rows)
    ended = muster("plan", file, "--output", "json")
    assert ended.code == 1
    assert planned(ended)["rows"] == {"conflict": 1, "create": 1, "quarantined": 1}
    assert planned(ended)["examples"] == {"conflict": [1], "create": [2]}
    assert muster("run", file).outcomes == ["conflict", "onboarded", "quarantined"]


def test_a_plan_after_the_run_finds_nothing_to_do(muster: Muster, file_of: Filed) -> None:
    file = file_of(people(3))
    assert muster("run", file).code == 0
    found = planned(muster("plan", file, "--output", "json"))
    assert (found["rows"], found["mutating_calls"]) == ({"already_onboarded": 3}, 0)


def test_a_plan_with_another_ledger_finds_them_complete_at_the_target(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.configure(show_external_ids=True)
    file = file_of(people(2))
    assert muster("run", file).code == 0
    found = planned(muster("plan", file, "--ledger", "sqlite:///other.db", "--output", "json"))
    assert (found["rows"], found["mutating_calls"]) == ({"nothing": 2}, 0)


@pytest.mark.slow
def test_a_row_that_waits_for_its_decision_is_to_be_finished(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    file = file_of([person(1, last_name="Kycstuck")])
    assert muster("run", file).code == 5
    found = planned(muster("plan", file, "--output", "json"))
    assert (found["rows"], found["mutating_calls"]) == ({"finish": 1}, 1)


def test_rows_that_can_not_be_read_are_said_to_be_so(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    no_list = {"status": 200, "body": {"no": "list"}}
    sandbox.faults([{"operation": "search_customers", "kind": "status", "params": no_list}])
    ended = muster("plan", file_of(people(2)))
    assert ended.code == 1
    assert "2  could not be read  (rows 1, 2)" in ended.stdout
