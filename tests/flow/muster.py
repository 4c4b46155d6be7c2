"""muster as its users meet it: a command line in a folder of its own, against a sandbox."""

import csv
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.__main__ import status
from jobs.sandbox.server import Sandbox
from tests.forked import Forked

if TYPE_CHECKING:
    from jobs.clock import Clock

REPOSITORY = Path(__file__).resolve().parents[2]
RUNS = frozenset({"run", "register", "resume", "retry", "kyc"})
READS = frozenset({"GET", "HEAD"})
LOGINS = frozenset({"login", "renew"})


@dataclass(frozen=True)
class Ended:
    """One command that ended: its exit code, what it said, and the folder of its run."""

    code: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json."""
        return dict(json.loads((self.folder / "summary.json").read_bytes()))

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines of outcome.csv."""
        assert self.folder.exists(), (self.code, self.stderr)
        return lines(self.folder / "outcome.csv")

    @property
    def outcomes(self) -> list[str]:
        """The outcome of each row, in input order."""
        return [row["outcome"] for row in self.rows]

    @property
    def counts(self) -> Counter[str]:
        """Rows per outcome."""
        return Counter(self.outcomes)

    @property
    def reconciliation(self) -> list[dict[str, str]]:
        """The lines of reconciliation.csv."""
        return lines(self.folder / "reconciliation.csv")


def lines(path: Path) -> list[dict[str, str]]:
    """A CSV file of muster's."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


class Muster:
    """`muster("run", file)` works in this process; `process` and `start` work in one of their own."""

    def __init__(self, folder: Path, sandbox: Sandbox, output: Callable[[], tuple[str, str]]) -> None:
        self.folder, self.sandbox, self._output = folder, sandbox, output
        self.runs = 0
        self.clock: Clock | None = None
        """What a command in this process tells the time by; None: the real clock."""

    def __call__(self, *arguments: str | Path) -> Ended:
        """One command in this process."""
        given, folder = self._arguments(arguments)
        self._output()
        code = status(given, self.clock)
        return Ended(int(code), *self._output(), folder)

    def plain(self, *arguments: str | Path) -> Ended:
        """One command in this process as it is, without a --run-id."""
        self._output()
        code = status([str(argument) for argument in arguments], self.clock)
        return Ended(int(code), *self._output(), self.folder / "runs")

    def process(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ended:
        """One command in a process of its own."""
        return self.wait(self.start(*arguments, env=env))

    def killed(self, operation: str, when: str, nth: int, *arguments: str | Path) -> Ended:
        """One command in a process of its own that is killed at the `nth` call of `operation`.

        `when`: "before" or "after" the target has committed it.
        """
        started = self.start(*arguments, waiting=True)
        params = {"pid": started.running.pid, "when": when}
        self.sandbox.faults([{"operation": operation, "kind": "signal_client", "nth": nth, "params": params}])
        started.running.send_signal(signal.SIGCONT)
        ended = self.wait(started)
        self.sandbox.faults([])
        assert ended.code == -signal.SIGKILL, ended
        return ended

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None, waiting: bool = False) -> "Started":
        """Begins a command in a process of its own; `waiting`: for SIGCONT, before its first step."""
        given, folder = self._arguments(arguments)
        environment = {**os.environ, **(env or {})}
        pipe = subprocess.PIPE
        running = Forked(given, environment, waiting=waiting, cwd=self.folder, stdout=pipe, stderr=pipe)
        return Started(running, folder)

    def wait(self, started: "Started", seconds: float = 120) -> Ended:
        """Until it ends."""
        stdout, stderr = started.running.communicate(timeout=seconds)
        return Ended(started.running.returncode, stdout, stderr, started.folder)

    def _arguments(self, arguments: tuple[str | Path, ...]) -> tuple[list[str], Path]:
        given = [str(argument) for argument in arguments]
        if given[0] not in RUNS or "--run-id" in given:
            return given, self.folder / "runs" / f"run-{self.runs}"
        self.runs += 1
        return [*given, "--run-id", f"run-{self.runs}"], self.folder / "runs" / f"run-{self.runs}"


@dataclass(frozen=True)
class Started:
    """A command under way."""

    running: "subprocess.Popen[str]"
    folder: Path


def writes(sandbox: Sandbox, after: int = 0) -> list[dict[str, Any]]:
    """The calls that could change something."""
    return [
        entry for entry in sandbox.journal(after) if entry["method"] not in READS and entry["operation"] not in LOGINS
    ]


def also(*values: object) -> list[Any]:
    """Parameters of the slow tests."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits until `condition` holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.01)


def arrivals(sandbox: Sandbox) -> int:
    """How many calls came so far; for `writes(sandbox, after=...)`."""
    return len(sandbox.journal())


@dataclass(frozen=True)
class Standing:
    """What the target holds of one identity number."""

    customers: int
    verifications: int
    wallets: int


ONE_OF_EACH = Standing(customers=1, verifications=1, wallets=1)


def standing(sandbox: Sandbox, national_id: str) -> Standing:
    """How many customers, verifications and wallets there are for `national_id`."""
    held = [
        customer
        for customer in sandbox.state.customers.values()
        if customer.fields["nationalIdentityNumber"] == national_id
    ]
    return Standing(len(held), sum(len(each.verifications) for each in held), sum(len(each.wallets) for each in held))
