"""A process that is killed at any of its calls; another one finishes its work, and nothing is done twice."""

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Ended, Muster, also, eventually, standing, writes
from .people import Row, people

Filed = Callable[[list[Row]], Path]

WRITES = ("create_customer", "trigger_kyc", "create_wallet")
READS = ("search_customers", "read_kyc", "wallet_types", "get_customer")


def killed_at(muster: Muster, sandbox: Sandbox, path: Path, workers: int, operation: str, when: str, nth: int) -> Ended:
    """A run in a process of its own that dies at the `nth` call of `operation`, on the given side of its commit."""
    return muster.killed(operation, when, nth, "run", path, "--concurrency", str(workers))


def proves_once_each(sandbox: Sandbox, rows: list[Row], resumed: Ended) -> None:
    """Every row is done, once, and reported once."""
    assert set(resumed.outcomes) <= {"onboarded", "already_onboarded"}
    assert [row["source_row"] for row in resumed.rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert resumed.code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * len(rows)
    committed = Counter(
        (entry["operation"], entry["externalUniqueId"]) for entry in writes(sandbox) if entry["committed"]
    )
    assert set(committed.values()) == {1}
    assert {equation["ok"] for equation in resumed.summary["equations"]} == {True}


@pytest.mark.few(2)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", [*also("create_customer"), "trigger_kyc", "create_wallet"])
def test_a_run_killed_at_a_write_is_finished_without_a_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, when: str
) -> None:
    rows = people(12)
    killed_at(muster, sandbox, file_of(rows), 8, operation, when, nth=5)
    proves_once_each(sandbox, rows, muster("resume"))


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [False, True], ids=["keys shown", "keys hidden"])
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", [*WRITES, *READS[:3]])
@pytest.mark.parametrize("nth", [1, 4])
def test_a_run_killed_at_any_call_is_finished_without_a_double(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    hasty: None,
    operation: str,
    when: str,
    workers: int,
    hidden: bool,
    nth: int,
) -> None:
    sandbox.configure(show_external_ids=not hidden, show_wallet_external_ids=not hidden)
    rows = people(6)
    killed_at(muster, sandbox, file_of(rows), workers, operation, when, nth=nth)
    proves_once_each(sandbox, rows, muster("run", muster.folder / "customers.csv"))


def test_a_run_killed_at_its_login_leaves_nothing_to_resume(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(3)
    killed_at(muster, sandbox, file_of(rows), 8, "login", "after", nth=1)
    assert muster("resume").code == 2
    proves_once_each(sandbox, rows, muster("run", muster.folder / "customers.csv"))


@pytest.mark.slow
def test_a_run_killed_twice_is_still_finished_once(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    rows = people(10)
    path = file_of(rows)
    killed_at(muster, sandbox, path, 4, "create_customer", "after", nth=3)
    killed_at(muster, sandbox, path, 4, "create_wallet", "after", nth=2)
    proves_once_each(sandbox, rows, muster("resume"))
    assert list((muster.folder / "runs").glob(".work-*")) == []


@pytest.mark.slow
def test_a_run_killed_while_it_reads_the_target_again_is_finished_without_a_write(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = people(4)
    killed_at(muster, sandbox, file_of(rows), 4, "get_customer", "before", nth=2)
    before = len(sandbox.journal())
    resumed = muster("resume")
    assert resumed.outcomes == ["already_onboarded"] * 4
    assert writes(sandbox, before) == []
    proves_once_each(sandbox, rows, resumed)


def test_commands_on_a_killed_run_say_what_to_do(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    killed = killed_at(muster, sandbox, file_of(people(3)), 1, "create_wallet", "before", nth=2)
    run_id = killed.folder.name
    status = muster("status", run_id)
    assert "interrupted" in status.stdout
    assert f"muster resume {run_id}" in status.stdout
    for command in ("report", "reconcile"):
        ended = muster(command, run_id)
        assert ended.code == 2
        assert f"muster resume {run_id}" in ended.stderr


def test_a_second_run_is_told_who_holds_the_lock(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(4)
    path = file_of(rows)
    sandbox.faults([{"operation": "search_customers", "kind": "delay", "nth": 1, "params": {"seconds": 2}}])
    first = muster.start("run", path)
    eventually(lambda: len(sandbox.journal()) > 1)
    first.running.send_signal(signal.SIGSTOP)  # however long the second one takes
    second = muster("run", path)
    first.running.send_signal(signal.SIGCONT)
    assert second.code == 6
    assert first.folder.name in second.stderr
    assert f"pid {first.running.pid}" in second.stderr
    assert not second.folder.exists()
    assert muster.wait(first).code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 4


@pytest.mark.slow
def test_a_second_run_that_waits_for_the_lock_finds_the_work_done(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(4))
    sandbox.faults([{"operation": "search_customers", "kind": "delay", "nth": 1, "params": {"seconds": 2}}])
    first = muster.start("run", path)
    eventually(lambda: len(sandbox.journal()) > 1)
    second = muster("run", path, "--lock-timeout", "100")
    assert muster.wait(first).code == 0
    assert second.outcomes == ["already_onboarded"] * 4
