"""Who works on a (system, tenant): one owner at a time, with a fencing number, taken over only from the dead."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.exc import DBAPIError

from jobs.clock import from_milliseconds, iso, milliseconds
from jobs.errors import Locked
from jobs.ledger import tables
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.store import Store

HEARTBEAT_SECONDS = 5.0
"""Chosen: cheap, and a dead owner on another host is noticed after six missed beats."""

DEAD_SECONDS = 30.0
"""An owner on another host is dead when its heartbeat is older. On this host the process itself is looked for."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that wants to own a space."""

    run_id: str
    pid: int
    started: int
    """The process's own start mark (clock ticks since boot); 0 where the system does not tell."""
    host: str

    @classmethod
    def me(cls, run_id: str) -> "Owner":
        """This process."""
        return cls(run_id, os.getpid(), process_started(os.getpid()) or 0, socket.gethostname())


def process_started(pid: int) -> int | None:
    """When process `pid` started, in clock ticks since boot; None when there is no such process.

    Distinguishes a reused pid from the process that had it before; 0 when it lives but its start can't be read.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    except (FileNotFoundError, ProcessLookupError):  # never there, or gone while it was read
        return 0 if _answers(pid) and not Path("/proc/self").exists() else None
    except (OSError, IndexError, ValueError):
        return 0


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def held(store: Store, space_id: int, owner: Owner, timeout_seconds: float) -> Iterator[int]:
    """Owns the space for the block and gives the fencing epoch. Raises Locked after `timeout_seconds`.

    A thread keeps the heartbeat, so that long computing doesn't look like death.
    """
    until = time.monotonic() + timeout_seconds
    while True:
        try:
            epoch = take(store, space_id, owner, now_ms())
            break
        except Locked:
            if time.monotonic() >= until:
                raise
            time.sleep(min(1.0, max(0.05, until - time.monotonic())))
    done = threading.Event()

    def keep() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            with suppress(DBAPIError, LedgerBroken):  # a missed beat is no harm; commits check the epoch themselves
                beat(store, space_id, epoch, now_ms())

    heart = threading.Thread(target=keep, name="heartbeat", daemon=True)
    heart.start()
    try:
        yield epoch
    finally:
        done.set()
        heart.join()
        with suppress(DBAPIError, LedgerBroken):
            release(store, space_id, epoch)


def now_ms() -> int:
    """The wall clock in milliseconds; heartbeats are compared between processes."""
    return milliseconds(datetime.now(UTC))


def take(store: Store, space_id: int, owner: Owner, now_ms: int) -> int:
    """Makes `owner` the owner and returns its fencing epoch. Raises Locked, naming the living owner."""
    table = tables.space
    with store.engine.connect() as connection:
        _vacant(connection, space_id, owner, now_ms)  # needs no lock, which an owner stopped within a commit holds
    with store.writes.begin() as connection:
        epoch = _vacant(connection, space_id, owner, now_ms) + 1
        connection.execute(
            update(table)
            .where(table.c.space_id == space_id)
            .values(
                epoch=epoch,
                owner_run=owner.run_id,
                owner_pid=owner.pid,
                owner_started=owner.started,
                owner_host=owner.host,
                owner_since_ms=now_ms,
                heartbeat_ms=now_ms,
            )
        )
    return epoch


def _vacant(connection: Connection, space_id: int, owner: Owner, now_ms: int) -> int:
    """The epoch of a space that is free, or whose owner is dead. Raises Locked, naming the living owner."""
    row = connection.execute(select(tables.space).where(tables.space.c.space_id == space_id)).mappings().one()
    if row["owner_run"] is not None and alive(row, owner.host, now_ms):
        raise Locked(_sentence(row, now_ms), hint="wait for it to end, or use --lock-timeout SECONDS")
    return int(row["epoch"])


def working(store: Store, system: str, tenant: str) -> str | None:
    """The run that works on (system, tenant) now; None when it is free, or its owner died."""
    table = tables.space
    statement = select(*store.columns(table)).where(table.c.system == system, table.c.tenant == tenant)
    with store.engine.connect() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None or row["owner_run"] is None or not alive(row, socket.gethostname(), now_ms()):
        return None
    return str(row["owner_run"])


def beat(store: Store, space_id: int, epoch: int, now_ms: int) -> bool:
    """Says that the owner lives; False when the lease was taken over meanwhile."""
    return _change(store, space_id, epoch, {"heartbeat_ms": now_ms})


def release(store: Store, space_id: int, epoch: int) -> bool:
    """Gives the space back; False when it was taken over meanwhile."""
    return _change(store, space_id, epoch, {"owner_run": None})


def _change(store: Store, space_id: int, epoch: int, values: dict[str, object]) -> bool:
    table = tables.space
    with store.writes.begin() as connection:
        mine = (table.c.space_id == space_id, table.c.epoch == epoch)
        changed = connection.execute(update(table).where(*mine).values(values)).rowcount
    return bool(changed == 1)


def alive(row: RowMapping, host: str, now_ms: int) -> bool:
    """Whether the recorded owner still works: by its process on this host, by its heartbeat on another."""
    if row["owner_host"] == host:
        started = process_started(row["owner_pid"])
        return started is not None and bool(started == row["owner_started"] or 0 in {started, row["owner_started"]})
    return bool(now_ms - row["heartbeat_ms"] < DEAD_SECONDS * 1000)


def _sentence(row: RowMapping, now_ms: int) -> str:
    since = iso(from_milliseconds(row["owner_since_ms"]))
    age = max(0, now_ms - row["heartbeat_ms"]) // 1000
    return (
        f"run {row['owner_run']} works on {row['system']} tenant {row['tenant']}: "
        f"pid {row['owner_pid']} on {row['owner_host']} since {since}, last heartbeat {age} s ago"
    )
