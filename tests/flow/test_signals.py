"""SIGINT and SIGTERM: what is under way ends or is recorded, every row is reported, and resume finishes it."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger.store import Store
from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, REPOSITORY, Ended, Muster, also, eventually, standing, writes
from .people import Row, people

Filed = Callable[[list[Row]], Path]

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
FOR_EVER = 600
"""Seconds for which the target holds an answer back that nobody may wait for."""


def interrupted(
    muster: Muster,
    sandbox: Sandbox,
    path: Path,
    number: signal.Signals,
    *,
    when: Callable[[], bool],
    times: int = 1,
    env: Mapping[str, str] | None = None,
) -> tuple[Ended, float]:
    """A run that gets the signal once `when` holds; and how long it took to end."""
    started = muster.start("run", path, "--concurrency", "4", env=env)
    eventually(when)
    at = time.monotonic()
    started.running.send_signal(number)
    for _ in range(times - 1):
        time.sleep(1)  # two that come at once are one
        started.running.send_signal(number)
    ended = muster.wait(started)
    return ended, time.monotonic() - at


def committed(sandbox: Sandbox, number: int) -> Callable[[], bool]:
    """Whether so many writes were committed."""
    return lambda: sum(entry["committed"] for entry in writes(sandbox)) >= number


def slow_answer(sandbox: Sandbox, operation: str, seconds: float) -> Callable[[], bool]:
    """Holds the answer to the second `operation` back; whether it came to that."""
    params = {"seconds": seconds, "when": "after"}
    sandbox.faults([{"operation": operation, "nth": 2, "kind": "delay", "params": params}])
    return lambda: any(entry["fault"] == "delay" and entry["committed"] for entry in sandbox.journal())


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_the_run_with_every_row_reported(
    muster: Muster, sandbox: Sandbox, file_of: Filed, number: signal.Signals
) -> None:
    sandbox.configure(latency_ms=50.0)
    rows = people(60)
    ended, _ = interrupted(muster, sandbox, file_of(rows), number, when=committed(sandbox, 20))
    assert ended.code == CODES[number]
    assert len(ended.rows) == 60
    assert set(ended.outcomes) <= {"onboarded", "pending", "not_attempted"}
    assert "onboarded" in ended.outcomes
    assert "not_attempted" in ended.outcomes
    assert f"muster resume {ended.folder.name}" in ended.stdout
    assert ended.summary["exit_code"] == CODES[number]
    assert all(equation["ok"] for equation in ended.summary["equations"])
    sandbox.configure(latency_ms=0.0)
    resumed = muster("resume")
    assert resumed.code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 60


@pytest.mark.slow
@pytest.mark.parametrize("writes_before", [20, 180])
def test_a_signal_ends_a_run_of_very_many_rows_without_files_and_resume_reports_all(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    tmp_path: Path,
    writes_before: int,
) -> None:
    """Stopped while it sends, and while it reads back what it sent."""
    (tmp_path / "sitecustomize.py").write_text(
        "from jobs.run import context, cut_short\ncontext.MOST_REPORTED = cut_short.MOST_REPORTED = 59\n"
    )
    few = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    sandbox.configure(latency_ms=20.0)
    rows = people(60)
    when = committed(sandbox, writes_before)
    ended, _ = interrupted(muster, sandbox, file_of(rows), signal.SIGTERM, when=when, env=few)
    assert ended.code == 143
    assert "what was done is saved" in ended.stderr
    assert f"muster resume {ended.folder.name}" in ended.stderr
    assert not (ended.folder / "summary.json").exists()
    sandbox.configure(latency_ms=0.0)
    resumed = muster("resume")
    assert resumed.code == 0
    assert len(resumed.rows) == 60
    assert all(equation["ok"] for equation in resumed.summary["equations"])
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 60


@pytest.mark.slow
def test_a_call_under_way_is_waited_for(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    when = slow_answer(sandbox, "create_customer", 3)
    ended, _ = interrupted(muster, sandbox, file_of(people(8)), signal.SIGTERM, when=when)
    assert ended.code == 143
    assert "in_doubt" not in ended.outcomes


@pytest.mark.parametrize("operation", ["trigger_kyc", *also("create_customer", "create_wallet")])
def test_a_second_signal_stops_at_once_and_leaves_the_lost_write_in_doubt(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str
) -> None:
    rows = people(6)
    when = slow_answer(sandbox, operation, FOR_EVER)
    ended, seconds = interrupted(muster, sandbox, file_of(rows), signal.SIGTERM, when=when, times=2)
    assert ended.code == 143
    assert seconds < 25, "after 30 it would have been given up without a second signal"
    assert len(ended.rows) == 6
    assert ended.counts["in_doubt"] == 1
    resumed = muster("resume")
    assert resumed.code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 6


@pytest.mark.slow
def test_a_call_that_hangs_does_not_hold_the_end_up_for_longer_than_30_seconds(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    when = slow_answer(sandbox, "trigger_kyc", FOR_EVER)
    ended, seconds = interrupted(muster, sandbox, file_of(people(4)), signal.SIGTERM, when=when)
    assert ended.code == 143
    assert seconds < 30
    assert ended.counts["in_doubt"] == 1


def test_a_signal_before_anything_was_sent_leaves_no_run(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.faults([{"operation": "login", "kind": "delay", "params": {"seconds": FOR_EVER}}])
    started = muster.start("run", file_of(people(2)))
    eventually(lambda: sandbox.journal())
    started.running.send_signal(signal.SIGINT)
    ended = muster.wait(started)
    assert ended.code == 130
    assert writes(sandbox) == []
    assert not ended.folder.exists()


@pytest.mark.slow
def test_a_signal_while_the_target_is_read_again_ends_the_run_soon(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "get_customer", "kind": "delay", "params": {"seconds": FOR_EVER}}])
    started = muster.start("run", file_of(people(3)), "--concurrency", "1")
    eventually(lambda: any(entry["operation"] == "get_customer" for entry in sandbox.journal()))
    started.running.send_signal(signal.SIGTERM)
    ended = muster.wait(started)
    assert ended.code == 143
    assert ended.outcomes == ["onboarded"] * 3


@pytest.mark.slow
def test_a_signal_while_rows_wait_for_a_decision_leaves_them_pending(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(5, "Kycstuck"))
    started = muster.start("run", path, "--decision-wait", "600", "--decision-poll", "60")
    eventually(lambda: sum(entry["operation"] == "trigger_kyc" for entry in writes(sandbox)) == 5)
    time.sleep(0.3)
    started.running.send_signal(signal.SIGTERM)
    ended = muster.wait(started)
    assert ended.code == 143
    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == [("pending", "decision")] * 5


def test_a_second_signal_while_intents_are_written_keeps_the_books_closed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Store.apply

    def slow(self: Store, *given: Any) -> Any:
        time.sleep(0.15)
        return usual(self, *given)

    def twice() -> None:
        eventually(committed(sandbox, 6))
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)

    monkeypatch.setattr(Store, "apply", slow)
    rows = people(24)
    killer = threading.Thread(target=twice)
    killer.start()
    ended = muster("run", file_of(rows), "--concurrency", "16")
    killer.join()
    assert ended.code == 143
    assert [equation for equation in ended.summary["equations"] if not equation["ok"]] == []
