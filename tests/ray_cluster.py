"""A Ray cluster of our own for tests: a head without slots, and nodes that come, go and freeze, each a raylet."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.run.ray_engine import SURROUNDINGS

LONGEST = 240.0
"""Seconds after which a node counts as hanging (chosen; it starts in six, on a busy machine in fifty)."""

TRIES = 5
"""Nodes that are begun until one comes up (chosen)."""

OBJECTS = "--object-store-memory=83886080"
"""Near the least that Ray takes."""


def needed() -> Path:
    """The program `ray`, or the end of this test."""
    found = shutil.which("ray", path=str(Path(sys.executable).parent))
    if found is None:
        words = "Ray is not installed (make test-scale): ITS ENGINE IS NOT TESTED HERE"
        if os.environ.get("TESTS_AT_SCALE"):
            pytest.fail(words)
        pytest.skip(words)
    return Path(found)


@dataclass
class Cluster:
    """A head and its nodes, with the environment that they have."""

    program: Path
    folder: Path
    environment: Mapping[str, str]
    host: str = "127.0.0.1"
    address: str = ""
    nodes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @classmethod
    @contextmanager
    def running(cls, nodes: int, host: str = "127.0.0.1", **environment: str) -> Iterator["Cluster"]:
        """A new one for the block at an address of this machine, with so many nodes of one slot each."""
        program, before = needed(), {**os.environ, **SURROUNDINGS}
        with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # a socket's name is short
            cluster = cls(program, Path(folder), {**before, **environment, "RAY_AUTH_TOKEN": "t" * 48}, host)
            try:
                cluster._head()
                for _ in range(nodes):
                    cluster.join()
                yield cluster
            finally:
                end(cluster.nodes)

    def _head(self) -> None:
        with socket.socket() as free:
            free.bind((self.host, 0))
            self.address = f"{self.host}:{free.getsockname()[1]}"
        port, place = self.address.partition(":")[2], f"--temp-dir={self.folder}"
        node = ("--head", f"--node-ip-address={self.host}", f"--port={port}", place, "--num-cpus=0")
        self._start([], *node, "--include-dashboard=false")

    def join(self, host: str | None = None, under: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        """One more node, once it belongs to the cluster. `under`: the words that start it elsewhere, at `host`."""
        return self._start(under, f"--address={self.address}", f"--node-ip-address={host or self.host}", "--num-cpus=1")

    def _start(self, under: Sequence[str], *arguments: str) -> "subprocess.Popen[bytes]":
        """A node that has come up. Ray gives one up after 30 s, which a busy machine takes: then the next one."""
        for left in reversed(range(TRIES)):
            node, said = self._begun(under, *arguments)
            if b"Ray runtime started" in said:
                return node
            assert left, said.decode()
            assert b"timed out during startup" in said, said.decode()
        raise AssertionError

    def _begun(self, under: Sequence[str], *arguments: str) -> "tuple[subprocess.Popen[bytes], bytes]":
        log = self.folder / f"node-{len(self.nodes)}.log"
        with log.open("wb") as file:
            node = subprocess.Popen(
                [*under, self.program, "start", *arguments, "--block", "--disable-usage-stats", OBJECTS],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.nodes.append(node)
        until = time.monotonic() + LONGEST
        while b"Ray runtime started" not in (said := log.read_bytes()):
            if node.poll() is not None:
                return node, log.read_bytes()
            assert time.monotonic() < until, said.decode()
            time.sleep(0.1)
        return node, said

    def said(self) -> bytes:
        """All that Ray has written anywhere."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


def end(nodes: "list[subprocess.Popen[bytes]]") -> None:
    """The nodes are gone, with all of their processes."""
    for node in nodes:
        node.terminate()
    for node in nodes:
        try:
            node.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(node.pid, signal.SIGKILL)
            node.wait()
