"""Several processes and one ledger: one works at a time for a tenant, the dead are replaced, the living are not."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.flow.muster import also, lines, standing, writes
from tests.flow.people import people, written

from .program import Program, arrived, ended, finished, once_each, reported, until_sending

OWNER = re.compile(r"run \S+ works on eclipse tenant 1001: pid (\d+) on (\S+) since \S+, last heartbeat \d+ s ago")


@pytest.fixture
def slowly(program: Program) -> Program:
    """The target takes its time, so that a run can be met at work."""
    program.sandbox.configure(latency_ms=300)
    return program


@pytest.mark.parametrize("processes", [2, *also(4, 8)])
def test_of_several_processes_on_one_ledger_one_works_and_the_others_name_it(slowly: Program, processes: int) -> None:
    with ExitStack() as stack:
        all_of_them = [stack.enter_context(slowly.begun()) for _ in range(processes)]
        said = {running.pid: ended(running) for running in all_of_them}
    worked = [pid for pid, each in said.items() if each.code == 0]
    refused = [each for each in said.values() if each.code == 6]
    assert len(worked) == 1, said
    assert len(refused) == processes - 1, said
    for each in refused:
        owner = OWNER.search(each.stderr)
        assert owner is not None, each
        assert (int(owner[1]), owner[2]) == (worked[0], os.uname().nodename)
        assert "Traceback" not in each.stderr
    assert len(slowly.folders) == 1
    slowly.sandbox.configure(latency_ms=0)
    finished(slowly)


@pytest.mark.slow
def test_processes_that_may_wait_work_one_after_the_other(slowly: Program) -> None:
    slowly.sandbox.configure(latency_ms=50)
    with ExitStack() as stack:
        arguments = ("run", "customers.csv", "--lock-timeout", "30")
        all_of_them = [stack.enter_context(slowly.begun(*arguments)) for _ in range(3)]
        said = [ended(running) for running in all_of_them]
    assert [each.code for each in said] == [0, 0, 0], said
    outcomes = sorted({line["outcome"] for line in lines(folder / "outcome.csv")} for folder in slowly.folders)
    assert sorted(map(sorted, outcomes)) == [["already_onboarded"], ["already_onboarded"], ["onboarded"]]
    once_each(slowly)


@pytest.mark.slow
def test_an_owner_that_is_only_stopped_is_not_replaced(slowly: Program) -> None:
    with slowly.begun() as owner:
        until_sending(slowly, owner)
        os.killpg(owner.pid, signal.SIGSTOP)
        with within_a_commit(slowly.ledger):
            rival = slowly()
        assert rival.code == 6, rival
        assert f"pid {owner.pid} " in rival.stderr
        os.killpg(owner.pid, signal.SIGCONT)
        assert ended(owner).code == 0
    once_each(slowly)


def test_an_owner_that_was_killed_is_replaced_at_once(slowly: Program) -> None:
    with slowly.begun() as owner:
        until_sending(slowly, owner)
        os.killpg(owner.pid, signal.SIGKILL)
        owner.wait()
    slowly.sandbox.configure(latency_ms=0)
    assert slowly.here("resume").code == 0
    once_each(slowly)


def test_an_owner_that_lost_its_lease_stops_writing(program: Program) -> None:
    program.sandbox.configure(latency_ms=300)
    workers = 2
    many = Program.of(program.folder / "many", program.sandbox, people(12))
    with many.begun("run", "customers.csv", "--concurrency", str(workers)) as owner:
        until_sending(many, owner)
        steal(many.ledger)
        stolen = time.time()
        said = ended(owner)
    late = [each for each in writes(many.sandbox) if arrived(each) > stolen]
    assert said.code == 6, said
    assert "another run took over" in said.stderr
    assert "internal error" not in said.stderr
    reported(many.folders[-1], 12)
    ends = {line["outcome"] for line in lines(many.folders[-1] / "outcome.csv")}
    assert ends <= {"onboarded", "pending", "in_doubt", "not_attempted"}
    assert len(late) <= workers, late
    many.sandbox.configure(latency_ms=0)
    free(many.ledger)
    finished(many)


@pytest.mark.slow
def test_an_owner_that_lost_its_lease_leaves_the_lease_alone(slowly: Program) -> None:
    with slowly.begun() as owner:
        until_sending(slowly, owner)
        steal(slowly.ledger)
        ended(owner)
    with sqlite3.connect(slowly.ledger) as ledger:
        assert ledger.execute("SELECT owner_run, epoch FROM space").fetchone() == ("thief", 99)


@pytest.mark.slow
def test_two_tenants_work_at_the_same_time(slowly: Program, tmp_path: Path) -> None:
    other = {"MUSTER_TENANT": "1002", "MUSTER_IDENTITY": "other-operator", "MUSTER_PASSWORD": "other-password"}
    written(slowly.folder / "others.csv", people(3, first=100))
    with slowly.begun() as ours, slowly.begun("run", "others.csv", env=other) as theirs:
        codes = (ended(ours).code, ended(theirs).code)
    assert codes == (0, 0)
    assert len(slowly.folders) == 2
    once_each(slowly)
    assert standing(slowly.sandbox, people(1, first=100)[0]["national_id"]).wallets == 1


@pytest.mark.slow
def test_the_same_customers_in_two_files_are_onboarded_once(program: Program) -> None:
    written(program.folder / "tomorrow.csv", people(4))
    assert program.here().code == 0
    assert program.here("run", "tomorrow.csv").code == 0
    assert [line["outcome"] for line in lines(program.folders[-1] / "outcome.csv")] == [
        *["already_onboarded"] * 3,
        "onboarded",
    ]
    once_each(program)


def test_two_files_with_the_same_customers_at_once_leave_one_of_each(slowly: Program) -> None:
    written(slowly.folder / "tomorrow.csv", people(4))
    with slowly.begun() as first, slowly.begun("run", "tomorrow.csv", "--lock-timeout", "30") as second:
        codes = {ended(first).code, ended(second).code}
    assert codes <= {0, 6}
    assert 0 in codes
    slowly.sandbox.configure(latency_ms=0)
    finished(slowly)
    reported(slowly.folders[-1], 3)


@contextmanager
def within_a_commit(ledger: Path) -> Iterator[None]:
    """The write lock is taken, as by an owner that was stopped in the middle of a commit, if it is not just there."""
    connection = sqlite3.connect(ledger, timeout=0.1)
    with suppress(sqlite3.OperationalError):
        connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


def steal(ledger: Path) -> None:
    """Another host takes the lease, as if this one had been silent for long."""
    change = (
        "UPDATE space SET epoch = 99, owner_run = 'thief', owner_host = 'elsewhere', owner_pid = 1, heartbeat_ms = ?"
    )
    with sqlite3.connect(ledger, timeout=10) as connection:
        connection.execute(change, (int(time.time() * 1000),))


def free(ledger: Path) -> None:
    """The other host is through."""
    with sqlite3.connect(ledger, timeout=10) as connection:
        connection.execute("UPDATE space SET owner_run = NULL")
