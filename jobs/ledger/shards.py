"""The shards of a run: which rows one process works on, who has them, and how they stand.

A shard is taken within the lease of its run's space: who has lost either writes nothing more. Its epoch grows when it
is taken, and when it is taken from somebody; both need the lock that a commit about it holds.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, select, update

from jobs.alive import Process, Pulse
from jobs.clock import Clock
from jobs.ledger import tables
from jobs.ledger.dialect import insert_into
from jobs.ledger.lease import BEAT_PATIENCE, RELEASE_PATIENCE, Lease, owner_of
from jobs.ledger.lost_answer import made_once
from jobs.ledger.readings import Reading, keep
from jobs.ledger.rows import Part
from jobs.ledger.store import Store
from jobs.ledger.tally import Tally
from jobs.value import value

TABLE = tables.shard

Sent = Mapping[int, tuple[int, int | None, int | None]]
"""By source row: how many attempts, and when (ms) the first and the last of them was."""


class ShardState(StrEnum):
    """How a shard stands."""

    OPEN = "open"
    """Nobody has it; some of its rows may have been worked on."""
    TAKEN = "taken"
    PARKED = "parked"
    """All of its rows have ended but those that wait for decisions."""
    DONE = "done"
    LEFT = "left"
    """Nobody takes it any more: its run was stopped, or too many died with it. The leader ends its rows."""


ENDED = frozenset({ShardState.DONE, ShardState.LEFT})
"""How a shard stands that nobody takes any more."""


@value
class Shard:
    """One shard as the ledger has it."""

    run_id: str
    part: Part
    state: ShardState
    owner: Process | None
    """Who has it; None: nobody."""
    worker: str
    """Whom the leader knows the owner as; empty: it did not start it."""
    beats: int
    lost: int
    """How many owners it lost: they died, or fell silent."""
    due_ms: int | None
    until_ms: int | None
    waiting: Sent | None
    """What was sent for the rows that wait; None: it is not known, or more than those are open."""
    tally: Tally
    counted: int
    repeated: int

    @property
    def number(self) -> int:
        """0, 1, 2 ... in the order of the file."""
        return self.part.shard


@value
class Leaving:
    """What a process leaves of a shard that it gives back."""

    state: ShardState
    tally: Tally
    calls: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """What was sent, by (operation, method, status)."""
    counted: int = 0
    """How many intents these calls are of."""
    repeated: int = 0
    due_ms: int | None = None
    until_ms: int | None = None
    waiting: Sent | None = None
    reading: Reading | None = None
    """What was seen when its rows were read afresh; None: they were not, and the leader reads them."""


@value
class Leader:
    """The process that leads a run, as its workers see it: who holds the lease of the run's space."""

    space_id: int
    epoch: int
    process: Process
    beats: int
    stop: Mapping[str, Any] | None
    """Why all processes of the run are to stop; None: they are not."""


class ShardLease(Lease):
    """The right to write about a shard: its own lease, within that of the space."""

    def __init__(
        self, store: Store, space: tuple[int, int], shard: Shard, clock: Clock, pulse: Pulse, since: float
    ) -> None:
        """`space`: its id and the epoch of the run's leader."""
        super().__init__(store, *space, clock, pulse, since)
        self.shard = shard

    def _beat(self, now_ms: int) -> bool:
        space = select(tables.space.c.space_id).where(
            tables.space.c.space_id == self.space_id, tables.space.c.epoch == self.epoch
        )
        beaten = {"heartbeat_ms": now_ms, "beats": TABLE.c.beats + 1}
        return _changed(self.store, self.shard, beaten, space.exists(), patience=BEAT_PATIENCE)


def leader_of(store: Store, run_id: str) -> Leader | None:
    """Who leads a run; None when nobody does: it has ended, or another run has its space."""
    return made_once(lambda _again: _leader_of(store, run_id))


def _leader_of(store: Store, run_id: str) -> Leader | None:
    space, run, batch = tables.space, tables.run, tables.batch
    joined = run.join(batch, batch.c.batch_id == run.c.batch_id).join(space, space.c.space_id == batch.c.space_id)
    wanted = select(space, run.c.stop).select_from(joined).where(run.c.run_id == run_id, run.c.ended_ms.is_(None))
    with store.engine.connect() as connection:
        row = connection.execute(wanted.where(space.c.owner_run == run_id)).mappings().one_or_none()
    if row is None:
        return None
    stop = json.loads(row["stop"]) if row["stop"] else None
    return Leader(row["space_id"], row["epoch"], owner_of(row), row["beats"] or 0, stop)


def stop_all(store: Store, run_id: str, why: Mapping[str, Any], *, anew: bool = False) -> None:
    """Asks all processes of a run to stop. The first reason stays; `anew`: unless it is said with more urgency."""
    run = tables.run
    first = (run.c.run_id == run_id, *(() if anew else (run.c.stop.is_(None),)))

    def attempt(_again: bool) -> None:
        with store.about_shard(run_id, -1).begin() as connection:
            connection.execute(update(run).where(*first).values(stop=json.dumps(why, sort_keys=True)))

    made_once(attempt)


def make_shards(store: Store, run_id: str, ranges: Iterable[tuple[int, int]]) -> int:
    """Records the shards of a run, each from its first to its last source row; how many there are."""
    none = {"epoch": 0, "beats": 0, "lost": 0, "counted": 0, "repeated": 0, "tally": Tally().told()}
    rows = [
        {"run_id": run_id, "shard": number, "first_row": first, "last_row": last, "state": ShardState.OPEN, **none}
        for number, (first, last) in enumerate(ranges)
    ]
    made = insert_into(store.engine.dialect.name, TABLE).on_conflict_do_nothing()

    def attempt(_again: bool) -> None:
        with store.writes.begin() as connection:
            connection.execute(made, rows)

    made_once(attempt)
    return len(rows)


def shards_of(store: Store, run_id: str) -> Sequence[Shard]:
    """All shards of a run, in the order of the file; none of one that worked in one process."""
    return made_once(lambda _again: _shards_of(store, run_id))


def _shards_of(store: Store, run_id: str) -> Sequence[Shard]:
    with store.engine.connect() as connection:
        found = connection.execute(select(TABLE).where(TABLE.c.run_id == run_id).order_by(TABLE.c.shard)).mappings()
        return [shard_of_row(row) for row in found]


def shard_of(store: Store, run_id: str, number: int) -> Shard | None:
    """One shard of a run; None: it has none of that number."""

    def attempt(_again: bool) -> Shard | None:
        with store.engine.connect() as connection:
            mine = (TABLE.c.run_id == run_id, TABLE.c.shard == number)
            row = connection.execute(select(TABLE).where(*mine)).mappings().one_or_none()
            return None if row is None else shard_of_row(row)

    return made_once(attempt)


def count_of(store: Store, run_id: str) -> int:
    """How many shards a run has."""
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(TABLE).where(TABLE.c.run_id == run_id)) or 0


def was_taken(store: Store, run_id: str) -> bool:
    """Whether any process has had a shard of a run."""
    with store.engine.connect() as connection:
        had = select(TABLE.c.shard).where(TABLE.c.run_id == run_id, TABLE.c.epoch > 0).limit(1)
        return connection.scalar(had) is not None


def take(store: Store, run_id: str, worker: str, now_ms: int, number: int | None = None) -> Shard | None:
    """Takes the first shard that is free for this process, or that one; None when none is.

    One that is parked is free when it is due. Who takes one has asked whether the run's leader works.
    """
    among = (TABLE.c.run_id == run_id, *(() if number is None else (TABLE.c.shard == number,)))
    parked = (TABLE.c.state == ShardState.PARKED) & (TABLE.c.due_ms <= now_ms)
    first = [select(func.min(TABLE.c.shard)).where(*among, free) for free in (TABLE.c.state == ShardState.OPEN, parked)]
    me = Process.me()
    owner = {
        "owner_pid": me.pid,
        "owner_started": me.started,
        "owner_host": me.host,
        "owner_boot": me.boot,
        "owner_namespace": me.namespace,
    }
    with store.engine.execution_options(writes=True, about=f"shards {run_id}").begin() as connection:
        found = [shard for wanted in first if (shard := connection.scalar(wanted)) is not None]
        if not found:
            return None
        taken = {"state": ShardState.TAKEN, "worker": worker, "heartbeat_ms": now_ms}
        grown = {"epoch": TABLE.c.epoch + 1, "beats": TABLE.c.beats + 1}
        mine = (TABLE.c.run_id == run_id, TABLE.c.shard == min(found))
        connection.execute(update(TABLE).where(*mine).values(**taken, **owner, **grown))
        return shard_of_row(connection.execute(select(TABLE).where(*mine)).mappings().one())


def give_back(store: Store, shard: Shard, leaving: Leaving) -> bool:
    """Ends the work of this process on a shard, with the calls that it made; False when it was taken from it."""
    return made_once(lambda again: _given_back(store, shard, leaving, again=again))


def _given_back(store: Store, shard: Shard, leaving: Leaving, *, again: bool) -> bool:
    with store.about_shard(shard.run_id, shard.number).begin() as connection:
        values = {
            "state": leaving.state,
            "tally": leaving.tally.told(),
            "due_ms": leaving.due_ms,
            "until_ms": leaving.until_ms,
            "waiting": None if leaving.waiting is None else json.dumps(leaving.waiting),
            "counted": TABLE.c.counted + leaving.counted,
            "repeated": TABLE.c.repeated + leaving.repeated,
        }
        if connection.execute(update(TABLE).where(*_mine(shard)).values(values)).rowcount != 1:
            known = (TABLE.c.run_id == shard.run_id, TABLE.c.shard == shard.number, TABLE.c.epoch == shard.part.epoch)
            return again and connection.scalar(select(TABLE.c.state).where(*known)) == leaving.state
        if leaving.reading is not None:
            keep(connection, shard.run_id, shard.number, leaving.reading)
        call = tables.call
        for (operation, method, status), calls in sorted(leaving.calls.items()):
            row = {"operation": operation, "method": method, "status": status, "calls": calls}
            added = insert_into(store.engine.dialect.name, call).values(run_id=shard.run_id, **row)
            both = {"calls": call.c.calls + added.excluded.calls}
            connection.execute(added.on_conflict_do_update(index_elements=list(call.primary_key), set_=both))
        return True


def let_go(store: Store, shard: Shard) -> bool:
    """Says that this process sends nothing more for a shard whose run it has lost, and changes nothing else."""
    return _changed(store, shard, {"state": ShardState.OPEN}, patience=RELEASE_PATIENCE)


def tell(store: Store, shard: Shard, tally: Tally) -> bool:
    """Says how the rows of a shard have ended so far; False when it was taken from this process."""
    return _changed(store, shard, {"tally": tally.told()}, patience=BEAT_PATIENCE)


def take_from(store: Store, shard: Shard, state: ShardState = ShardState.OPEN) -> bool:
    """Takes a shard from an owner that is dead or silent, who writes nothing more; False when it has moved since."""
    lost = {"state": state, "epoch": TABLE.c.epoch + 1, "lost": TABLE.c.lost + 1, "waiting": None}
    return _changed(store, shard, lost)


def close(store: Store, run_id: str) -> None:
    """From now on nobody takes a shard of the run, and whoever has one writes nothing more about it."""

    def attempt(_again: bool) -> None:
        with store.writes.begin() as connection:
            still = update(TABLE).where(TABLE.c.run_id == run_id, TABLE.c.state == ShardState.TAKEN)
            connection.execute(still.values(lost=TABLE.c.lost + 1))
            left = update(TABLE).where(TABLE.c.run_id == run_id, TABLE.c.state.not_in(ENDED))
            connection.execute(left.values(state=ShardState.LEFT, epoch=TABLE.c.epoch + 1))

    made_once(attempt)


def taken_in(store: Store, space_id: int) -> Sequence[Shard]:
    """The shards of all runs of a space that somebody has not given back."""
    run, batch = tables.run, tables.batch
    joined = TABLE.join(run, run.c.run_id == TABLE.c.run_id).join(batch, batch.c.batch_id == run.c.batch_id)
    wanted = select(TABLE).select_from(joined)
    wanted = wanted.where(batch.c.space_id == space_id, TABLE.c.state == ShardState.TAKEN)
    with store.engine.connect() as connection:
        return [shard_of_row(row) for row in connection.execute(wanted).mappings()]


def intents_among(store: Store, run_id: str, first: int, last: int) -> int:
    """How many intents a run committed about source rows `first` to `last`."""
    event = tables.event.c
    mine = (event.run_id == run_id, event.kind == "intent", event.source_row.between(first, last))
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.event).where(*mine)) or 0


def _changed(
    store: Store, shard: Shard, values: Mapping[str, Any], *also: ColumnElement[bool], patience: float | None = None
) -> bool:
    """Whether the shard was still its owner's when `values` were written."""
    options = {} if patience is None else {"patience": patience}

    def attempt(_again: bool) -> bool:
        with store.about_shard(shard.run_id, shard.number, **options).begin() as connection:
            return connection.execute(update(TABLE).where(*_mine(shard), *also).values(**values)).rowcount == 1

    return made_once(attempt)


def _mine(shard: Shard) -> tuple[ColumnElement[bool], ...]:
    return (
        TABLE.c.run_id == shard.run_id,
        TABLE.c.shard == shard.number,
        TABLE.c.epoch == shard.part.epoch,
        TABLE.c.state == ShardState.TAKEN,
    )


def _sent(text: str | None) -> Sent | None:
    return None if text is None else {int(row): tuple(sent) for row, sent in json.loads(text).items()}


def shard_of_row(row: RowMapping) -> Shard:
    """The shard that a line of the table is."""
    state = ShardState(row["state"])
    return Shard(
        run_id=row["run_id"],
        part=Part(row["shard"], row["epoch"], row["first_row"], row["last_row"]),
        state=state,
        owner=owner_of(row) if state is ShardState.TAKEN else None,
        worker=row["worker"] or "",
        beats=row["beats"],
        lost=row["lost"],
        due_ms=row["due_ms"],
        until_ms=row["until_ms"],
        waiting=_sent(row["waiting"]),
        tally=Tally.read(row["tally"]),
        counted=row["counted"],
        repeated=row["repeated"],
    )
