"""A run on a Ray cluster of two nodes: workers killed and frozen, the driver killed, nodes that join; none twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from jobs.sandbox.server import Sandbox
from tests.postgres import Server
from tests.ray_cluster import Cluster

from .muster import REPOSITORY, Muster, Started, arrivals, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]

KEY = "k" * 32
ROWS = int(os.environ.get("SCALE_ROWS", "2000"))
A_FEW = 1000
FROZEN_SECONDS = 5
"""A lease lasts longer (chosen)."""
LONG = 500.0 + ROWS / 10
"""Seconds within which a run ends, however busy the machine (chosen)."""

long = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(running: Sandbox) -> Iterator[Cluster]:
    """Two nodes, which have the secrets of the target, and a directory of their own."""
    secrets = {"IDENTITY": running.identity, "PASSWORD": running.password, "PSEUDONYM_KEY": KEY}
    with Cluster.running(2, **{f"MUSTER_{name}": value for name, value in secrets.items()}) as made:
        yield made


def soon(condition: Callable[[], object]) -> None:
    """Waits until `condition` holds, and looks seldom: this process is the target, too."""
    until = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.25)


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


HERE, THERE = "10.231.7.1", "10.231.7.2"
"""The two ends of a cable between this machine and a node that is not on its network."""


@dataclass
class Cable:
    """A network namespace, the cable to it, and what carries its loopback's ports over here."""

    space: str = f"muster-{os.getpid()}"
    near: str = f"m{os.getpid()}"
    pipes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def under(self) -> list[str]:
        """The words that start a program over there."""
        return ["ip", "netns", "exec", self.space]

    def lay(self) -> None:
        """Makes both ends. Skips the test where that is not allowed."""
        words = f"link add {self.near} type veth peer name far netns {self.space}"
        for each in (
            f"netns add {self.space}",
            words,
            f"addr add {HERE}/24 dev {self.near}",
            f"link set {self.near} up",
        ):
            if (done := self.ip(*each.split())).returncode:
                pytest.skip(f"NOT TESTED: ip {each} is refused: {done.stderr!r}")
        for each in (f"addr add {THERE}/24 dev far", "link set far up", "link set lo up"):
            assert self.ip("-n", self.space, *each.split()).returncode == 0

    def carry(self, host: str, port: int, target: str, under: Sequence[str] = ()) -> None:
        """Carries connections to `host` and `port` on to `target`."""
        words = [*under, sys.executable, "-m", "tests.tcp_pipe", host, str(port), target]
        pipe = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=REPOSITORY)
        assert pipe.stdout is not None
        with pipe.stdout:
            assert pipe.stdout.readline() == b"listening\n"
        self.pipes.append(pipe)

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told."""
        assert self.ip("link", "set", self.near, "down").returncode == 0

    def mend(self) -> None:
        """All passes again, also what was on its way."""
        assert self.ip("link", "set", self.near, "up").returncode == 0

    def take_up(self) -> None:
        """Removes it."""
        for pipe in self.pipes:
            pipe.kill()
            pipe.wait()
        self.ip("link", "del", self.near)
        self.ip("netns", "del", self.space)

    @staticmethod
    def ip(*words: str) -> "subprocess.CompletedProcess[bytes]":
        """One command of ip(8)."""
        return subprocess.run(["ip", *words], capture_output=True, check=False)


@pytest.fixture
def cable() -> Iterator[Cable]:
    """A cable to a network of its own."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("NOT TESTED: network namespaces need root and ip(8)")
    laid = Cable()
    try:
        laid.lay()
        yield laid
    finally:
        laid.take_up()


@pytest.fixture
def server(cable: Cable) -> Iterator[Server]:
    """A PostgreSQL server that listens at this end of the cable."""
    with Server.running(f"listen_addresses={HERE}") as made:
        with (made.data / "pg_hba.conf").open("a") as allowed:
            allowed.write(f"host all all {HERE}/24 trust\n")
        made.ask("SELECT pg_reload_conf()")
        yield made


def reached(server: Server, host: str) -> str:
    """A ledger of the server as it is reached from elsewhere."""
    return server.ledger().replace(quote(str(server.folder), safe=""), host)


@long
@pytest.mark.timeout(900 + 2 * LONG)
def test_a_worker_is_killed_one_is_frozen_and_thawed_one_is_cut_off_and_comes_back(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    cable: Cable,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = int(sandbox.base_url.rpartition(":")[2])
    cable.carry(HERE, port, f"127.0.0.1:{port}")
    cable.carry("127.0.0.1", port, f"{HERE}:{port}", cable.under)
    url = reached(server, HERE)
    monkeypatch.setenv("MUSTER_LEDGER", url)
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", KEY)
    sandbox.configure(latency_ms=60)
    rows = people(ROWS)
    with Cluster.running(1, HERE) as cluster:
        far = cluster.join(THERE, cable.under)
        on_ray = OnRay(muster, cluster, url)
        run = on_ray.start("run", file_of(rows), "--shards", "40")
        soon(lambda: len(on_ray.owners(run)) == 2 and arrivals(sandbox) > 500)
        [cut_off] = [pid for pid in on_ray.owners(run) if network(pid) == network(far.pid)]
        [killed] = on_ray.owners(run, but=cut_off)
        os.kill(killed, signal.SIGKILL)
        soon(lambda: on_ray.owners(run, but=cut_off) not in ([], [killed]))
        [thawed] = on_ray.owners(run, but=cut_off)
        cable.cut()
        os.kill(thawed, signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        os.kill(thawed, signal.SIGCONT)
        soon(lambda: cut_off not in on_ray.owners(run))
        assert not gone(cut_off)
        cable.mend()
        soon(lambda: gone(cut_off))
        ended = muster.wait(run, LONG)

    proves_once_each(sandbox, rows, ended)
    assert on_ray.ask(f"SELECT sum(lost) FROM shard WHERE run_id = '{run.folder.name}'") == [(2,)]
    assert muster("verify", ended.folder.name).code == 0


def network(pid: int) -> str:
    """The network that a process is on."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


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
    rows = people(A_FEW)
    run = on_ray.start("run", file_of(rows), "--shards", "20")
    soon(lambda: len(on_ray.owners(run)) == 2)
    killed, thawed = on_ray.owners(run)
    os.kill(thawed, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)
    soon(lambda: on_ray.owners(run, but=thawed) not in ([], [killed]))
    os.kill(thawed, signal.SIGCONT)  # within its lease
    soon(lambda: arrivals(sandbox) > 3 * A_FEW)
    frozen = on_ray.owners(run)[0]
    os.kill(frozen, signal.SIGSTOP)
    soon(lambda: gone(frozen))  # its lease ran out: Ray was told to kill it
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
    soon(lambda: len(on_ray.owners(run)) == 2 and arrivals(sandbox) > 500)
    workers = on_ray.owners(run)
    run.running.kill()
    on_ray.muster.wait(run)
    soon(lambda: all(map(gone, workers)))
    again = on_ray.start("resume")

    proves_once_each(sandbox, rows, on_ray.muster.wait(again, LONG))


@long
@pytest.mark.timeout(900)
def test_a_signal_to_the_driver_brings_all_workers_to_a_rest(on_ray: OnRay, sandbox: Sandbox, file_of: Filed) -> None:
    rows = people(300)
    run = on_ray.start("run", file_of(rows), "--shards", "6")
    soon(lambda: len(on_ray.owners(run)) == 2 and arrivals(sandbox) > 500)
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
    soon(lambda: len(on_ray.owners(run)) == 2)
    on_ray.cluster.join()
    soon(lambda: len(on_ray.owners(run)) == 3)

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
