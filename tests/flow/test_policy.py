"""Policies of the operator: when a run stops itself, and what it tells the scheduler."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.clock import Clock
from jobs.sandbox.server import Sandbox

from .muster import Muster, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


def test_the_error_budget_stops_the_run(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [*people(5, "Refused"), *people(30, first=10)]
    ended = muster("run", file_of(rows), "--max-errors", "2", "--concurrency", "1")
    assert ended.code == 3
    assert ended.counts["rejected"] == 3
    assert ended.counts["not_attempted"] == 32
    assert {row["reason_code"] for row in ended.rows if row["outcome"] == "not_attempted"} == {"max_errors"}
    assert len(ended.rows) == 35


@pytest.mark.few(2)
@pytest.mark.parametrize(("budget", "code"), [("2", 1), ("20%", 1), ("1", 3), ("10%", 3)])
def test_the_error_budget_is_a_number_or_a_share(
    muster: Muster, sandbox: Sandbox, file_of: Filed, budget: str, code: int
) -> None:
    rows = [*people(2, "Refused"), *people(8, first=10)]
    ended = muster("run", file_of(rows), "--max-errors", budget, "--concurrency", "1")
    assert ended.code == code


@pytest.mark.slow
def test_rows_that_went_wrong_before_use_up_no_budget(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of(people(4, "Refused")))
    ended = muster("run", file_of([*people(4, "Refused"), *people(4, first=10)]), "--max-errors", "2")
    assert ended.outcomes == ["rejected"] * 4 + ["onboarded"] * 4
    assert ended.code == 1


def test_a_limit_of_rows_leaves_the_rest_for_the_next_run(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(20)), "--limit", "5", "--max-errors", "3")
    assert ended.outcomes == ["onboarded"] * 5 + ["not_attempted"] * 15
    assert ended.code == 3
    assert {row["reason_code"] for row in ended.rows[5:]} == {"limit"}
    again = muster("run", muster.folder / "customers.csv", "--limit", "5")
    assert again.outcomes == ["already_onboarded"] * 5 + ["onboarded"] * 5 + ["not_attempted"] * 10
    last = muster("resume")
    assert last.outcomes == ["already_onboarded"] * 10 + ["onboarded"] * 10
    assert (last.code, len(writes(sandbox))) == (0, 60)


@pytest.mark.slow
def test_a_limit_that_all_rows_fit_in_stops_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    assert muster("run", file_of(people(3)), "--limit", "3").code == 0


def test_the_deadline_stops_the_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def now(_: Clock) -> datetime:
        day = 22 if len(sandbox.state.customers) >= 5 else 21  # somebody sets the clock
        return datetime(2026, 11, day, 2, 15, tzinfo=UTC)

    monkeypatch.setattr(Clock, "now", now)
    sandbox.configure(latency_ms=40.0)
    ended = muster("run", file_of([*people(100), person(101, phone="1")]), "--deadline", "06:00", "--concurrency", "2")
    sandbox.configure(latency_ms=0.0)
    assert ended.code == 3
    assert len(writes(sandbox)) <= 40
    assert "the deadline has come" in ended.stdout
    assert len(ended.rows) == 101
    assert set(ended.outcomes) == {"onboarded", "not_attempted", "quarantined"} | set(ended.outcomes) & {"pending"}
    assert {row["reason_code"] for row in ended.rows if row["outcome"] == "not_attempted"} == {"deadline"}
    assert muster("resume").counts["quarantined"] == 1


def test_a_deadline_that_passes_before_the_first_row_is_begun_is_not_tomorrows(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def now(_: Clock) -> datetime:
        minute = 1 if sandbox.journal() else -1  # the login comes after the deadline
        return datetime(2026, 11, 21, 6).astimezone() + timedelta(minutes=minute)

    monkeypatch.setattr(Clock, "now", now)
    ended = muster("run", file_of(people(5)), "--deadline", "06:00")
    assert (ended.code, ended.outcomes) == (3, ["not_attempted"] * 5)
    assert writes(sandbox) == []


@pytest.mark.slow
def test_a_deadline_that_comes_after_the_work_stops_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    assert muster("run", file_of(people(2)), "--deadline", "23:59").code == 0


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--exit-zero"], 0),
        (["--fail-on", "failed,in_doubt"], 0),
        (["--fail-on", "declined"], 1),
        (["--fail-on", "pending"], 1),
        (["--fail-on", "missing_in_target"], 0),
    ],
)
def test_a_scheduler_chooses_what_counts_as_failure(
    muster: Muster, sandbox: Sandbox, file_of: Filed, options: list[str], code: int
) -> None:
    ended = muster("run", file_of([person(1), person(2, "Kycfail"), person(3, "Kycstuck")]), *options)
    assert ended.code == code
    assert ended.summary["exit_code"] == code


def test_exit_zero_hides_no_stop(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(4)), "--exit-zero", "--limit", "1")
    assert ended.code == 3


@pytest.mark.parametrize(
    "content",
    ["", "row_ref,first_name\n", "first_name,last_name\nA,B\n", "\x00\x01\x02"],
    ids=["empty", "header only", "columns missing", "binary"],
)
def test_an_unusable_file_ends_with_2_before_any_call(
    muster: Muster, sandbox: Sandbox, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "customers.csv"
    path.write_text(content)
    ended = muster("run", path)
    assert (ended.code, ended.folder.exists(), sandbox.journal()) == (2, False, [])


def test_validate_needs_neither_network_nor_credential(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "IDENTITY", "PASSWORD"):
        monkeypatch.delenv(f"MUSTER_{name}")
    ended = muster("validate", file_of([person(1), person(2, phone="1")]))
    assert (ended.code, sandbox.journal()) == (1, [])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (("--max-quarantined", "1"), "2 of 5 rows fail validation (rows 4, 5), more than --max-quarantined 1"),
        (("--max-quarantined", "39%"), "more than --max-quarantined 39%"),
        (("--min-rows", "6"), "it has 5 rows, fewer than --min-rows 6"),
        (("--expect-rows", "4"), "it has 5 rows, and --expect-rows says 4"),
    ],
)
def test_a_gate_keeps_the_whole_file_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed, gate: tuple[str, str], words: str
) -> None:
    path = file_of([*people(3), person(4, phone="1"), person(5, email="no")])
    before = len(sandbox.journal())

    ended = muster("run", path, *gate)

    assert (ended.code, muster("validate", path, *gate).code) == (2, 2)
    assert words in ended.stderr
    assert "nothing was sent" in ended.stderr
    assert len(sandbox.journal()) == before
    assert not ended.folder.exists()


@pytest.mark.slow
def test_a_file_within_its_gates_is_sent_and_gone_on_with_whatever_the_next_file_has(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = ("--max-quarantined", "40%", "--min-rows", "5", "--expect-rows", "5")
    ended = muster("run", file_of([*people(3), person(4, phone="1"), person(5, email="no")]), *gates)

    monkeypatch.setenv("MUSTER_EXPECT_ROWS", "9")
    assert ended.counts == {"onboarded": 3, "quarantined": 2}
    assert muster("resume").counts == {"already_onboarded": 3, "quarantined": 2}
