"""A PostgreSQL server of our own for tests: in a folder in memory, behind a socket there, as somebody unprivileged.

Debian keeps the programs in a folder of the version, where they are looked for. Where there are none the tests are
left out and say so; with TESTS_NEED_POSTGRES set they fail.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import psycopg
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "ledger.md"

NOBODY = 65534
"""The user and group of nobody: the server refuses to run as root."""

LONGEST = 60.0
"""Seconds after which a server counts as hanging (chosen; it starts in a fifth of one)."""

SETTINGS = ("listen_addresses=", "shared_buffers=16MB", "max_connections=60", "log_min_messages=panic")


@cache
def programs() -> Path | None:
    """The folder of initdb and postgres; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def needed() -> Path:
    """The programs, or the end of this test."""
    found = programs()
    if found is None:
        words = "PostgreSQL is not installed (apt-get install postgresql): ITS LEDGER IS NOT TESTED HERE"
        if os.environ.get("TESTS_NEED_POSTGRES"):
            pytest.fail(words)
        pytest.skip(words)
    return found


@dataclass
class Server:
    """One server, started and stopped at will; its data outlive it."""

    folder: Path
    settings: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    @contextmanager
    def running(cls, *settings: str) -> Iterator["Server"]:
        """A new one for the block."""
        initdb = (needed() / "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with cls._made_by(initdb, settings) as server:
            yield server

    @contextmanager
    def followed(self, *, lagging: bool = False) -> Iterator["Server"]:
        """A synchronous replica for the block: no commit is acknowledged before it is on its disk.

        `lagging`: one that nobody waits for.
        """
        copy = (needed() / "pg_basebackup", "-h", self.folder, "-U", "postgres", "-R", "-X", "stream", "-c", "fast")
        with self._made_by(copy, self.settings) as replica:
            if not lagging:
                self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
                self.ask("SELECT pg_reload_conf()")
            self._until("SELECT sync_state FROM pg_stat_replication", ("async" if lagging else "sync",))
            yield replica

    @classmethod
    @contextmanager
    def _made_by(cls, command: tuple[Any, ...], settings: tuple[str, ...]) -> Iterator["Server"]:
        """A server whose data a command makes, for the block."""
        place = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
        for left in place.glob("pg-*-*"):  # of tests that were killed; their servers ended with them
            if not Path("/proc", left.name.split("-")[1]).exists():
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"pg-{os.getpid()}-", dir=place) as folder:
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
            server = cls(Path(folder), settings)
            as_nobody([*command, "-D", server.data])
            server.start()
            try:
                yield server
            finally:
                server.stop(signal.SIGQUIT)

    def caught_up(self, first: "Server") -> None:
        """Returns when this replica has all that `first` has committed."""
        ((place,),) = first.ask("SELECT pg_current_wal_flush_lsn()::text")
        self._until(f"SELECT pg_last_wal_replay_lsn() >= '{place}'", (True,))

    def follow_no_more(self) -> None:
        """A replica gets nothing more, as one that lags behind."""
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.ask("SELECT pg_reload_conf()")
        self._until("SELECT count(*) FROM pg_stat_wal_receiver", (0,))

    def _until(self, question: str, answer: tuple[Any, ...]) -> None:
        """Returns when the question gives this one row."""
        until = time.monotonic() + LONGEST
        while self.ask(question) != [answer]:
            assert time.monotonic() < until, f"{question} never gave {answer}"
            time.sleep(0.05)

    @property
    def data(self) -> Path:
        """The folder of its database."""
        return self.folder / "data"

    def start(self) -> None:
        """Returns when it takes connections."""
        given = [part for setting in (*SETTINGS, *self.settings) for part in ("-c", setting)]
        self.process = subprocess.Popen(
            unprivileged([needed() / "postgres", "-D", self.data, "-k", self.folder, *given], "--pdeathsig", "INT"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        )
        until = time.monotonic() + LONGEST
        while True:
            assert self.process.poll() is None, "the server ended"
            try:
                self.ask("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends all connections and stops; SIGQUIT is a crash: what was not committed is gone."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(LONGEST)
            self.process = None

    def crash(self) -> None:
        """Is stopped as by a crash, and started again."""
        self.stop(signal.SIGQUIT)
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """For the block all its processes stand still: connections stay, and nothing is answered."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        os.kill(self.process.pid, signal.SIGSTOP)
        stopped = [self.process.pid, *map(int, children.read_text("ascii").split())]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(stopped):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def ask(self, statement: str, *values: Any, role: str = "postgres") -> list[tuple[Any, ...]]:
        """What a statement gives, in a transaction of its own."""
        with psycopg.connect(host=str(self.folder), user=role, dbname="postgres", autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def ledger(self, *, role: str = "postgres", schema: str | None = None) -> str:
        """The URL of a ledger in a schema of its own, or in `schema`, as `role` uses it."""
        if schema is None:
            schema = f"ledger_{next(self._numbers)}"
            self.ask(f"CREATE SCHEMA {schema}")
        options = quote(f"-csearch_path={schema}", safe="")
        return f"postgresql://{role}@/postgres?host={quote(str(self.folder), safe='')}&options={options}"

    def granted(self, url: str) -> str:
        """The ledger at `url`, which its owner has made, as a role that has the rights which docs/ledger.md names."""
        role, schema = f"worker_{next(self._numbers)}", unquote(url).rpartition("=")[2]
        block = PAGE.read_text("utf-8").partition("```sql\n")[2].partition("```")[0]
        for statement in block.replace("muster_ledger", schema).replace("muster_worker", role).split(";"):
            if statement.strip():
                self.ask(statement)
        return self.ledger(role=role, schema=schema)

    def backends(self) -> list[int]:
        """The processes that serve muster's connections."""
        return [pid for (pid,) in self.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'muster'")]


def unprivileged(command: list[Any], *options: str) -> list[str]:
    """The command as nobody runs it, where we are root."""
    words = [str(each) for each in command]
    given = [*options]
    if os.geteuid() == 0:
        given += ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *given, *words] if given else words


def as_nobody(command: list[Any]) -> None:
    """Runs a command to its end; what it says is told when it fails."""
    environ = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    done = subprocess.run(unprivileged(command), capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
