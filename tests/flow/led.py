"""Runs whose rows several processes share, led by one process and worked on by others that a test starts."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs.sandbox.server import Sandbox
from tests.forked import Forked

from .muster import Muster, Started, eventually

Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
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


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a run in this process are forked: a start of Python costs a second of computing."""

    def forked(command: list[str], **options: Any) -> Forked:
        return Forked(command[command.index("jobs") + 1 :], os.environ, **options)

    monkeypatch.setattr("jobs.run.local_engine.Popen", forked)


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
        eventually(lambda: run.running.poll() is not None or first_of(ask, shards))
        assert run.running.poll() is None, run.running.communicate()
        return Led(muster, ask, run)

    yield begin
    for run in begun:
        if run.running.poll() is None:
            run.running.kill()
            run.running.wait(30)


def first_of(ask: Ask, statement: str) -> int:
    """The number that a statement gives; 0 as long as there is no such table."""
    try:
        return int(ask(statement)[0][0])
    except Exception:
        return 0
