"""A run that stops itself before more harm is done: breaker, same cause, canary."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Muster
from .people import Row, people

Filed = Callable[[list[Row]], Path]

BROKEN = [{"operation": "create_customer", "nth": "every", "kind": "status", "params": {"status": 500}}]


@pytest.mark.usefixtures("hasty")
def test_a_target_that_is_down_stops_the_run_after_so_many_rows(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults(BROKEN)

    ended = muster("run", file_of(people(12)), "--breaker", "3", "--concurrency", "1")

    assert ended.code == 3
    assert (ended.counts["failed"], ended.counts["not_attempted"]) == (3, 9)
    assert {row["reason_code"] for row in ended.rows[3:]} == {"breaker"}
    assert any("attempts_exhausted" in note for note in ended.summary["notes"])


@pytest.mark.usefixtures("hasty")
def test_a_stopped_run_is_finished_when_the_target_is_back(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.faults(BROKEN)
    ended = muster("run", file_of(people(6)), "--breaker", "2", "--concurrency", "1")
    sandbox.faults([])

    resumed = muster("retry", ended.folder.name)

    assert resumed.outcomes == ["onboarded"] * 6


def test_failures_between_good_rows_are_no_row_of_failures(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [row for pair in zip(people(4, "Refused"), people(4, first=10), strict=True) for row in pair]

    ended = muster("run", file_of(rows), "--breaker", "2", "--concurrency", "1")

    assert (ended.code, ended.counts["onboarded"]) == (1, 4)


def test_one_cause_again_and_again_stops_the_run_and_is_named(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [*people(10, "Refused"), *people(20, first=20)]

    ended = muster("run", file_of(rows), "--same-cause", "4", "--concurrency", "1")

    assert ended.code == 3
    assert ended.counts["rejected"] == 4
    assert any("refused_by_target" in note and "VAL001" in note for note in ended.summary["notes"])


@pytest.mark.slow
def test_a_cause_that_is_less_than_half_of_all_rows_stops_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = [*people(30, first=20), *people(10, "Refused")]

    assert muster("run", file_of(rows), "--same-cause", "4", "--concurrency", "1").counts["rejected"] == 10


def test_a_canary_that_goes_wrong_keeps_the_rest_back(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [*people(2), *people(1, "Refused", first=5), *people(20, first=10)]

    ended = muster("run", file_of(rows), "--canary", "3")

    assert ended.code == 3
    assert ended.outcomes == ["onboarded"] * 2 + ["rejected"] + ["not_attempted"] * 20
    assert {row["reason_code"] for row in ended.rows[3:]} == {"canary"}


def test_a_canary_that_the_target_does_not_show_keeps_the_rest_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults(
        [{"operation": "list_wallets", "nth": "every", "kind": "status", "params": {"status": 200, "body": []}}]
    )

    ended = muster("run", file_of(people(10)), "--canary", "2")

    assert (ended.code, ended.counts["not_attempted"]) == (3, 8)


def test_a_good_canary_lets_the_rest_follow(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(10)), "--canary", "3")

    assert ended.outcomes == ["onboarded"] * 10
    assert ended.code == 0


@pytest.mark.slow
def test_a_canary_is_not_judged_by_rows_of_earlier_runs(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    old = people(4)
    assert muster("run", file_of(old)).code == 0
    next(iter(sandbox.state.customers.values())).fields["email"] = "changed.in.the.portal@example.com"

    ended = muster("run", file_of([*old, *people(4, first=20)]), "--canary", "2")

    assert ended.outcomes == ["already_onboarded"] * 4 + ["onboarded"] * 4


@pytest.mark.few(1)
@pytest.mark.parametrize("also_refused", [(), ("trigger_kyc",)])
def test_a_credential_that_is_refused_around_the_canary_ends_the_run_with_an_outcome_for_every_row(
    muster: Muster, sandbox: Sandbox, file_of: Filed, also_refused: tuple[str, ...]
) -> None:
    refused = ("read_customer", "list_wallets", "read_kyc", *also_refused)
    sandbox.faults([{"operation": name, "nth": "every", "kind": "unauthorized"} for name in refused])

    ended = muster("run", file_of(people(6)), "--canary", "2", "--concurrency", "2")

    assert ended.code == 4
    assert ended.outcomes == ["pending"] * 2 + ["not_attempted"] * 4
