"""The SQLite ledger's own promises: pragmas that hold, private files, and full or read-only disks that are named."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from books import Book, begun, ended, intent, url_of
from sqlalchemy import text

from jobs.errors import ExitCode, Unusable
from jobs.ledger import sqlite, turn
from jobs.ledger.broken import LedgerBroken, LedgerBusy
from jobs.ledger.files import Files
from jobs.ledger.place import File, place_of
from jobs.ledger.store import Store
from jobs.ledger.turn import Turn
from jobs.ledger.writer import Writer


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("temp_store", 2), ("wal_autocheckpoint", 4000)],
)
def test_every_connection_has_the_pragmas(tmp_path: Path, pragma: str, value: object) -> None:
    with Store.opened(url_of(tmp_path)) as store, store.engine.connect() as first, store.writes.connect() as second:
        assert first.scalar(text(f"PRAGMA {pragma}")) == value
        assert second.scalar(text(f"PRAGMA {pragma}")) == value


def test_a_connection_without_wal_is_refused() -> None:
    path = Path("muster.db")
    with sqlite3.connect(":memory:") as connection, pytest.raises(LedgerBroken, match="journal_mode=memory") as caught:
        sqlite._on_connect(connection, Files(path), Turn(path))
    connection.close()
    assert caught.value.hint == "put the ledger on a local disk"


def test_a_ledger_without_wal_can_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FULL", 99)  # as if the pragma had not held

    with pytest.raises(Unusable, match="WAL and FULL are needed"):
        Store.open(url_of(tmp_path))


def test_who_comes_while_another_makes_the_ledger_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "muster.db"
    path.touch(mode=0o600)
    rival = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    rival.execute("BEGIN IMMEDIATE")  # at this lock SQLite refuses the change to WAL at once, without its time-out
    soon = threading.Timer(0.3, rival.close)
    soon.start()
    with Store.opened(url_of(tmp_path)) as store:
        assert store.space("eclipse", "1001") == 1
    soon.join()


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.opened(url_of(tmp_path)) as store:
            begun(store).apply(intent("a"))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert modes == {"muster.db": 0o600, "muster.db-wal": 0o600, "muster.db-shm": 0o600}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "muster.db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://user:secret@host/db",
        "nothing:///x",
        "sqlite:///no/such/folder/muster.db",
        "sqlite:////proc/muster.db",
        "sqlite:////",
        "sqlite:///a\x00b",
        "://",
    ],
)
def test_what_is_no_ledger_is_refused_in_a_sentence(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Unusable) as caught:
        Store.open(url).close()

    assert caught.value.exit_code == ExitCode.UNUSABLE
    assert "secret" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "muster.db"
    path.write_text("first_name,last_name\n" * 100)

    with pytest.raises(Unusable, match="not a database"):
        Store.open(url_of(tmp_path))

    assert path.read_text() == "first_name,last_name\n" * 100


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / "muster.db").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Unusable, match="not a file"):
        place_of(url_of(tmp_path)).open()


def test_opening_a_second_time_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    with Store.opened(url_of(tmp_path)) as store, store.writes.begin() as connection:
        connection.execute(text("UPDATE space SET epoch = 0"))
        Store.open(url_of(tmp_path)).close()
        program = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0.1, isolation_level=None);"
            "c.execute('BEGIN IMMEDIATE')"
        )
        other = subprocess.run(
            ["python3", "-c", program, tmp_path / "muster.db"], capture_output=True, text=True, check=False
        )

    assert "database is locked" in other.stderr


def test_a_ledger_that_another_holds_is_waited_for_and_no_matter_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUSY_SECONDS", 0.1)
    with Store.opened(url_of(tmp_path)) as store:
        book = begun(store)
        rival = sqlite3.connect(tmp_path / "muster.db", isolation_level=None)
        rival.execute("BEGIN IMMEDIATE")
        with closing(rival), pytest.raises(LedgerBusy, match="locked") as caught:
            book.apply(intent("a"))

    assert caught.value.exit_code == ExitCode.LOCKED
    assert "muster status" in str(caught.value.hint)


def test_a_path_is_relative_to_the_working_directory() -> None:
    assert place_of("sqlite:///muster.db") == File(Path("muster.db"))
    assert place_of("sqlite:////var/lib/muster.db") == File(Path("/var/lib/muster.db"))


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes; skips where none can be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def written_until_broken(book: Book) -> tuple[LedgerBroken, int]:
    """What broke the writer, and how many rows it had acknowledged."""

    told = 0

    async def work() -> None:
        nonlocal told
        async with Writer(book.store, book.space_id, book.epoch, book.run_id) as writer:
            with suppress(LedgerBroken):
                for number in range(1, 100_000):
                    await writer.commit(ended(number, reason="x" * 500))
                    told = number
            with pytest.raises(LedgerBroken):
                await writer.commit(intent("later"))
            await writer.post(intent("later"))

    with pytest.raises(LedgerBroken) as caught:
        asyncio.run(work())
    return caught.value, told


def test_a_full_disk_is_named_stops_all_writing_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 600) as disk:
        with Store.opened(url_of(disk)) as store:
            broken, told = written_until_broken(begun(store))
            rows = [row["source_row"] for page in store.outcomes(begun_run(store)) for row in page]

        assert "full" in broken.message or "I/O" in broken.message
        assert f"free space there ({disk}: 0 KB of 614 KB are free" in str(broken.hint)
        assert told > 10
        assert rows[:told] == list(range(1, told + 1))


def test_a_disk_that_becomes_read_only_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4000) as disk:
        with Store.opened(url_of(disk)) as store:
            book = begun(store)
            book.apply(ended(1))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        with pytest.raises(Unusable, match=r"can't be|not a file"):
            Store.open(url_of(disk))


def begun_run(store: Store) -> str:
    return store.runs(1)[0].run_id
