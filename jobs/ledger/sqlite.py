"""SQLite as the ledger's database: WAL and FULL, both read back, files 0600 and watched."""

import errno
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.util import LRUCache

from jobs.disk import advice
from jobs.errors import Unusable
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.database import database_of, still_there
from jobs.ledger.files import Files
from jobs.ledger.names import WAL, beside, copies, key_file, put_back
from jobs.ledger.tables import metadata
from jobs.ledger.turn import STEP_SECONDS, Turn, busy, held
from jobs.ledger.versions import add_versions
from jobs.value import value

CACHE_KIB = 8 * 1024
"""A 64 MB cache only fills memory: 8 MB measured no slower."""

FULL = 2
"""`PRAGMA synchronous`: NORMAL lost acknowledged commits in 13 of 20 power cuts (measured), FULL in none of 80."""


_DEFECTS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)
"""Errors of the driver that say something about muster, not about the machine."""


_NUMBERS = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_READONLY: errno.EROFS}
"""What SQLite's own codes say of a disk, as the system's."""


class Dialect(SQLiteDialect_pysqlite):
    """SQLite's, one for all ledgers of a process: they are spoken to alike, so what was compiled for one serves all."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dialect)

    def __hash__(self) -> int:
        return hash(Dialect)


registry.register("sqlite.muster", __name__, Dialect.__name__)

_COMPILED: LRUCache[Any, Any] = LRUCache(500)
"""Statements that were compiled, as many as SQLAlchemy keeps for each engine. A run opens its ledger three times."""


@value
class Sqlite:
    """A SQLite database in use."""

    files: Files
    turn: Turn

    def check(self, connection: Any) -> None:
        """As of `Database`: its files are those that were opened."""
        self.files.check(connection)

    def server(self, _connection: Any) -> str:
        """As of `Database`: there is none, and what was committed is where its files are."""
        return ""

    def make(self, connection: Connection) -> None:
        """As of `Database`."""
        metadata.create_all(connection, checkfirst=False)  # `migrate` asks for it in an empty database

    def upgrade(self, connection: Connection, since: int) -> None:
        """As of `Database`: tables, columns, and what they say of rows that were there before."""
        add_versions(connection, since)

    def wipe(self, engine: Engine) -> None:
        """As of `Database`: free pages are overwritten and given back, in the file and in its WAL."""
        raw = engine.raw_connection()
        try:
            for statement in ("PRAGMA secure_delete=ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                cursor = raw.cursor()
                self.turn.take(partial(cursor.execute, statement))
                cursor.fetchall()
                cursor.close()
        finally:
            raw.close()


def path_of(parts: URL) -> Path:
    """The database file that a URL names, relative to the working directory. Raises Unusable."""
    if not parts.database or parts.database == ":memory:":
        raise Unusable(
            "the ledger must be a file: intents in memory are lost with the process",
            hint="--ledger sqlite:///muster.db",
        )
    return Path(parts.database)


def open_engine(path: Path) -> Engine:
    """An engine whose every connection is in WAL mode with synchronous=FULL. Raises Unusable, LedgerBroken."""
    refuse_remains(path)
    if not path.parent.is_dir():
        raise Unusable(f"the ledger's folder {path.parent} does not exist")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:  # never opened here: closing it would drop the locks that this process has on it
        if path.is_symlink() or not path.is_file() or not os.access(path, os.W_OK):
            raise Unusable(f"the ledger {path} is not a file that can be written") from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not a file name"
        hint = advice(path.parent, error.errno, "--ledger") if isinstance(error, OSError) else None
        raise Unusable(f"the ledger {path} can't be made: {cause}", hint=hint) from None
    files, turn = Files(path), Turn(path)
    engine = create_engine(
        URL.create("sqlite+muster", database=str(path)),
        connect_args={"timeout": STEP_SECONDS},
        pool_use_lifo=True,  # the connection that wrote last has most pages in its memory
        execution_options={"database": Sqlite(files, turn), "compiled_cache": _COMPILED},
    )
    event.listen(engine, "do_connect", lambda *_: files.opening())
    event.listen(engine, "connect", lambda connection, _: _on_connect(connection, files, turn))
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _on_error)
    event.listen(engine, "engine_disposed", lambda _: files.closed())
    return engine


def refuse_remains(path: Path) -> None:
    """Raises Unusable when what is at `path` is left of a ledger that was damaged or moved: none is begun there."""
    key, saved, anew = key_file(path), copies(path), "to begin a new one on purpose, move"
    if saved:
        raise Unusable(
            f"the ledger {path} was damaged while muster worked with it; all that it held was saved to {saved[-1]}",
            hint=f"{put_back(saved[-1], path)}; or remove that copy, where {path} is the right one",
        )
    if not path.exists():
        if key.exists():
            raise Unusable(
                f"there is no ledger {path}, but its key {key} is there: the ledger was moved or removed",
                hint=f"put {path} back, from where it is or from a backup; {anew} {key} away",
            )
        return
    others = [file for file in (key, beside(path, WAL)) if file.exists() and file.stat().st_size]
    if path.is_file() and not path.stat().st_size and others:
        named = " and ".join(str(file) for file in others)
        raise Unusable(
            f"the ledger {path} is empty (0 bytes), but {named} beside it is not: the ledger was damaged",
            hint=f"restore {path} from a backup; {anew} {named} away",
        )


def _on_connect(connection: sqlite3.Connection, files: Files, turn: Turn) -> None:
    """Sets the pragmas and reads them back: `journal_mode=wal` fails silently on some file systems."""
    connection.create_function("unhexed", 1, bytes.fromhex, deterministic=True)  # SQLite's own is of 3.41
    connection.isolation_level = None  # BEGIN is ours to say, see _on_begin
    mode = turn.take(lambda: _into_wal(connection))
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
    turn.take(files.opened)


def _into_wal(connection: sqlite3.Connection) -> str:
    """The journal mode after WAL was asked for.

    Two processes that convert one new file at once would wait for each other: SQLite refuses one of them at once,
    whatever its time-out (measured: one start in 25, of four at the same moment).
    """
    mode = str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return mode


def _on_error(context: ExceptionContext) -> None:
    """What disk and file system refuse is one sentence, wherever it came up; a row that is refused is a defect."""
    error, engine = context.original_exception, context.engine
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _DEFECTS) and engine is not None:
        writes = context.connection is not None and context.connection.get_execution_options().get("writes", False)
        raise _refused(Path(engine.url.database or ""), error, writes=writes) from None


def _refused(path: Path, error: sqlite3.DatabaseError, *, writes: bool) -> LedgerBroken:
    if busy(error):
        return held(path)
    number = _NUMBERS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return LedgerBroken(
        f"the ledger can't be {'written' if writes else 'read'}: {error}",
        hint=f"{advice(path.parent, number)}, then muster resume",
    )


def _on_begin(connection: Connection) -> None:
    """Writers take the write lock at BEGIN: upgrading a read transaction later fails at once when another writes.

    Readers take theirs too, so that nobody waits in the middle of a transaction.
    """
    options = connection.get_execution_options()
    turn, writes = database_of(connection).turn, options.get("writes", False)
    raw = connection.connection.driver_connection
    assert raw is not None
    if writes:
        still_there(connection)
    try:
        if writes:
            turn.take(lambda: raw.execute("BEGIN IMMEDIATE"), options.get("patience"))
        else:
            raw.execute("BEGIN")
            turn.take(lambda: raw.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone())
    except sqlite3.DatabaseError as error:
        raise _refused(turn.path, error, writes=writes) from None
