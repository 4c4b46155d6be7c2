"""Who works on a (system, tenant): one owner at a time, with a fencing number, taken over only from the dead.

An owner in this boot and pid namespace is dead when its process is: noticed at once. Any other one is dead when its
heartbeat was watched for DEAD seconds and did not move, while the ledger could be written. A wall clock declares nobody
dead; it only says whether watching is worth while for somebody who was not asked to wait.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.exc import DBAPIError

from jobs.alive import Process, Pulse, Watch, beating
from jobs.clock import Clock, from_milliseconds, iso, milliseconds
from jobs.errors import Locked
from jobs.ledger import tables
from jobs.ledger.broken import LedgerBroken, LedgerBusy
from jobs.ledger.store import Store
from jobs.value import value

PULSE = Pulse(beat=5.0, dead=30.0, look=1.0)
"""Chosen: beats are cheap, and an owner that can only be watched is dead after six missed ones."""

BEAT_PATIENCE = 1.0
"""Seconds that a beat waits for another process's lock before it is tried again (chosen): a run's end waits for it."""

RELEASE_PATIENCE = 5.0
"""Seconds that giving back waits for it (chosen). What is not given back is taken over from the dead."""


@value
class Owner:
    """A process that wants to own a space."""

    run_id: str
    process: Process

    @classmethod
    def me(cls, run_id: str) -> "Owner":
        """This process."""
        return cls(run_id, Process.me())


LEAVING_SECONDS = 15.0
"""A request that was let go has left by then (chosen): it is connected within 10 s, and a busy machine hesitates."""


class Lease:
    """The right to work on a space, as its owner knows it. Safe to use from several threads."""

    def __init__(self, store: Store, space_id: int, epoch: int, clock: Clock, pulse: Pulse, since: float) -> None:
        """`since`: the monotonic time before it was asked for."""
        self.store, self.space_id, self.epoch = store, space_id, epoch
        self._clock, self._pulse, self._since = clock, pulse, since

    def fresh(self) -> bool:
        """Whether what leaves now has left before anybody else can have taken the space over.

        Not so after a time without a beat: the process was frozen, or cut off from the ledger. The clock goes on while
        the machine sleeps.
        """
        return self._clock.monotonic() - self._since < self._pulse.dead - LEAVING_SECONDS

    def renew(self) -> bool:
        """Says that the owner lives; False when the space was taken over meanwhile. Raises LedgerBroken."""
        since = self._clock.monotonic()
        mine = self._beat(milliseconds(self._clock.now()))
        if mine:
            self._since = since
        return mine

    def _beat(self, now_ms: int) -> bool:
        return beat(self.store, self.space_id, self.epoch, now_ms)


@value
class Holding:
    """A space as another owner holds it, or seems to."""

    row: RowMapping
    lives: bool | None
    """Of the owner's process: as of `Process.lives`."""
    now_ms: int
    """The wall clock when it was looked at."""

    @property
    def run_id(self) -> str:
        """The owner's run."""
        return str(self.row["owner_run"])

    def recent(self, pulse: Pulse = PULSE) -> bool:
        """Whether the last heartbeat seems to be of just now. Only a hint: it compares two wall clocks."""
        return abs(self.now_ms - int(self.row["heartbeat_ms"])) < pulse.dead * 1000

    @property
    def words(self) -> str:
        """Who, where, since when, and what can be known of it from here."""
        row, since = self.row, iso(from_milliseconds(self.row["owner_since_ms"]))
        age = int((self.now_ms - row["heartbeat_ms"]) / 1000)  # it may have beaten since the clock was asked
        beat = f"{age} s ago" if age >= 0 else f"{-age} s ahead of this machine's clock"
        words = (
            f"run {row['owner_run']} works on {row['system']} tenant {row['tenant']}: "
            f"pid {row['owner_pid']} on {row['owner_host']} since {since}, last heartbeat {beat}"
        )
        return words if self.lives else f"{words}; {owner_of(row).whereabouts()}, so that only its heartbeat can tell"


class Occupied(Locked):
    """The space has an owner that lives, or may live."""

    def __init__(self, holding: Holding, watch: Watch | None = None, *, busy: bool = False) -> None:
        words, hint = holding.words, "wait for it to end, or use --lock-timeout SECONDS"
        if not holding.lives and watch and watch.moved:
            words += ", and it beats"
        elif not holding.lives:
            words += f"; watched for {watch.watched:.0f} s without a beat" if watch and watch.watched >= 1 else ""
            words += "; the ledger could not be written meanwhile" if busy else ""
            enough = math.ceil((watch.pulse if watch else PULSE).dead) + 5
            hint = f"use --lock-timeout {enough}: time enough to see it beat, or to take over from a dead one"
        super().__init__(words, hint=hint)
        self.holding = holding


@contextmanager
def held(
    store: Store,
    space_id: int,
    owner: Owner,
    timeout_seconds: float,
    clock: Clock,
    *,
    tell: Callable[[str], None] = lambda _: None,
    pulse: Pulse = PULSE,
) -> Iterator[Lease]:
    """Owns the space for the block. Raises Locked after `timeout_seconds`.

    An owner that can only be watched, and whose last heartbeat is old, is watched for as long as its death takes to be
    seen, whatever `timeout_seconds` says; a single beat ends that. `tell` is told so, once. A thread keeps the own
    heartbeat, so that long computing doesn't look like death.
    """
    lease = _waited_for(store, space_id, owner, timeout_seconds, tell, Watch(pulse, clock))
    try:
        with beating(lease.renew, pulse.beat):
            yield lease
    finally:
        with suppress(DBAPIError, LedgerBroken):
            release(store, space_id, lease.epoch)


def _waited_for(
    store: Store, space_id: int, owner: Owner, timeout: float, tell: Callable[[str], None], watch: Watch
) -> Lease:
    """The lease of the space, once it is ours. Raises Occupied."""
    clock, pulse = watch.clock, watch.pulse
    began, told = clock.monotonic(), False
    while True:
        try:
            since = clock.monotonic()
            epoch = take(store, space_id, owner, milliseconds(clock.now()), watch)
            return Lease(store, space_id, epoch, clock, pulse, since)
        except Occupied as occupied:
            found = occupied
        doubtful = found.holding.lives is None and not watch.moved
        most = timeout
        if doubtful and not found.holding.recent(pulse):
            most = max(timeout, 2 * pulse.dead)  # twice: the time for which the ledger is busy doesn't count
        left = began + most - clock.monotonic()
        if left <= 0:
            raise found
        if doubtful and not told:
            tell(f"{found.holding.words}; watching it, for {most:g} s at most")
            told = True
        clock.wait(min(pulse.look, max(0.05, left)))


def take(store: Store, space_id: int, owner: Owner, now_ms: int, watch: Watch | None = None) -> int:
    """Makes `owner` the owner and returns its fencing epoch. Raises Occupied, naming the owner.

    `watch`: of the heartbeat, over all looks so far; this is one more, and a dead one is followed. None: an owner that
    can only be watched is left alone.
    """
    with store.engine.connect() as connection:  # needs no lock, which an owner stopped within a commit holds
        row = _space(connection, space_id)
    lives = _lives(row)
    if lives or (lives is None and watch is None):
        raise Occupied(Holding(row, lives, now_ms))
    if lives is None and watch is not None:
        return _watched(store, row, owner, now_ms, watch)
    with store.writes.begin() as connection:
        return _followed(connection, space_id, owner, now_ms, watch)


def _watched(store: Store, row: RowMapping, owner: Owner, now_ms: int, watch: Watch) -> int:
    """One look at a heartbeat, and the epoch when it has stopped. Raises Occupied.

    Under the write lock: while that can't be had no beat can be written either, and silence means nothing.
    """
    try:
        with store.writing(watch.pulse.look) as connection:
            return _followed(connection, row["space_id"], owner, now_ms, watch)
    except LedgerBusy:
        watch.saw_nothing()
        raise Occupied(Holding(row, None, now_ms), watch, busy=True) from None


def _followed(connection: Connection, space_id: int, owner: Owner, now_ms: int, watch: Watch | None) -> int:
    """Writes `owner` into a space that is free or whose owner is dead; its epoch. Raises Occupied."""
    row = _space(connection, space_id)
    lives = _lives(row)
    if lives is None and watch is not None:
        watch.saw((row["epoch"], row["beats"], row["heartbeat_ms"]))
    if lives or (lives is None and not (watch and watch.dead)):
        raise Occupied(Holding(row, lives, now_ms), watch)
    table, process, epoch = tables.space, owner.process, int(row["epoch"]) + 1
    connection.execute(
        update(table)
        .where(table.c.space_id == space_id)
        .values(
            epoch=epoch,
            owner_run=owner.run_id,
            owner_pid=process.pid,
            owner_started=process.started,
            owner_host=process.host,
            owner_boot=process.boot,
            owner_namespace=process.namespace,
            owner_since_ms=now_ms,
            heartbeat_ms=now_ms,
            beats=_one_more(),
        )
    )
    return epoch


def working(store: Store, system: str, tenant: str, now_ms: int) -> Holding | None:
    """Who works on (system, tenant), or may; None when it is free, or its owner is dead for sure. Waits for nobody."""
    table = tables.space
    statement = select(*store.columns(table)).where(table.c.system == system, table.c.tenant == tenant)
    with store.engine.connect() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    lives = False if row is None else _lives(row)
    return None if row is None or lives is False else Holding(row, lives, now_ms)


def refuse_at_work(store: Store, clock: Clock) -> None:
    """Raises Occupied when somebody works on any space of the ledger, or may."""
    table, now_ms = tables.space, milliseconds(clock.now())
    with store.engine.connect() as connection:
        places = connection.execute(select(table.c.system, table.c.tenant)).all()
    for system, tenant in places:
        found = working(store, system, tenant, now_ms)
        if found is not None:
            raise Occupied(found)


def beat(store: Store, space_id: int, epoch: int, now_ms: int) -> bool:
    """Says that the owner lives; False when the lease was taken over meanwhile. Raises LedgerBusy."""
    return _change(store, space_id, epoch, BEAT_PATIENCE, {"heartbeat_ms": now_ms, "beats": _one_more()})


def release(store: Store, space_id: int, epoch: int) -> bool:
    """Gives the space back; False when it was taken over meanwhile. Raises LedgerBusy."""
    return _change(store, space_id, epoch, RELEASE_PATIENCE, {"owner_run": None})


def _change(store: Store, space_id: int, epoch: int, patience: float, values: dict[str, object]) -> bool:
    table = tables.space
    with store.about(space_id, patience=patience).begin() as connection:
        mine = (table.c.space_id == space_id, table.c.epoch == epoch)
        changed = connection.execute(update(table).where(*mine).values(values)).rowcount
    return bool(changed == 1)


def _one_more() -> object:
    return func.coalesce(tables.space.c.beats, 0) + 1


def _space(connection: Connection, space_id: int) -> RowMapping:
    return connection.execute(select(tables.space).where(tables.space.c.space_id == space_id)).mappings().one()


def _lives(row: RowMapping) -> bool | None:
    """Whether the owner still works: as of `Process.lives`; False for a space that is free."""
    return False if row["owner_run"] is None else owner_of(row).lives()


def owner_of(row: RowMapping) -> Process:
    """The owner's process as it was recorded; an older muster recorded neither boot nor namespace."""
    place = row["owner_boot"], row["owner_namespace"]
    return Process(row["owner_pid"], row["owner_started"], row["owner_host"], *place)
