"""The files of a ledger in use: that they are still those that were opened, and what is saved when they are not.

SQLite goes on without a word when its files are unlinked, replaced or cut short: it commits into files that have no
name any more, and what was acknowledged is gone with the process. A cut WAL is worse: the next checkpoint, and the last
connection makes one when it is closed, copies what is missing into the database as zeros.
"""

import ctypes
import os
import sqlite3
import threading
from pathlib import Path

from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from jobs.ledger.broken import LedgerBroken, LedgerLost
from jobs.ledger.names import SHM, WAL, beside, copies, put_back

LEAST_BYTES = 512
"""The smallest page, and so the smallest database, of SQLite."""

MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""How a WAL begins that holds anything (sqlite.org/fileformat2.html, 4.1)."""

HEAD_BYTES = 32
"""The header of a WAL: it is another one each time the WAL begins anew."""

SAVING_SECONDS = 2.0
"""How long a checkpoint waits for other processes (chosen: a group commit takes milliseconds)."""

Seen = tuple[int, int, int]
"""Device, inode and size of a file."""

Change = tuple[str, str]
"""The ending of a file's name, and what happened to it."""


class Files:
    """The database, its WAL and its index, as they were when this process opened them. Safe to use from many threads.

    Holds one connection open all the time: SQLite removes the WAL with the last one, and else it has to stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places = {ending: beside(path, ending) for ending in ("", WAL, SHM)}
        self._seen: dict[str, Seen] = {}
        self._head = b""
        self._broken: LedgerBroken | None = None
        self._lock = threading.Lock()
        self._held: sqlite3.Connection | None = None

    def opening(self) -> None:
        """Before a connection is opened, which takes whatever has the name. Raises LedgerBroken."""
        with self._lock:
            if self._broken is None and (changed := self._changed()) is not None:
                raise self._told(*changed)
            if self._broken is not None:
                raise self._broken

    def opened(self) -> None:
        """A connection has read: from now on the files are those that it works with."""
        with self._lock:
            if self._held is not None:
                return
            self._held = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._held.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            for ending, place in self._places.items():
                found = _seen(place)
                if found is None:
                    raise self._told(ending, "removed")
                self._seen[ending] = found
            self._head = _head(self._places[WAL]) or b""

    def closed(self) -> None:
        """All other connections are closed."""
        with self._lock:
            if self._held is not None and self._broken is None:
                self._held.close()
                self._held, self._seen = None, {}

    def check(self, connection: sqlite3.Connection) -> None:
        """Raises LedgerBroken when one of the files is not what it was, after all that can be saved was saved.

        `connection` is within no transaction.
        """
        with self._lock:
            if self._broken is None:
                changed = self._changed() or self._cut(connection)
                if changed is None:
                    return
                self._leave_alone()
                self._broken = self._saved(*changed, connection)
        raise self._broken

    def _changed(self) -> Change | None:
        """The file that is not what it was when it was opened."""
        for ending, seen in self._seen.items():
            now = _seen(self._places[ending])
            if now is None:
                return ending, "removed"
            if now[:2] != seen[:2]:
                return ending, "replaced"
            if (ending == "" and now[2] < LEAST_BYTES) or (ending == SHM and now[2] < seen[2]):
                return ending, "cut short"
            if ending == SHM:
                self._seen[ending] = now
        return None

    def _cut(self, connection: sqlite3.Connection) -> Change | None:
        """The WAL, when somebody took something away from it.

        It grows, and begins anew with another header. Another process may empty it when all it held is in the database.
        """
        before, now, head = self._seen[WAL], _seen(self._places[WAL]), _head(self._places[WAL])
        if now is None or head is None:  # it just went away, or may not be read: the next look tells
            return None
        if head:
            cut = head[:4] not in MAGIC or (now[2] < before[2] and head == self._head)
        elif before[2]:
            busy, frames, done = _checkpoint(connection, "PASSIVE")
            if busy:
                return None
            cut = frames != done
        else:
            cut = False
        self._seen[WAL], self._head = now, head
        return (WAL, "cut short") if cut else None

    def _saved(self, ending: str, what: str, connection: sqlite3.Connection) -> LedgerBroken:
        """Saves what this process still sees of the ledger, where that is in danger; what to tell."""
        told = self._told(ending, what)
        if ending == SHM:  # it is made from the WAL whenever it is not there
            if what == "cut short":
                os.truncate(self._places[SHM], self._seen[SHM][2])  # to read beyond its end would end the process
            return LedgerBroken(f"{told.message}; nothing is lost", hint=told.hint)
        if ending == WAL and what == "removed" and self._into_database(connection):
            return LedgerBroken(f"{told.message}; all it held is in {self.path}: nothing is lost", hint=told.hint)
        copy = self._copied(connection)
        if copy is None:
            return LedgerLost(
                f"{told.message}; what was written down last is lost",
                hint="keep all files of the ledger as they are; restore it from a backup, or ask for help",
            )
        if ending == "":
            self._discard()
        return LedgerBroken(
            f"{told.message}; all that it held was saved to {copy}: nothing is lost",
            hint=f"{put_back(copy, self.path)}, then muster resume",
        )

    def _told(self, ending: str, what: str) -> LedgerBroken:
        return LedgerBroken(
            f"{self._places[ending]} was {what} while muster worked with the ledger", hint="muster resume"
        )

    def _into_database(self, connection: sqlite3.Connection) -> bool:
        """Brings all that is in the WAL, which this process still has open, into the database file."""

        @retry(
            retry=retry_if_result(lambda done: not done),
            stop=stop_after_delay(SAVING_SECONDS),
            wait=wait_fixed(0.05),
            retry_error_callback=lambda _: False,
        )
        def brought() -> bool:
            busy, frames, done = _checkpoint(connection, "FULL")
            return not busy and frames == done

        return brought()

    def _copied(self, connection: sqlite3.Connection) -> Path | None:
        """A whole copy of the ledger as this process sees it, 0600 and on the disk; None when it can't be made.

        SQLite fails rather than copy what it can't read.
        """
        draft = beside(self.path, f".saving-{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            connection.execute("VACUUM INTO ?", (str(draft),))
            os.fsync(descriptor)
            return self._named(draft)
        except (sqlite3.Error, OSError):
            return None
        finally:
            os.close(descriptor)
            draft.unlink()

    def _named(self, draft: Path) -> Path:
        """`draft` under a name that nobody has, for another process may save what it sees."""
        number = len(copies(self.path)) + 1
        while True:
            copy = beside(self.path, f".rescued-{number}")
            try:
                os.link(draft, copy)
            except FileExistsError:
                number += 1
            else:
                return copy

    def _discard(self) -> None:
        """Removes what belongs to the database that went away: SQLite would read it with another one of that name."""
        for ending in (WAL, SHM):
            found = _seen(self._places[ending])
            if found is not None and found[:2] == self._seen[ending][:2]:
                self._places[ending].unlink(missing_ok=True)

    def _leave_alone(self) -> None:
        """Keeps the held connection open for ever, so that no last one writes to files that are damaged."""
        if self._held is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._held))


def _seen(file: Path) -> Seen | None:
    """What a file is; None: there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size


def _head(wal: Path) -> bytes | None:
    """The first bytes of a WAL; None when it can't be read. To close it harms no lock: SQLite has none on this file."""
    try:
        descriptor = os.open(wal, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.pread(descriptor, HEAD_BYTES, 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _checkpoint(connection: sqlite3.Connection, kind: str) -> tuple[bool, int, int]:
    """Whether others were in the way, the frames of the WAL, and how many of them are in the database now."""
    try:
        busy, frames, done = connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()
    except sqlite3.Error:
        return False, 1, 0
    return bool(busy), frames, done
