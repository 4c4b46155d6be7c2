"""Workers as tasks of a Ray cluster: Ray decides where they work, the ledger says what is true.

A task is a whole worker: the command `muster run-shard` in a process of Ray's. It is given names, never a row and never
a secret: the node's own environment and files have those. Ray retries nothing: a worker that is lost is replaced by
the leader, which hears of it from Ray, or from the ledger where Ray is silent.
"""

import logging
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.errors import ExitCode, Unusable
from jobs.ledger.place import File, place_of
from jobs.run.engines import Names
from jobs.settings.settings import Settings

LOST = -int(signal.SIGKILL)
"""The exit code of a worker that Ray lost, or that was given up."""

HERE = "local"
"""The address of a cluster that is started on this machine, for this run alone."""

OBJECTS = 80 * 1024 * 1024
"""Bytes of a local cluster's object store, near the least that Ray takes (75 MiB): names and exit codes cross it."""

SURROUNDINGS: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_grpc_client_keepalive_time_ms": "10000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
}
"""The environment that a local cluster is started with, and the connection to another one, unless it says something
else already. A node that is cut off is given up after 12 s (measured), with Ray's own values after minutes; nobody
without the token runs anything; nothing is told to Ray's makers."""


@contextmanager
def cluster(settings: Settings) -> Iterator[None]:
    """A connection to the cluster for the block. Raises Unusable where there is none, or the ledger can't be shared."""
    address = settings.ray_address or HERE
    if address.startswith("ray://"):
        words = "Ray's client (ray://) ends with its connection: muster has to run on a node of the cluster"
        raise Unusable(words, hint="--ray-address auto, on a node; or ray job submit -- muster run ...")
    if address != HERE and isinstance(place_of(settings.ledger), File):
        words = f"a ledger in SQLite is for one machine, and the workers of Ray at {address} may be on others"
        raise Unusable(words, hint="--ledger postgresql://...; or --engine ray without --ray-address, on this machine")
    for name, value in SURROUNDINGS.items():
        os.environ.setdefault(name, value)
    ray, terminated = _ray(), signal.getsignal(signal.SIGTERM)
    given: dict[str, Any] = {"num_cpus": settings.workers, "object_store_memory": OBJECTS, "include_dashboard": False}
    try:
        ray.init(address, logging_level=logging.ERROR, **(given if address == HERE else {}))
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        words = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Unusable(f"there is no Ray to be had at {address}: {words}", hint="ray status; --ray-address") from error
    finally:
        with suppress(ValueError):  # in a thread that is not the main one nobody has changed it
            signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    finally:
        ray.shutdown()


def work(arguments: Sequence[str], folder: str) -> int:
    """Works as `muster` with these arguments, within a process of Ray's; its exit code.

    `folder`: where the leader works; a node that has it too finds relative names there.
    """
    if Path(folder).is_dir():
        os.chdir(folder)
    sys.argv = ["muster", *arguments]
    try:
        runpy.run_module("jobs", run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(ExitCode.INTERNAL)
    return int(ExitCode.OK)


class RayEngine:
    """Has `muster run-shard` run in tasks of Ray, within `cluster`. See Engine."""

    def __init__(self) -> None:
        self._ray = _ray()
        plain = self._ray.remote(max_retries=0, retry_exceptions=False, max_calls=1, num_cpus=1)
        self._task = plain(work)
        self._under_way: dict[str, Any] = {}
        self._given_up: set[str] = set()

    def start(self, names: Names) -> None:
        """See Engine. Where no slot is free the task waits for one, on whatever node has or gets one."""
        task = self._task.options(name=f"muster {names.run} {names.worker}", scheduling_strategy="SPREAD")
        self._under_way[names.worker] = task.remote([*names.arguments, "-q"], str(Path.cwd()))

    def ended(self) -> Mapping[str, int]:
        """See Engine. A worker that was cancelled has ended, whatever Ray knows: its node may be cut off."""
        found = dict.fromkeys(self._given_up, LOST)
        self._given_up.clear()
        if self._under_way:
            tasks = list(self._under_way.values())
            done, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0, fetch_local=False)
            found |= {worker: self._code(task) for worker, task in self._under_way.items() if task in done}
        for worker in found:
            self._under_way.pop(worker, None)
        return found

    def cancel(self, worker: str) -> None:
        """See Engine."""
        task = self._under_way.pop(worker, None)
        if task is not None:
            self._given_up.add(worker)
            self._ray.cancel(task, force=True)

    def close(self) -> None:
        """See Engine."""
        for worker in list(self._under_way):
            self.cancel(worker)

    def _code(self, task: Any) -> int:
        try:
            return int(self._ray.get(task))
        except self._ray.exceptions.RayTaskError:
            return int(ExitCode.INTERNAL)
        except self._ray.exceptions.RayError:  # the process, its node, or what it gave is gone
            return LOST


def _ray() -> Any:
    """The library. Raises Unusable."""
    try:
        return import_module("ray")
    except ImportError as error:
        raise Unusable("--engine ray needs Ray", hint="pip install 'muster-onboarding[ray]'") from error
