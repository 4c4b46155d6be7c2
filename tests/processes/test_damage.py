"""Ledgers that are damaged, full or held in mid-run, and validations that hang: told in words, and nothing is lost."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from jobs.ledger.packed import pack
from jobs.sandbox.server import Sandbox
from tests.flow.muster import REPOSITORY, also, lines, writes
from tests.flow.people import people

from .program import (
    Program,
    Running,
    Said,
    ended,
    filled,
    finished,
    mounted,
    named,
    once_each,
    reported,
    tidy,
    until,
    until_sending,
)
from .test_signals_everywhere import SIGNALS

ROWS = 8
HINT = re.compile(r"^  try: (.*)$", re.MULTILINE)
OPEN = frozenset({"pending", "in_doubt", "not_attempted"})


@pytest.fixture
def many(sandbox: Sandbox, tmp_path: Path) -> Program:
    """Rows enough to meet a run in its middle; the target takes its time."""
    sandbox.configure(latency_ms=100)
    return Program.of(tmp_path, sandbox, people(ROWS))


def hint(said: Said) -> str:
    """What the program says to try."""
    found = HINT.search(said.stderr)
    assert found is not None, said
    return found[1]


@contextmanager
def stopped_in_the_middle(many: Program) -> Iterator[Running]:
    """A run that is stopped by SIGSTOP, wherever it is, once it has sent something; it goes on after the block."""
    with many.begun("run", "customers.csv", "--concurrency", "2") as running:
        until_sending(many, running)
        os.kill(running.pid, signal.SIGSTOP)
        yield running


def gone_on(running: Running) -> Said:
    os.kill(running.pid, signal.SIGCONT)
    return ended(running)


def intents(ledger: Path) -> int:
    """How many writes the ledger knows of."""
    with closing(sqlite3.connect(ledger)) as connection:
        found: int = connection.execute("SELECT count(*) FROM event WHERE kind = ?", [pack("intent")]).fetchone()[0]
        return found


def wal_removed(ledger: Path) -> None:
    Path(f"{ledger}-wal").unlink()


def index_cut(ledger: Path) -> None:
    os.truncate(f"{ledger}-shm", 0)


def removed(ledger: Path) -> None:
    ledger.unlink()


def removed_with_all(ledger: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{ledger}{ending}").unlink()


def wal_cut(ledger: Path) -> None:
    os.truncate(f"{ledger}-wal", 0)


def replaced(ledger: Path) -> None:
    Path(f"{ledger}.new").touch()
    Path(f"{ledger}.new").replace(ledger)


@pytest.mark.few(1)
@pytest.mark.parametrize("change", [wal_removed, removed_with_all, *also(index_cut, removed, wal_cut, replaced)])
def test_a_ledger_that_is_damaged_in_mid_run_stops_it_and_the_hint_goes_on_without_a_loss(
    many: Program, change: Callable[[Path], None]
) -> None:
    with stopped_in_the_middle(many) as running:
        change(many.ledger)
        said = gone_on(running)
    assert said.code == 3, said
    named(said)
    assert "nothing is lost" in said.stderr
    reported(many.folders[-1], ROWS)
    assert {line["outcome"] for line in lines(many.folders[-1] / "outcome.csv")} & OPEN
    saving, _, going_on = hint(said).rpartition("muster ")
    if saving:
        assert many.here().code == 2  # a ledger that lost something is not gone on with
        subprocess.check_call(["bash", "-c", saving.removesuffix(", then ")], cwd=many.folder)
    assert intents(many.ledger) >= len(writes(many.sandbox))
    many.sandbox.configure(latency_ms=0)
    resumed = many.here(*shlex.split(going_on))
    assert resumed.code == 0, resumed
    once_each(many)
    reported(many.folders[-1], ROWS)
    tidy(many)


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def held(ledger: Path) -> Iterator[int]:
    """The write lock is in the hands of a process that was stopped; its pid."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, ledger], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holder.send_signal(signal.SIGSTOP)
            yield holder.pid
        finally:
            holder.kill()


def patient(folder: Path, seconds: float) -> dict[str, str | None]:
    """The variables of a process that waits so long for others' locks."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import jobs.ledger.turn\njobs.ledger.turn.BUSY_SECONDS = {seconds}\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, *also(signal.SIGTERM)], ids=lambda number: number.name)
def test_a_signal_is_heard_while_another_process_holds_the_ledger(
    many: Program, tmp_path: Path, number: signal.Signals
) -> None:
    env = patient(tmp_path / "patient", 10_000)  # who is not heard waits for hours
    with many.begun("run", "customers.csv", "--concurrency", "2", env=env) as running:
        until_sending(many, running)
        with held(many.ledger):
            running.send_signal(number)
            said = ended(running)
    assert said.code == SIGNALS[number], said
    named(said)
    reported(many.folders[-1], ROWS)
    many.sandbox.configure(latency_ms=0)
    assert many.here(*shlex.split(hint(said).rpartition("muster ")[2])).code == 0
    once_each(many)
    tidy(many)


@pytest.mark.slow
def test_a_ledger_that_stays_held_is_6_and_names_who_holds_it(many: Program, tmp_path: Path) -> None:
    env = patient(tmp_path / "patient", 0.5)
    with many.begun("run", "customers.csv", "--concurrency", "2", env=env) as running:
        until_sending(many, running)
        with held(many.ledger) as pid:
            said = ended(running)
    assert said.code == 6, said
    named(said)
    assert f"(pid {pid}) holds the lock of the ledger muster.db" in said.stderr
    reported(many.folders[-1], ROWS)
    many.sandbox.configure(latency_ms=0)
    finished(many)


HANGS = """
import os, pathlib
from jobs.intake import stage
scanned = stage._scanned
def hanging(_path, *rest):
    os.mkfifo("fifo")  # polars opens it, and waits in native code for somebody who writes
    pathlib.Path("hanging").touch()
    return scanned(pathlib.Path("fifo"), *rest)
stage._scanned = hanging
"""


@pytest.mark.parametrize("command", ["validate", *also("run", "plan")])
@pytest.mark.parametrize("number", [signal.SIGTERM, *also(signal.SIGINT)], ids=lambda number: number.name)
def test_a_validation_that_hangs_in_native_code_hears_a_signal(
    program: Program, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    (tmp_path / "hangs").mkdir()
    (tmp_path / "hangs" / "sitecustomize.py").write_text(HANGS)
    env: dict[str, str | None] = {"PYTHONPATH": f"{tmp_path / 'hangs'}{os.pathsep}{REPOSITORY}"}
    with program.begun(command, "customers.csv", env=env) as running:
        until((program.folder / "hanging").exists, running)
        running.send_signal(number)
        said = ended(running)
    assert said.code == SIGNALS[number], said
    assert "muster: interrupted" in said.stderr
    assert "Traceback" not in said.stderr
    tidy(program)
    assert program.folders == []
    assert program.sandbox.journal() == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["ledger", *also("runs")])
def test_a_disk_that_fills_up_in_mid_run_is_3_and_the_hint_goes_on(many: Program, place: str) -> None:
    arguments = ("--ledger", "sqlite:///ledger/muster.db") if place == "ledger" else ()
    with mounted(many.folder / place, "size=8m"):
        with many.begun("run", "customers.csv", "--concurrency", "2", *arguments) as running:
            until_sending(many, running)
            os.kill(running.pid, signal.SIGSTOP)
            with filled(many.folder / place):
                said = gone_on(running)
        assert said.code == 3, said
        named(said)
        assert f"free space there ({many.folder / place}: 0 KB of 8.4 MB are free" in hint(said), said
        if place == "ledger":
            reported(many.folders[-1], ROWS)
        else:
            assert "outcome.csv can't be written" in said.stderr
        many.sandbox.configure(latency_ms=0)
        resumed = many.here(*shlex.split(hint(said).rpartition("muster ")[2]), *arguments)
        assert resumed.code == 0, resumed
        once_each(many)
        reported(many.folders[-1], ROWS)
        tidy(many)
