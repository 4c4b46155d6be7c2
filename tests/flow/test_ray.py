"""A run on a Ray cluster of two nodes: workers killed and frozen, the driver killed, nodes that join; none twice."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs.sandbox.server import Sandbox
from tests.ray_cluster import Cluster

from .muster import Muster, Started, eventually, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]

KEY = "k" * 32
ROWS = int(os.environ.get("SCALE_ROWS", "2000"))
LONG = 500.0
"""Seconds within which a run ends, however busy the machine (chosen)."""

long = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(running: Sandbox) -> Iterator[Cluster]:
    """Two nodes, which have the secrets of the target, and a directory of their own."""
    secrets = {"IDENTITY": running.identity, "PASSWORD": running.password, "PSEUDONYM_KEY": KEY}
    with Cluster.running(2, **{f"MUSTER_{name}": value for name, value in secrets.items()}) as made:
        yield made


class OnRay:
    """Runs of a test on the cluster, and what their ledger says."""

    def __init__(self, muster: Muster, cluster: Cluster, ledger: str) -> None:
        self.muster, self.cluster, self._ledger = muster, cluster, ledger

    def start(self, command: str, *arguments: str | Path, workers: int = 2) -> Started:
        """Begins a run."""
        given = ("--engine", "ray", "--ray-address", self.cluster.address, "--workers", str(workers))
        token = {name: value for name, value in self.cluster.environment.items() if name == "RAY_AUTH_TOKEN"}
        return self.muster.start(command, *arguments, *given, env=token)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the ledger says; nothing as long as there is no such table."""
        with psycopg.connect(self._ledger) as connection:
            try:
                return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]
            except psycopg.errors.UndefinedTable:
                return []

    def owners(self, run: Started, but: int = 0) -> list[int]:
        """The pids of the workers that have a shard now."""
        assert run.running.poll() is None, run.running.communicate()
        found = self.ask(
            f"SELECT owner_pid FROM shard WHERE run_id = '{run.folder.name}' AND state = 'taken' ORDER BY 1"
        )
        return [int(pid) for (pid,) in found if pid != but]


@pytest.fixture
def on_ray(
    muster: Muster, cluster: Cluster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> OnRay:
    url = request.getfixturevalue("postgres").ledger()
    monkeypatch.setenv("MUSTER_LEDGER", url)
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", KEY)
    sandbox.configure(latency_ms=30)
    return OnRay(muster, cluster, url)


def gone(pid: int) -> bool:
    """Whether a process is no more, or waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@long
@pytest.mark.timeout(900)
def test_a_worker_is_killed_another_freezes_and_each_row_is_done_once(
    on_ray: OnRay, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = people(ROWS)
    run = on_ray.start("run", file_of(rows), "--shards", "20")
    eventually(lambda: len(on_ray.owners(run)) == 2, LONG)
    killed, thawed = on_ray.owners(run)
    os.kill(thawed, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: on_ray.owners(run, but=thawed) not in ([], [killed]), LONG)
    os.kill(thawed, signal.SIGCONT)  # within its lease
    eventually(lambda: len(writes(sandbox)) > ROWS, LONG)
    frozen = on_ray.owners(run)[0]
    os.kill(frozen, signal.SIGSTOP)
    eventually(lambda: gone(frozen), LONG)  # its lease ran out: Ray was told to kill it
    ended = on_ray.muster.wait(run, LONG)

    proves_once_each(sandbox, rows, ended)
    lost = on_ray.ask(
        f"SELECT sum(lost), count(*), min(state), max(state) FROM shard WHERE run_id = '{run.folder.name}'"
    )
    assert [(int(each), *rest) for each, *rest in lost] == [(2, 20, "done", "done")]
    assert on_ray.muster("verify", ended.folder.name).code == 0
    said = on_ray.cluster.said()
    assert sandbox.password.encode() not in said
    assert rows[0]["national_id"].encode() not in said


@long
@pytest.mark.timeout(900)
def test_the_driver_is_killed_and_the_run_is_gone_on_with(on_ray: OnRay, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(300)
    run = on_ray.start("run", file_of(rows), "--shards", "6")
    eventually(lambda: len(on_ray.owners(run)) == 2 and len(writes(sandbox)) > 200, LONG)
    workers = on_ray.owners(run)
    run.running.kill()
    on_ray.muster.wait(run)
    eventually(lambda: all(map(gone, workers)), LONG)
    again = on_ray.start("resume")

    proves_once_each(sandbox, rows, on_ray.muster.wait(again, LONG))


@long
@pytest.mark.timeout(900)
def test_a_signal_to_the_driver_brings_all_workers_to_a_rest(on_ray: OnRay, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(300)
    run = on_ray.start("run", file_of(rows), "--shards", "6")
    eventually(lambda: len(on_ray.owners(run)) == 2 and len(writes(sandbox)) > 200, LONG)
    run.running.send_signal(signal.SIGINT)
    ended = on_ray.muster.wait(run, LONG)

    assert ended.code == 130
    assert ended.counts["in_doubt"] == 0
    proves_once_each(sandbox, rows, on_ray.muster.wait(on_ray.start("resume"), LONG))


@long
@pytest.mark.timeout(900)
def test_a_node_that_joins_takes_shards(on_ray: OnRay, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(400)
    sandbox.configure(latency_ms=300)
    run = on_ray.start("run", file_of(rows), "--shards", "30", workers=3)
    eventually(lambda: len(on_ray.owners(run)) == 2, LONG)
    on_ray.cluster.join()
    eventually(lambda: len(on_ray.owners(run)) == 3, LONG)

    proves_once_each(sandbox, rows, on_ray.muster.wait(run, LONG))


@pytest.mark.parametrize(
    ("address", "words"),
    [("auto", "SQLite is for one machine"), ("ray://head:10001", "on a node of the cluster")],
)
def test_a_cluster_that_can_not_be_used_is_refused_in_words(
    muster: Muster, sandbox: Sandbox, file_of: Filed, address: str, words: str
) -> None:
    ended = muster("run", file_of(people(1)), "--engine", "ray", "--ray-address", address)

    assert ended.code == 2
    assert words in ended.stderr
    assert writes(sandbox) == []
    assert not ended.folder.exists()
