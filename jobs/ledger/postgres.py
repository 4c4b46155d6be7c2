"""PostgreSQL as the ledger's database: what a commit promises is read back, and writers wait as they do with SQLite.

A writer takes an advisory lock of the whole ledger, or shares it and takes that of what it writes `about` (a space, a
pool of permits). Readers see one moment of the ledger, and can't write.
"""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from time import monotonic
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.errors import ConnectionTimeout, DiskFull, InsufficientPrivilege, LockNotAvailable
from psycopg.types.string import StrDumper
from sqlalchemy import Connection, Engine, PoolResetState, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext

from jobs.errors import Unusable
from jobs.ledger import tables
from jobs.ledger.broken import LedgerAway, LedgerBroken, LedgerBusy, words_of
from jobs.ledger.database import database_of
from jobs.ledger.lost_answer import FirstAsked
from jobs.ledger.older import ANEW_SINCE, BEFORE, bring_over
from jobs.ledger.silence import SHORT_SECONDS, Heard, at_work
from jobs.ledger.turn import BUSY_SECONDS, STEP_SECONDS, Turn

OLDEST = 130000
"""The oldest server that is still maintained, or was until lately (postgresql.org/support/versioning)."""

AWAY_SECONDS = 20.0
"""How long a server may be away that was there before (chosen): a restart takes seconds, and after 30 s without a beat
another run may take the tenant over."""

SILENT_SECONDS = 15
"""A server that answers nothing for so long is gone (chosen): less than AWAY_SECONDS, more than any commit."""

IDLE_SECONDS = 20
"""A transaction in which nothing was asked for so long is ended by the server (chosen): its process is frozen, or its
host is gone, and nobody else can write meanwhile. Less than the 30 s after which another run may follow."""

CONNECTING: Mapping[str, Any] = {
    "application_name": "muster",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": SILENT_SECONDS * 1000,
}
"""Parameters of libpq that a URL may set otherwise."""

ENDING: Mapping[str, str] = {
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": f"{SILENT_SECONDS}s",
}
"""How the server ends a connection whose process is frozen or whose host is gone, so that its locks are free. Between
two rows of a batch it counts no idle seconds: there it notices a host alone (15 s; a server's own values are hours)."""

PROMISES: Mapping[str, tuple[str, str]] = {
    "fsync": ("on", "a power cut would take what was committed: set fsync = on in postgresql.conf"),
    "full_page_writes": ("on", "a power cut would damage the database: set full_page_writes = on in postgresql.conf"),
    "server_encoding": ("UTF8", "names would be lost: make the database with ENCODING 'UTF8'"),
    "transaction_read_only": ("off", "it is a standby, or opened to be read only: name the primary server"),
}
"""What a server has to say of its settings, and why."""

_DEFECTS = (psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError)
"""Errors of the driver that say something about muster, not about the server; but for a right that is missing."""

WHOLE = "pg_advisory_xact_lock({ledger})"
PART = "pg_advisory_xact_lock_shared({ledger}), pg_advisory_xact_lock({part})"
LEDGER = "hashtextextended('muster ledger ' || current_schema(), 0)"
ABOUT = "hashtextextended('muster ' || current_schema() || ' ' || %s::text, 0)"
LOCK = "SELECT set_config('lock_timeout', %s, true), "
THEN = f", set_config('lock_timeout', '{BUSY_SECONDS}s', true)"
"""Who has its lock waits for a row only where another shard claims the same id, and that ends with its commit."""

SERVER = ", pg_postmaster_start_time()::text"

POOLED = (
    f", set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true), set_config('synchronous_commit',"
    " coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true)"
)
"""What holds for each transaction by itself behind a pooler, where the next one may be served by another process, which
somebody else has left other settings."""


class _Text(StrDumper):
    """PostgreSQL refuses the character NUL, which a target may send: its picture is kept (U+2400)."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{SYMBOL FOR NULL}"))


@dataclass(slots=True)
class Postgres:
    """A PostgreSQL database in use."""

    words: str
    """How people name it."""
    turn: Turn
    back: Turn
    """Its patience with a server that is away."""
    met: bool = False
    """Whether the server was ever reached."""
    gone: bool = False
    """Whether it was waited for in vain: an end of several reads shall not wait for each of them again."""
    silent_at: float = -math.inf
    """When, on the monotonic clock, it last took no connection for as long as one may take, and refused none."""

    @property
    def silent(self) -> bool:
        """Whether another try would most likely take as long, and be in vain."""
        return monotonic() - self.silent_at < AWAY_SECONDS

    def check(self, connection: Any) -> None:
        """As of `Database`: what a server has committed is its own to keep."""

    def server(self, connection: Any) -> str:
        """As of `Database`: when the server started to which a transaction that writes belongs."""
        return str(connection.server)

    def make(self, connection: Connection) -> None:
        """As of `Database`."""
        self.upgrade(connection, 0)

    def upgrade(self, connection: Connection, since: int) -> None:
        """As of `Database`: from the files in `ddl/`, version by version."""
        raw = connection.connection.driver_connection
        assert raw is not None
        try:
            for script in scripts(since):
                raw.execute(script)
        except psycopg.Error as error:
            raise refused(self.words, error, writes=True) from None
        if since < ANEW_SINCE:
            _grant_as_before(connection)
            bring_over(connection)

    def wipe(self, engine: Engine) -> None:
        """As of `Database`: the tables are written anew without what was deleted. Raises Unusable.

        The server's log of changes (WAL), its replicas' and its backups keep it until they are recycled.
        """
        names = [table.name for table in tables.metadata.sorted_tables]
        with engine.connect() as connection:
            owned = text(
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY(:names)"
                " AND pg_has_role(tableowner, 'MEMBER')"
            )
            mine = connection.scalar(owned, {"names": names}) == len(names)
        if not mine:
            raise Unusable(
                "all was erased, but its old versions lie in the database's files until they are written anew, which"
                " the role of this connection may not do",
                hint="as the owner of the tables: psql -c 'VACUUM FULL'",
            )
        raw = engine.raw_connection()
        driver: Any = raw.driver_connection
        try:
            driver.autocommit, driver.most = True, math.inf
            for name in names:
                driver.execute(f'VACUUM FULL "{name}"')
        except psycopg.Error as error:
            raise refused(self.words, error, writes=True) from None
        finally:
            driver.autocommit = False
            raw.close()


def _grant_as_before(connection: Connection) -> None:
    """Gives whoever has rights on the tables of before the same ones on the new ones, and on those beside them."""
    asked = text(
        "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = current_schema() AND table_name LIKE :names AND grantee <> current_user"
    )
    quoted = connection.dialect.identifier_preparer.quote_identifier
    for name, role, right in connection.execute(asked, {"names": f"%{BEFORE}"}).all():
        table = name.removesuffix(BEFORE)
        beside = ("keys", "mark") if table == "record" and right in {"SELECT", "INSERT"} else ()
        for each in (table, *beside):
            to = "PUBLIC" if role == "PUBLIC" else quoted(role)
            connection.exec_driver_sql(f"GRANT {right} ON {quoted(each)} TO {to}")


def scripts(since: int) -> Sequence[str]:
    """What makes each version that is newer than `since` of the one before, oldest first."""
    found = {int(each.name[:-4].rpartition("_")[2]): each for each in (files(__package__) / "ddl").iterdir()}
    return [found[version].read_text("utf-8") for version in sorted(found) if version > since]


def open_engine(url: URL, words: str) -> Engine:
    """An engine whose commits are on the server's disk. Raises Unusable, LedgerBroken."""
    database = Postgres(words, Turn(words, _busy, _held), Turn(words, _away, lambda _: _gone(database)))
    database.back.stopped = lambda: database.turn.stopped()
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={name: value for name, value in CONNECTING.items() if name not in url.query},
        pool_pre_ping=True,  # a connection that was lost while nothing was under way costs nothing but a new one
        pool_use_lifo=True,
        pool_reset_on_return=None,  # a connection that was lost can't be reset, and is nobody's to hear of: _on_reset
        execution_options={"database": database},
    )
    engine._connection_cls = FirstAsked  # of this engine alone, and not of those that write
    event.listen(engine, "do_connect", lambda _d, _r, args, given: _connected(database, args, given))
    event.listen(engine, "reset", _on_reset)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "after_cursor_execute", _on_batch)
    event.listen(engine, "handle_error", _on_error)
    return engine


def _connected(database: Postgres, args: Sequence[Any], given: Mapping[str, Any]) -> psycopg.Connection[Any]:
    """A connection to a server that keeps what it commits; one that was there before is waited for."""
    if database.gone and database.silent:
        raise _gone(database)
    reach = partial(_reached, database, args, given)
    try:
        wait = database.met and not database.gone
        connection = database.back.take(reach, AWAY_SECONDS) if wait else reach()
    except psycopg.Error as error:
        raise LedgerBroken(
            f"the ledger {database.words} can't be reached: {words_of(error)}",
            hint="see whether the server runs and the URL, ~/.pgpass or service file is right; then muster resume",
        ) from None
    except LedgerBroken:
        database.gone = True
        raise
    database.met, database.gone = True, False
    return connection


def _reached(database: Postgres, args: Sequence[Any], given: Mapping[str, Any]) -> Heard:
    try:
        connection = Heard.connect(*args, **given)
    except ConnectionTimeout:
        database.silent_at = monotonic()
        raise
    try:
        _promised(connection)
    except BaseException:
        connection.close()
        raise
    connection.works = partial(at_work, given=given)
    connection.adapters.register_dumper(str, _Text)
    return connection


def _promised(connection: Heard) -> None:
    """Reads the server's promises back, as SQLite's pragmas are. Raises LedgerBroken."""
    version = connection.info.server_version
    if version < OLDEST:
        raise LedgerBroken(f"the server is PostgreSQL {version // 10000}; {OLDEST // 10000} or newer is needed")
    names = [*PROMISES, "synchronous_commit"]
    asked = ", ".join(["pg_backend_pid()", *(f"current_setting('{name}')" for name in names)])
    found = connection.execute(f"SELECT {asked}").fetchone()
    assert found is not None
    pid, values = found[0], found[1:]
    if pid == connection.info.backend_pid:
        connection.pid = pid
        connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in ENDING.items()))
    else:
        _pooled(connection)
    connection.commit()
    for name, value in zip(names, values, strict=True):
        if name in PROMISES and value != PROMISES[name][0]:
            raise LedgerBroken(f"the ledger's server has {name} = {value}", hint=PROMISES[name][1])
        if name == "synchronous_commit" and value == "off":
            raise LedgerBroken(
                "the ledger's server has synchronous_commit = off: what it acknowledges is not on its disk",
                hint="ALTER ROLE ... SET synchronous_commit = on",
            )


def _pooled(connection: Heard) -> None:
    """What is different where another process serves us than the one that we were told of. Raises LedgerBroken.

    A pooler gives each session, or each transaction, a process of the server. A statement that one of them has
    prepared is unknown to the next, and what is SET would be left to strangers.
    """
    connection.prepare_threshold = None
    wanted = re.search(r"-c *search_path=(\S+)", connection.info.options)
    found = connection.execute("SELECT current_setting('search_path')").fetchone()
    if wanted is not None and found != (wanted[1],):
        raise LedgerBroken(
            f"the pooler before the ledger's server leaves out the URL's search_path={wanted[1]}: the ledger would be"
            " another one",
            hint=f"leave it out, too, and as the role's owner: ALTER ROLE ... SET search_path = {wanted[1]}",
        )


def _on_reset(connection: psycopg.Connection[Any], _record: object, state: PoolResetState) -> None:
    if not (state.terminate_only or connection.closed):
        with suppress(psycopg.Error):  # whoever takes it next asks whether it is there
            connection.rollback()


def _on_begin(connection: Connection) -> None:
    """Writers take their lock first, so that nobody waits in the middle of a transaction."""
    options = connection.get_execution_options()
    writes, about = options.get("writes", False), options.get("about")
    raw: Any = connection.connection.driver_connection
    raw.isolation_level = IsolationLevel.READ_COMMITTED if writes else IsolationLevel.REPEATABLE_READ
    raw.read_only = not writes
    raw.most = SHORT_SECONDS if about is not None or (raw.pid is None and not writes) else math.inf
    if not writes:
        return
    step = f"{round(STEP_SECONDS * 1000)}ms"
    lock = LOCK + (WHOLE if about is None else PART).format(ledger=LEDGER, part=ABOUT) + THEN
    lock += (POOLED if raw.pid is None else "") + SERVER

    def taken() -> None:
        try:
            raw.server = raw.execute(lock, (step,) if about is None else (step, about)).fetchone()[-1]
        except psycopg.Error:
            if not raw.closed:
                raw.rollback()
            raise

    database = database_of(connection)
    assert isinstance(database, Postgres)
    try:
        database.turn.take(taken, options.get("patience"))
    except psycopg.Error as error:
        raise refused(database.words, error, writes=True, lost=raw.closed) from None


def _on_batch(_c: Connection, cursor: Any, _s: str, _p: object, _x: object, executemany: bool) -> None:
    """Has the server count the seconds of IDLE_SECONDS again.

    psycopg ends a batch with Sync and Flush, and a server that gets a Flush stops counting until its next answer
    (seen with psycopg 3.2 and PostgreSQL 15): a process that is frozen then would keep its locks for ever.
    """
    if executemany:
        cursor.connection.pgconn.exec_(b"")


def _on_error(context: ExceptionContext) -> None:
    """What the server refuses is one sentence, wherever it came up; a row that is refused is a defect."""
    error, engine = context.original_exception, context.engine
    ours = isinstance(error, psycopg.Error) and engine is not None and not context.is_pre_ping
    if ours and (isinstance(error, InsufficientPrivilege) or not isinstance(error, _DEFECTS)):
        assert isinstance(error, psycopg.Error)
        assert engine is not None
        database = database_of(engine)
        assert isinstance(database, Postgres)
        writes = context.connection is not None and context.connection.get_execution_options().get("writes", False)
        raise refused(database.words, error, writes=writes, lost=context.is_disconnect) from None


def refused(words: str, error: psycopg.Error, *, writes: bool, lost: bool = False) -> LedgerBroken:
    """What an error of the server means for the ledger that people name with `words`."""
    if _busy(error):
        return _held(words)
    hint = "see the server's log, then muster resume"
    if isinstance(error, InsufficientPrivilege):
        hint = "docs/ledger.md names the rights that the role needs; the owner of the tables runs muster ledger upgrade"
    elif isinstance(error, DiskFull):
        hint = "free space on the server's disk, then muster resume"
    kind = LedgerAway if lost else LedgerBroken
    return kind(f"the ledger can't be {'written' if writes else 'read'}: {words_of(error)}", hint=hint)


def _busy(error: BaseException) -> bool:
    return isinstance(error, LockNotAvailable)


def _held(words: str) -> LedgerBusy:
    return LedgerBusy(
        f"another process holds the lock of the ledger {words}: it is locked for writing",
        hint="see muster status and the server's pg_locks, wait for it to end or end it; then muster resume",
    )


def _away(error: BaseException) -> bool:
    """Whether the server may come back: it starts, stops, or there is none at the address for the moment."""
    return isinstance(error, psycopg.OperationalError)


def _gone(database: Postgres) -> LedgerBroken:
    """Says of a server that was waited for that it did not come back."""
    if database.silent:
        return LedgerBroken(
            f"the ledger {database.words} answered nothing for {AWAY_SECONDS:g} s",
            hint="see whether its server, or what lies between, is frozen or cut off; then muster resume",
        )
    return LedgerBroken(
        f"the ledger {database.words} was away for {AWAY_SECONDS:g} s",
        hint="see whether the server runs, and its log: a full disk stops it, too; then muster resume",
    )
