"""SQLite as the ledger's database: WAL and FULL, both read back, files 0600."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from jobs.errors import MusterError, Unusable

BUSY_SECONDS = 30
"""Chosen: longer than any group commit of another process, shorter than a person's patience."""

CACHE_KIB = 8 * 1024
"""A 64 MB cache only fills memory: 8 MB measured no slower."""

FULL = 2
"""`PRAGMA synchronous`: NORMAL lost acknowledged commits in 13 of 20 power cuts (measured), FULL in none of 80."""


_DEFECTS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)
"""Errors of the driver that say something about muster, not about the machine."""


class LedgerBroken(MusterError):
    """The ledger can't be read or written; nothing may be sent without it."""

    code = "ledger"


class LedgerBusy(LedgerBroken):
    """Another process held the ledger's write lock for as long as was waited; nothing was changed."""


def path_of(url: str) -> Path:
    """The database file that `url` names, relative to the working directory. Raises Unusable."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise Unusable("--ledger is no URL of a ledger", hint="--ledger sqlite:///muster.db") from None
    if parts.get_backend_name() != "sqlite":
        raise Unusable(
            f"a ledger of kind {parts.get_backend_name()!r} is not known", hint="--ledger sqlite:///muster.db"
        )
    if not parts.database or parts.database == ":memory:":
        raise Unusable(
            "the ledger must be a file: intents in memory are lost with the process",
            hint="--ledger sqlite:///muster.db",
        )
    return Path(parts.database)


def open_engine(url: str) -> Engine:
    """An engine whose every connection is in WAL mode with synchronous=FULL. Raises Unusable, LedgerBroken."""
    path = path_of(url)
    if not path.parent.is_dir():
        raise Unusable(f"the ledger's folder {path.parent} does not exist")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:  # never opened here: closing it would drop the locks that this process has on it
        if path.is_symlink() or not path.is_file() or not os.access(path, os.W_OK):
            raise Unusable(f"the ledger {path} is not a file that can be written") from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not a file name"
        raise Unusable(f"the ledger {path} can't be made: {cause}") from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={"file": _identity(path)},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _on_error)
    return engine


def wipe(engine: Engine) -> None:
    """Leaves nothing of deleted rows in the database file or its WAL: free pages are overwritten and given back.

    What the disk itself remembers of overwritten blocks, and backups, is not in a database's hands.
    """
    raw = engine.raw_connection()
    try:
        for statement in ("PRAGMA secure_delete=ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor = raw.cursor()
            cursor.execute(statement)
            cursor.fetchall()
            cursor.close()
    finally:
        raw.close()


def _on_connect(connection: Any, _record: object) -> None:
    """Sets the pragmas and reads them back: `journal_mode=wal` fails silently on some file systems."""
    connection.isolation_level = None  # BEGIN is ours to say, see _on_begin
    mode = _into_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != FULL:
        raise LedgerBroken(
            f"the ledger's file system gives journal_mode={mode}, synchronous={synchronous}; WAL and FULL are needed",
            hint="put the ledger on a local disk",
        )
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")


def _busy(error: BaseException) -> bool:
    """Whether another process holds the lock that was waited for."""
    return bool(getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY)


@retry(
    retry=retry_if_exception(_busy),
    stop=stop_after_delay(BUSY_SECONDS),
    wait=wait_random(0.005, 0.05),
    reraise=True,
)
def _into_wal(connection: sqlite3.Connection) -> str:
    """The journal mode after WAL was asked for.

    Two processes that convert one new file at once would wait for each other: SQLite refuses one of them at once,
    whatever its time-out (measured: one start in 25, of four at the same moment).
    """
    return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])


def _on_error(context: ExceptionContext) -> None:
    """What disk and file system refuse is one sentence, wherever it came up; a row that is refused is a defect."""
    error = context.original_exception
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _DEFECTS):
        writes = context.connection is not None and context.connection.get_execution_options().get("writes", False)
        message = f"the ledger can't be {'written' if writes else 'read'}: {error}"
        if _busy(error):
            held = "another process holds the ledger: see muster status, wait for it, then resume"
            raise LedgerBusy(message, hint=held) from None
        raise LedgerBroken(message, hint="free the disk, then resume") from None


def _on_begin(connection: Connection) -> None:
    """Writers take the write lock at BEGIN: upgrading a read transaction later fails at once when another writes."""
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    path = Path(connection.engine.url.database or "")
    if _identity(path) != options["file"]:
        raise LedgerBroken(
            f"the ledger {path} was removed or replaced while muster worked with it",  # what is committed now is lost
            hint="put it back, then muster resume",
        )
    _be_patient(connection, float(options.get("patience", BUSY_SECONDS)))
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _be_patient(connection: Connection, seconds: float) -> None:
    """Another process's lock is waited for so long from now on, on this connection."""
    if connection.info.get("patience", BUSY_SECONDS) != seconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(seconds * 1000)}")
        connection.info["patience"] = seconds


def _identity(path: Path) -> tuple[int, int] | None:
    """What stays the same of a file until it is replaced; None: there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
