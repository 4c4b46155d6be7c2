"""A server whose disk is full, or that stops because of it: told in words, nothing acknowledged is lost."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from books import RUN, Book, begun, ended, intent

from jobs.ledger import postgres as ours
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.store import Store
from tests.postgres import NOBODY, Server
from tests.processes.program import filled, mounted

OWNED = f"uid={NOBODY},gid={NOBODY},mode=700"
"""Of a file system that the server may write to."""

AT_ONCE = 20
"""Rows of a commit."""


def written_until_broken(book: Book, first: int = 1) -> tuple[LedgerBroken, int]:
    """What was said when the ledger took no more, and the last row that it had acknowledged."""
    for row in range(first, 100_000, AT_ONCE):
        rows = range(row, row + AT_ONCE)
        try:
            book.apply(*(intent(f"cust-{row}") for row in rows), *(ended(row, reason=token_hex(800)) for row in rows))
        except LedgerBroken as error:
            return error, row - 1
    raise AssertionError("the disk never was full")


def is_whole(book: Book, last: int) -> None:
    assert [row["source_row"] for page in book.store.outcomes(RUN.run_id) for row in page] == list(range(1, last + 1))
    assert book.events() == [f"cust-{row}" for row in range(1, last + 1)]


def test_a_full_disk_of_the_server_is_told_and_gone_on_with_once_there_is_room(
    postgres: Server,
) -> None:
    disk = postgres.folder / "small"
    with mounted(disk, f"size=3m,{OWNED}") as again:
        postgres.ask(f"CREATE TABLESPACE small LOCATION '{disk}'")
        postgres.ask("CREATE ROLE cramped LOGIN SUPERUSER")
        postgres.ask("ALTER ROLE cramped SET default_tablespace = small")
        with Store.opened(postgres.ledger(role="cramped")) as store:
            book = begun(store)
            broken, last = written_until_broken(book)

            assert "No space left on device" in broken.message
            assert "free space on the server's disk" in str(broken.hint)
            assert last > 10
            is_whole(book, last)
            again("size=30m")
            book.apply(intent(f"cust-{last + 1}"), ended(last + 1))
            is_whole(book, last + 1)
        postgres.ask("DROP OWNED BY cramped CASCADE")
        postgres.ask("DROP TABLESPACE small")


@pytest.fixture
def cramped() -> Iterator[tuple[Server, Path]]:
    """A server whose log of changes lies on a small disk of its own, and that disk."""
    with Server.running() as server:
        server.stop()
        disk, log = server.folder / "wal", server.data / "pg_wal"
        with mounted(disk, f"size=40m,{OWNED}"):
            subprocess.check_call(["cp", "-a", f"{log}/.", disk])
            shutil.rmtree(log)
            log.symlink_to(disk)
            server.start()
            yield server, disk
            server.stop(signal.SIGQUIT)


@pytest.mark.slow
def test_a_server_that_a_full_disk_stops_loses_nothing_and_is_gone_on_with_once_there_is_room(
    cramped: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "AWAY_SECONDS", 1.0)
    server, disk = cramped
    with Store.opened(server.ledger()) as store:
        book = begun(store)
        book.apply(intent("cust-1"), ended(1))
        with filled(disk):
            with suppress(psycopg.Error):
                server.ask("SELECT pg_switch_wal()")  # the next part of it has no room: the server gives up
            broken, last = written_until_broken(book, 2)
        assert "was away for" in broken.message
        assert "full disk" in str(broken.hint)
        server.stop(signal.SIGQUIT)
        server.start()
        is_whole(book, last)
        book.apply(intent(f"cust-{last + 1}"), ended(last + 1))
        is_whole(book, last + 1)
