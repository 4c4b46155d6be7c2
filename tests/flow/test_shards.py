"""The rows of one run shared out to several processes: killed, frozen, cut off, stopped; none twice, none lost."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs.sandbox.server import Sandbox

from .muster import Muster, Started, arrivals, eventually, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]
Ask = Callable[[str], list[tuple[Any, ...]]]

long = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=long)])
def ask(request: pytest.FixtureRequest, muster: Muster, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the ledger of all commands of a test, which is in each of the databases."""
    if request.param == "sqlite":

        def of_file(statement: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(muster.folder / "muster.db", timeout=30)) as connection:
                return connection.execute(statement).fetchall()

        return of_file
    url = request.getfixturevalue("postgres").ledger()
    monkeypatch.setenv("MUSTER_LEDGER", url)
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)

    def of_server(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]

    return of_server


@pytest.fixture
def slowly(sandbox: Sandbox) -> None:
    """A target that takes its time, so that something happens in the middle of a run."""
    sandbox.configure(latency_ms=60)


class Led:
    """A run under way whose workers are processes of the test."""

    def __init__(self, muster: Muster, ask: Ask, run: Started) -> None:
        self.muster, self.ask, self.run = muster, ask, run
        self.run_id = run.folder.name

    def worker(self, *arguments: str) -> Started:
        """One more worker."""
        return self.muster.start("run-shard", "--run", self.run_id, *arguments)

    def of(self, worker: Started) -> list[tuple[int, str]]:
        """The shards that a worker had last, with their states."""
        found = self.ask(f"SELECT shard, state FROM shard WHERE owner_pid = {worker.running.pid} ORDER BY shard")
        return [(int(number), str(state)) for number, state in found]


@pytest.fixture
def led(muster: Muster, ask: Ask) -> Iterator[Callable[..., Led]]:
    """Begins a run that waits for workers."""
    begun: list[Started] = []

    def begin(path: Path, *arguments: str) -> Led:
        run = muster.start("run", path, "--engine", "external", *arguments)
        begun.append(run)
        shards = f"SELECT count(*) FROM shard WHERE run_id = '{run.folder.name}'"
        eventually(lambda: run.running.poll() is not None or _first(ask, shards))
        assert run.running.poll() is None, run.running.communicate()
        return Led(muster, ask, run)

    yield begin
    for run in begun:
        if run.running.poll() is None:
            run.running.kill()
            run.running.wait(30)


def _first(ask: Ask, statement: str) -> int:
    """The number that a statement gives; 0 as long as there is no such table."""
    try:
        return int(ask(statement)[0][0])
    except Exception:
        return 0


def test_workers_of_one_machine_share_the_rows_of_a_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask
) -> None:
    rows = people(40)
    ended = muster("run", file_of(rows), "--workers", "2", "--shards", "4")

    proves_once_each(sandbox, rows, ended)
    assert ask("SELECT count(*), min(state), max(state) FROM shard") == [(4, "done", "done")]
    assert muster("verify", ended.folder.name).code == 0


def test_a_worker_that_is_killed_is_followed_by_the_next(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(40)
    run = led(file_of(rows), "--shards", "2", "--concurrency", "4")
    first, second = run.worker(), run.worker()
    eventually(lambda: run.of(first) and run.of(second) and len(writes(sandbox)) > 8)
    first.running.kill()
    third = run.worker("--shard", str(run.of(first)[0][0]))

    assert [muster.wait(each).code for each in (first, second, third)] == [-signal.SIGKILL, 0, 0]
    proves_once_each(sandbox, rows, muster.wait(run.run))


@long
def test_a_worker_that_was_frozen_past_its_lease_sends_and_writes_nothing_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(60)
    run = led(file_of(rows), "--shards", "1", "--concurrency", "4")
    frozen = run.worker()
    eventually(lambda: run.of(frozen) and len(writes(sandbox)) > 8)
    os.kill(frozen.running.pid, signal.SIGSTOP)
    eventually(lambda: not run.of(frozen) or run.of(frozen)[0][1] == "open")
    next_one = run.worker()
    eventually(lambda: run.of(next_one))
    at = arrivals(sandbox)
    os.kill(frozen.running.pid, signal.SIGCONT)

    assert muster.wait(frozen).code == 6
    assert muster.wait(next_one).code == 0
    proves_once_each(sandbox, rows, muster.wait(run.run))
    assert at


@long
def test_a_run_whose_leader_is_killed_is_left_by_its_workers_and_resumed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None
) -> None:
    rows = people(60)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "6", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 20)
    run.running.kill()
    muster.wait(run)
    resumed = muster("resume", "--workers", "2", "--shards", "6")

    proves_once_each(sandbox, rows, resumed)
    assert ask("SELECT count(*) FROM shard WHERE state = 'taken'") == [(0,)]


@long
def test_a_run_that_is_interrupted_ends_its_workers_and_has_a_line_for_each_row(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None
) -> None:
    rows = people(60)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "6", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 20)
    run.running.send_signal(signal.SIGINT)
    stopped = muster.wait(run)

    assert stopped.code == 130
    assert len(stopped.rows) == 60
    assert "in_doubt" not in stopped.counts
    assert {equation["ok"] for equation in stopped.summary["equations"]} == {True}
    proves_once_each(sandbox, rows, muster("resume"))
