"""Waiting until another process has ended its write: in short steps, so that whoever stops the run is heard."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random

from jobs.ledger.broken import LedgerBroken, LedgerBusy
from jobs.ledger.names import SHM, beside

T = TypeVar("T")

BUSY_SECONDS = 30
"""Chosen: longer than any group commit of another process, shorter than a person's patience."""

HURRIED_SECONDS = 1.0
"""How long a wait goes on after somebody stopped the run (chosen): some hundred group commits of another process."""

STEP_SECONDS = 0.1
"""SQLite's own time-out: so long it sleeps in native code, where nobody is heard (chosen)."""

WRITE_LOCKS = ((SHM, 120), ("", 0x40000001))
"""The byte that a writer locks: of the -shm file (sqlite.org/walformat.html, 2.3.1), and of the database before it has
one (RESERVED_BYTE, sqlite.org/lockingv3.html)."""

LOCKS = Path("/proc/locks")


def busy(error: BaseException) -> bool:
    """Whether SQLite says that another process holds the lock that was waited for."""
    return bool(getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY)


def held(path: Path) -> LedgerBusy:
    """Says that another process holds the ledger at `path`, and which one where the system tells."""
    pid = holder(path)
    who = "another process" if pid is None else f"another process (pid {pid})"
    return LedgerBusy(
        f"{who} holds the lock of the ledger {path}: it is locked for writing",
        hint="see muster status, wait for it to end or end it; then muster resume",
    )


def holder(path: Path) -> int | None:
    """The process that has the write lock of the ledger at `path`; None where the system does not tell.

    Read from the system's list: to open the -shm file and close it would drop the locks that this process has on it.
    """
    try:
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for ending, byte in WRITE_LOCKS:
        with suppress(OSError):
            node = beside(path, ending).stat().st_ino
            for line in lines:
                words = line.split()  # 1: POSIX  ADVISORY  WRITE 4711 fe:00:1234567 120 120
                if len(words) != 8 or words[3] != "WRITE" or words[5].rpartition(":")[2] != str(node):
                    continue
                if words[6] == words[7] == str(byte) and words[4] not in {"0", str(os.getpid())}:
                    return int(words[4])
    return None


class Turn:
    """The patience of one process with all others on a ledger. Safe to use from several threads.

    Once a wait was in vain and nothing came through meanwhile, later ones try just once: an end of several writes
    shall not wait for each of them again.
    """

    def __init__(
        self,
        path: Any,
        busy: Callable[[BaseException], bool] = busy,
        held: Callable[[Any], LedgerBroken] = held,
    ) -> None:
        """`path`: where the ledger is; `busy`: whether waiting helps; `held`: what a wait in vain means."""
        self.path, self.busy, self.held = path, busy, held
        self.stopped: Callable[[], bool] = lambda: False
        """Whether somebody stopped the run; asked from any thread."""
        self._in_vain = False
        self._taken = 0

    def take(self, statement: Callable[[], T], patience: float | None = None) -> T:
        """What `statement` gives, tried again while another process holds the lock. Raises LedgerBusy.

        `patience`: seconds, of somebody who comes again when it was in vain; None: BUSY_SECONDS.
        """
        try:
            found = statement()
        except Exception as error:
            if not self.busy(error):
                raise
            found = self._waited(statement, patience)
        self._in_vain, self._taken = False, self._taken + 1
        return found

    def _waited(self, statement: Callable[[], T], patience: float | None) -> T:
        before, over = self._taken, self._over(BUSY_SECONDS if patience is None else patience)
        waiting = Retrying(retry=retry_if_exception(self.busy), stop=over, wait=wait_random(0.005, 0.05), reraise=True)
        try:
            return waiting(statement)
        except Exception as error:
            if not self.busy(error):
                raise
            self._in_vain = self._in_vain or (self._taken == before and (patience is None or self.stopped()))
            raise self.held(self.path) from None

    def _over(self, seconds: float) -> Callable[[RetryCallState], bool]:
        """Whether a wait is over: after `seconds`, or HURRIED_SECONDS after somebody stopped the run."""
        began, stopped_at = time.monotonic(), list[float]()

        def over(_state: RetryCallState) -> bool:
            now = time.monotonic()
            if self.stopped() and not stopped_at:
                stopped_at.append(now)
            hurried = bool(stopped_at) and now - stopped_at[0] >= HURRIED_SECONDS
            return self._in_vain or hurried or now - began >= seconds

        return over
