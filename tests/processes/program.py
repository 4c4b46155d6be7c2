"""muster as a real process, under a tracer, a limit or a signal; and what must be true of target and files after it."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from jobs.__main__ import status
from jobs.evidence.events import verify_events
from jobs.sandbox.server import Sandbox
from tests.flow.muster import ONE_OF_EACH, REPOSITORY, lines, standing, writes
from tests.flow.people import Row, written
from tests.forked import Forked

Running = subprocess.Popen[str]

DONE = frozenset({"onboarded", "already_onboarded"})
PLAIN = ("-m", "jobs")
"""What Python is given to begin with muster from nothing."""

LONGEST = 120.0
"""Seconds after which a process counts as hanging (chosen; a run of four rows takes two on an idle machine)."""


@dataclass(frozen=True)
class Said:
    """A process that ended: its exit code, negative for the signal that ended it, and what it said."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Program:
    """muster in a folder of its own, with an input file, against a sandbox."""

    folder: Path
    sandbox: Sandbox
    base_url: str
    rows: tuple[Row, ...]
    tenant: int = 0

    @classmethod
    def of(cls, folder: Path, sandbox: Sandbox, rows: Sequence[Row]) -> "Program":
        """A fresh folder that holds `customers.csv` with `rows`."""
        folder.mkdir(parents=True, exist_ok=True)
        written(folder / "customers.csv", rows)
        return cls(folder, sandbox, sandbox.base_url, tuple(rows), sandbox.tenant)

    def through(self, base_url: str) -> "Program":
        """The same, reaching the target by another way."""
        return replace(self, base_url=base_url)

    @property
    def settings(self) -> dict[str, str]:
        """The variables that are muster's."""
        given = {
            "BASE_URL": self.base_url,
            "TENANT": str(self.tenant),
            "IDENTITY": self.sandbox.identity,
            "PASSWORD": self.sandbox.password,
            "RATE": "1000/1",
            "DECISION_POLL": "0.2",
            "DECISION_WAIT": "3",
        }
        return {f"MUSTER_{name}": value for name, value in given.items()}

    def environment(self, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The variables of a process; a change to None takes one away."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
        merged: dict[str, str | None] = {**kept, **self.settings, "PYTHONPATH": str(REPOSITORY), **(changes or {})}
        return {name: value for name, value in merged.items() if value is not None}

    @contextmanager
    def begun(
        self,
        *arguments: str,
        under: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        program: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[Running]:
        """A process of its own session, killed with all its children when the block ends.

        `under`: the words of a program that starts it, such as a tracer. `program`: what Python is to begin with.
        Without both, the process is forked from one that has begun.
        """
        arguments = arguments or ("run", "customers.csv")
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        settings = pipes | {"cwd": self.folder, "env": self.environment(env), "start_new_session": True} | options
        if under or program:
            words = [*under, sys.executable, *(program or PLAIN), *arguments]
            running: Running = subprocess.Popen(words, text=True, **settings)
        else:
            running = Forked(arguments, **settings)
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGCONT)
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
            for pipe in (running.stdout, running.stderr):
                if pipe is not None:
                    pipe.close()

    def __call__(
        self,
        *arguments: str,
        under: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> Said:
        """One command until it ends; without arguments, `run customers.csv`."""
        with self.begun(*arguments, under=under, env=env, **options) as running:
            return ended(running)

    def here(self, *arguments: str) -> Said:
        """One command in this process: for what comes before and after the process that a test is about.

        A process takes more than a second of computing before it does anything.
        """
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as monkeypatch, redirect_stdout(out), redirect_stderr(err):
            monkeypatch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("MUSTER_")]:
                monkeypatch.delenv(name)
            for name, value in self.settings.items():
                monkeypatch.setenv(name, value)
            code = status(list(arguments or ("run", "customers.csv")))
        return Said(int(code), out.getvalue(), err.getvalue())

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "muster.db"

    @property
    def folders(self) -> list[Path]:
        """The folders of all runs, the oldest first; of those that began in one second, the one written first."""
        found = (path for path in self.folder.glob("runs/[!.]*") if path.is_dir())
        return sorted(found, key=lambda path: (path.name[: len("20261121T021500Z")], path.stat().st_mtime_ns))


@contextmanager
def mounted(folder: Path, options: str, source: str = "tmpfs") -> Iterator[Callable[[str], int]]:
    """A small file system on `folder`; gives what mounts it again with other options."""
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs"] if source == "tmpfs" else ["mount"]
    made = subprocess.run([*words, "-o", options, source, str(folder)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"NOT TESTED: mounting needs root ({made.stderr.strip()})")
    try:
        yield lambda other: subprocess.check_call(["mount", "-o", f"remount,{other}", str(folder)])
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Nothing more can be written to `disk`."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    yield
    filler.unlink()


def until(condition: Callable[[], bool], running: Running, seconds: float = LONGEST) -> None:
    """Waits until `condition` holds, while the process works."""
    end = time.monotonic() + seconds
    while not condition():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def until_sending(program: Program, running: Running) -> None:
    """Waits until the process has written something at the target."""
    until(lambda: bool(writes(program.sandbox)), running)


def arrived(entry: Mapping[str, Any]) -> float:
    """When a call came, in seconds since 1970."""
    return datetime.fromisoformat(entry["wall"]).timestamp()


@contextmanager
def told(words: object) -> Iterator[None]:
    """Adds `words`, such as a seed, to whatever fails in the block."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case: {words}")
        raise


def ended(running: Running, seconds: float = LONGEST) -> Said:
    """What a process said until it ended."""
    stdout, stderr = running.communicate(timeout=seconds)
    return Said(running.returncode, stdout or "", stderr or "")


def finished(program: Program) -> Said:
    """Goes on until all is done, and checks that it is: once at the target, once in the report, nothing left over."""
    last = program.here("run", "customers.csv")
    assert last.code == 0, last
    assert {row["outcome"] for row in lines(program.folders[-1] / "outcome.csv")} <= DONE
    once_each(program)
    reported(program.folders[-1], len(program.rows))
    whole(program)
    tidy(program)
    return last


def once_each(program: Program) -> None:
    """Exactly one customer, one verification and one wallet for each row, at the target."""
    found = {row["row_ref"]: standing(program.sandbox, row["national_id"]) for row in program.rows}
    assert found == dict.fromkeys(found, ONE_OF_EACH)


def reported(folder: Path, rows: int) -> None:
    """One line of outcome.csv for each row, in input order."""
    assert [row["source_row"] for row in lines(folder / "outcome.csv")] == [str(n + 1) for n in range(rows)]


def whole(program: Program) -> None:
    """Every file of every run is readable to its end, or absent."""
    for path in (path for folder in program.folders for path in folder.glob("[!.]*")):
        content = path.read_bytes()
        match path.suffix:
            case ".csv":
                table = list(csv.reader(content.decode("utf-8-sig").splitlines()))
                assert len({len(line) for line in table}) == 1, path
            case ".parquet":
                pl.read_parquet(path)
            case ".json":
                orjson.loads(content)
            case ".ndjson":
                assert verify_events(path).count, path
            case ".html":
                assert content.rstrip().endswith(b"</html>"), path


def tidy(program: Program) -> None:
    """No draft and no workspace is left."""
    left = list(program.folder.rglob(".*"))
    assert left == [], [str(path) for path in left]


def named(said: Said) -> None:
    """The failure is one sentence for a person: no traceback, no defect of muster's own."""
    assert "Traceback" not in said.stderr, said.stderr
    assert "internal error" not in said.stderr, said.stderr
    assert re.search(r"^muster: \S+ .+", said.stderr, re.MULTILINE), said.stderr
