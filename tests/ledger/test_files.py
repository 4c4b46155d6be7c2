"""Files of the ledger that are taken from under it: noticed at the next write, and nothing acknowledged is lost."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from books import Book, begun, intent, url_of

from jobs.errors import ExitCode, Unusable
from jobs.ledger.broken import LedgerBroken, LedgerLost
from jobs.ledger.store import Store

KEYS = [f"k{number:02}" for number in range(40)]

Change = Callable[[Path], None]


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    """By an older copy of itself."""
    shutil.copy(path, path.with_name("older"))
    path.unlink()
    path.with_name("older").rename(path)


def replaced_by_nothing(path: Path) -> None:
    path.unlink()
    path.touch(0o600)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def in_place(folder: Path) -> set[str]:
    """The keys that a process finds which comes after this one was killed: in a copy of the files as they lie there."""
    found = folder.with_name(f"{folder.name}-found")
    shutil.copytree(folder, found, dirs_exist_ok=True)
    with Store.opened(url_of(found), create=False) as store:
        return keys(store)


def keys(store: Store) -> set[str]:
    run_id = store.runs(1)[0].run_id
    return {str(event["key"]) for event in store.events(run_id) if event["kind"] == "intent"}


def written(store: Store) -> Book:
    """A ledger with 40 intents, most of them in the WAL alone."""
    book = begun(store)
    for key in KEYS:
        book.apply(intent(key))
    return book


def noticed(book: Book) -> LedgerBroken:
    """What the next write says; it says it again, and nothing comes through."""
    with pytest.raises(LedgerBroken) as caught:
        book.apply(intent("too late"))
    with pytest.raises(LedgerBroken) as again:
        book.apply(intent("later still"))
    assert str(again.value) == str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("muster.db-wal", removed, "removed"),
        ("muster.db-shm", removed, "removed"),
        ("muster.db-shm", replaced, "replaced"),
        ("muster.db-shm", replaced_by_nothing, "replaced"),
        ("muster.db-shm", emptied, "cut short"),
    ],
)
def test_what_can_be_saved_in_place_is_there_for_whoever_comes_next(
    tmp_path: Path, name: str, change: Change, word: str
) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)
        change(tmp_path / name)
        broken = noticed(book)
        after_a_kill = in_place(tmp_path)
        still_read = keys(store)

    assert f"{name} was {word}" in broken.message
    assert "nothing is lost" in broken.message
    assert broken.hint == "muster resume"
    assert after_a_kill == still_read == set(KEYS)
    assert in_place(tmp_path) == set(KEYS)  # and when it was closed in peace


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("muster.db", removed, "removed"),
        ("muster.db", replaced, "replaced"),
        ("muster.db", replaced_by_nothing, "replaced"),
        ("muster.db-wal", replaced, "replaced"),
        ("muster.db-wal", replaced_by_nothing, "replaced"),
    ],
)
def test_what_can_not_is_saved_as_a_copy_that_the_hint_puts_back(
    tmp_path: Path, name: str, change: Change, word: str
) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)
        change(tmp_path / name)
        broken = noticed(book)

    assert f"{name} was {word}" in broken.message
    assert "nothing is lost" in broken.message
    copy = tmp_path / "muster.db.rescued-1"
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unusable, match="saved to") as refused:  # a ledger that lost something is not gone on with
        Store.open(url_of(tmp_path))
    for hint in (broken.hint, refused.value.hint):
        assert f"mv {copy} {tmp_path / 'muster.db'}" in str(hint)
    subprocess.check_call(["bash", "-c", str(broken.hint).partition(", then")[0]])
    assert in_place(tmp_path) == set(KEYS)


@pytest.mark.parametrize("change", [emptied, halved])
def test_a_wal_that_was_cut_is_saved_from_memory_or_named_as_lost_and_never_brought_into_the_database(
    tmp_path: Path, change: Change
) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)
        before = (tmp_path / "muster.db").read_bytes()
        change(tmp_path / "muster.db-wal")
        broken = noticed(book)

    assert "muster.db-wal was cut short" in broken.message
    assert (tmp_path / "muster.db").read_bytes() == before
    subprocess.check_call(["bash", "-c", str(broken.hint).partition(", then")[0]])
    assert in_place(tmp_path) == set(KEYS)


def test_what_nobody_has_in_memory_any_more_is_lost_and_that_is_said(tmp_path: Path) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)
        with Store.opened(url_of(tmp_path)) as other:
            Book(other, book.space_id, book.epoch).apply(intent("of another process"))
        emptied(tmp_path / "muster.db-wal")
        broken = noticed(book)

    assert isinstance(broken, LedgerLost)
    assert broken.exit_code is ExitCode.INTEGRITY
    assert "is lost" in broken.message
    assert list(tmp_path.glob("*.rescued*")) == []


def test_a_wal_that_is_cut_within_a_commit_is_not_acknowledged(tmp_path: Path) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)

        def cut(sql: str) -> None:
            if sql.startswith("COMMIT"):
                emptied(tmp_path / "muster.db-wal")

        raw = store.engine.raw_connection()
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.set_trace_callback(cut)
        raw.close()
        broken = noticed(book)

    assert "muster.db-wal was cut short" in broken.message


def test_a_wal_that_another_process_emptied_rightly_is_no_damage(tmp_path: Path) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = written(store)
        with closing(sqlite3.connect(tmp_path / "muster.db")) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        assert (tmp_path / "muster.db-wal").stat().st_size == 0
        book.apply(intent("later"))
        with closing(sqlite3.connect(tmp_path / "muster.db", isolation_level=None)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            other.execute("UPDATE space SET heartbeat_ms = 1")  # the WAL begins anew, shorter than it was
        book.apply(intent("and again"))

    assert in_place(tmp_path) == {*KEYS, "later", "and again"}


def test_a_ledger_has_a_connection_at_all_times(tmp_path: Path) -> None:
    """SQLite removes the WAL with the last one."""
    with Store.opened(url_of(tmp_path)) as store:
        identity = (tmp_path / "muster.db-wal").stat().st_ino
        store.engine.pool.dispose()
        with closing(sqlite3.connect(tmp_path / "muster.db")) as other:
            other.execute("SELECT * FROM space").fetchall()
        assert (tmp_path / "muster.db-wal").stat().st_ino == identity
        assert store.space("eclipse", "1001") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["muster.db"]
