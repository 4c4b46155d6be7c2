"""A PgBouncer of our own before a server of our own, for tests; without the program they are left out and say so."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import psycopg
import pytest

from tests.postgres import LONGEST, NOBODY, Server, unprivileged

SETTINGS = """[databases]
* = host={server}
[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
auth_type = trust
auth_file = {folder}/users
admin_users = postgres
pool_mode = {mode}
default_pool_size = {size}
ignore_startup_parameters = options
"""


def program() -> str:
    """The program, or the end of this test."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer): A LEDGER BEHIND IT IS NOT TESTED HERE")
    return found


@dataclass
class Pooler:
    """One PgBouncer, started and stopped at will."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @classmethod
    @contextmanager
    def before(cls, server: Server, mode: str, size: int) -> Iterator["Pooler"]:
        """One for the block, which has `size` connections to the server; `mode`: session, transaction, statement."""
        words, folder = program(), server.folder / f"pooler-{mode}"
        folder.mkdir()
        (folder / "users").write_text('"pooled" ""\n"postgres" ""\n', "utf-8")
        (folder / "ini").write_text(SETTINGS.format(server=server.folder, folder=folder, mode=mode, size=size), "utf-8")
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        pooler = cls(folder)
        pooler.start(words)
        try:
            yield pooler
        finally:
            pooler.stop()
            shutil.rmtree(folder)

    def start(self, words: str) -> None:
        """Returns when it takes connections."""
        command = unprivileged([words, "-q", self.folder / "ini"], "--pdeathsig", "INT")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + LONGEST
        while not (self.folder / ".s.PGSQL.6432").exists():
            assert self.process.poll() is None, "PgBouncer ended"
            assert time.monotonic() < until, "PgBouncer does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it and all connections."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(LONGEST)
            self.process = None

    def restart(self) -> None:
        """All connections are lost, and new ones are taken."""
        self.stop()
        self.start(program())

    def end_connections(self) -> None:
        """It closes those to the server as soon as nobody uses them."""
        with psycopg.connect(
            host=str(self.folder), port=6432, user="postgres", dbname="pgbouncer", autocommit=True
        ) as c:
            c.execute("RECONNECT")

    def ledger(self, server: Server, *, named: bool = False) -> str:
        """The URL of a ledger in a schema of its own, which its role finds; `named`: the URL says it, too."""
        schema = unquote(server.ledger()).rpartition("=")[2]
        if not server.ask("SELECT 1 FROM pg_roles WHERE rolname = 'pooled'"):
            server.ask("CREATE ROLE pooled LOGIN SUPERUSER")
        server.ask(f"ALTER ROLE pooled SET search_path = {'public' if named else schema}")
        way = f"postgresql://pooled@/postgres?host={quote(str(self.folder), safe='')}&port=6432"
        return f"{way}&options=-csearch_path%3D{schema}" if named else way
