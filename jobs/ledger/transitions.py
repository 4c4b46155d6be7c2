"""What changes together in one commit, written: under the fence of who writes, with the claims that were made.

Lines are handed to the driver as they lie in the tables: keys and runs by their numbers, texts as bytes.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, func, select

from jobs.errors import ExitCode
from jobs.ledger import tables
from jobs.ledger.acknowledged import Acknowledged, older
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.bulk_insert import Many, insert_lines
from jobs.ledger.columns import event_line, kept, outcome_line, record_line, step_line
from jobs.ledger.database import still_there
from jobs.ledger.dialect import is_one_of
from jobs.ledger.lost_answer import is_there
from jobs.ledger.packed import pack
from jobs.ledger.rows import EventRow, IdClaim, OutcomeRow, Part, RecordRow, StepRow, Transition

EPOCH = (
    select(tables.space.c.epoch).where(tables.space.c.space_id == bindparam("space_id")).with_for_update(key_share=True)
)
"""The fencing epoch of a space, held until the transaction ends where a database can."""

OF_SHARD = (
    select(tables.shard.c.epoch)
    .where(tables.shard.c.run_id == bindparam("run_id"), tables.shard.c.shard == bindparam("shard"))
    .where(tables.space.c.space_id == bindparam("space_id"), tables.space.c.epoch == bindparam("epoch"))
    .with_for_update(read=True, key_share=True)
)
"""The fencing epoch of a shard as long as the space has this one. Shards of a run commit beside each other: whoever
takes a space has the lock of the whole ledger, which each of them shares."""

RUN_NUMBER = select(tables.run.c.run_no).where(tables.run.c.run_id == bindparam("run_id"))

LAST_EVENT = select(func.max(tables.event.c.seq)).where(tables.event.c.run_id == tables.RUN.number_given("run_no"))
"""The number of a run's newest event; null before its first."""

MOST_KNOWN = 200_000
"""Keys whose numbers are remembered (chosen: some 30 MiB)."""


class Fenced(LedgerBroken):
    """Another process took the (system, tenant) over: this one must stop at once and change nothing more."""

    exit_code = ExitCode.LOCKED
    code = None

    @classmethod
    def taken_over(cls) -> "Fenced":
        """What is said of it."""
        return cls(
            "another run took over this tenant: stopped without changing anything more",
            hint="muster status shows it; when it has ended, muster resume",
        )


@dataclass(frozen=True, slots=True)
class Fence:
    """Who writes: the run, the epoch of its space, and the shard that it writes about (None: its own rows)."""

    space_id: int
    epoch: int
    run_id: str
    part: Part | None

    def hold(self, connection: Connection, many: Many) -> None:
        """Raises Fenced when somebody else has the space, or the shard, by now; LedgerLost for a ledger of before."""
        mine: dict[str, object] = {"space_id": self.space_id, "epoch": self.epoch, "run_id": self.run_id}
        if self.part is None:
            found = many.scalar(connection, EPOCH, space_id=self.space_id)
            if found is None or found < self.epoch:  # it only grows
                raise older()
            held = found == self.epoch
        else:
            held = many.scalar(connection, OF_SHARD, shard=self.part.shard, **mine) == self.part.epoch
        if not held:
            raise Fenced.taken_over()


class Transitions:
    """The commits of one process on a ledger, with the numbers of runs and keys that it has met."""

    def __init__(self) -> None:
        self.acknowledged = Acknowledged()
        self._many = Many()
        self._runs: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def commit(
        self, writes: Engine, fence: Fence, transitions: Sequence[Transition], *, again: bool
    ) -> Mapping[IdClaim, str]:
        """As `Store.apply`, once; `again`: it may be committed already."""
        try:
            with writes.connect() as connection:
                with connection.begin():
                    held = self._written(connection, fence, transitions, again=again)
                still_there(connection)
        except BaseException:
            self._keys.clear()  # a number that was not committed may become another key's
            raise
        events = [each.event for each in transitions if each.event is not None]
        self.acknowledged.learn(
            fence.run_id, events, [each.outcome for each in transitions if each.outcome is not None]
        )
        return held

    def _written(
        self, connection: Connection, fence: Fence, transitions: Sequence[Transition], *, again: bool
    ) -> Mapping[IdClaim, str]:
        records: dict[str, RecordRow] = {}
        steps: dict[tuple[str, str], StepRow] = {}
        for transition in transitions:
            if transition.record is not None:
                records[transition.record.key] = transition.record
                if transition.step is not None:
                    steps[transition.record.key, transition.step.name] = transition.step
        events = [each.event for each in transitions if each.event is not None]
        outcomes = [each.outcome for each in transitions if each.outcome is not None]
        claims = [claim for each in transitions for claim in each.claims]
        fence.hold(connection, self._many)
        if not (again and is_there(connection, fence.run_id, events, outcomes, fence.part)):
            self.acknowledged.check(connection)
            self._state(connection, fence, records, steps)
            self._history(connection, fence.run_id, events, outcomes)
        return self._claim(connection, fence.space_id, claims)

    def _state(
        self,
        connection: Connection,
        fence: Fence,
        records: Mapping[str, RecordRow],
        steps: Mapping[tuple[str, str], StepRow],
    ) -> None:
        """What is known of each key from now on. In the order of their numbers: neighbours share a page."""
        space_id, number = fence.space_id, self.numbers(connection, records)
        changed = [
            record_line(records[key], space_id, number[key], self.run_number(connection, records[key].run_id))
            for key in sorted(records, key=number.__getitem__)
        ]
        moved = [step_line(each, space_id, number[key]) for (key, _), each in steps.items()]
        insert_lines(connection, tables.record, changed, replacing=True)
        insert_lines(connection, tables.step, moved, replacing=True)

    def _history(
        self, connection: Connection, run_id: str, events: Sequence[EventRow], outcomes: Sequence[OutcomeRow]
    ) -> None:
        run = self.run_number(connection, run_id)
        named = [each.key for each in events if each.key] + [each.key for each in outcomes if each.key]
        number = self.numbers(connection, named)
        self.add_events(connection, run, events, number)
        ended = [kept(outcome_line(each, run, number[each.key] if each.key else None)) for each in outcomes]
        insert_lines(connection, tables.outcome, ended)

    def add_events(
        self, connection: Connection, run: int, events: Sequence[EventRow], number: Mapping[str, int]
    ) -> None:
        """Adds to the history of the run of that number; a server numbers events by itself."""
        seq = None
        if events and connection.dialect.name == "sqlite":
            seq = int(self._many.scalar(connection, LAST_EVENT, run_no=run) or 0)
        lines = [
            event_line(each, run, None if seq is None else seq + place, number[each.key] if each.key else None)
            for place, each in enumerate(events, 1)
        ]
        insert_lines(connection, tables.event, lines)

    def _claim(self, connection: Connection, space_id: int, claims: Sequence[IdClaim]) -> Mapping[IdClaim, str]:
        """Makes the claims on what nobody holds; gives those that another key holds, with that key."""
        if not claims:
            return {}
        table = tables.holder
        ordered = sorted(claims, key=lambda each: (each.kind, each.id))  # two shards that claim both never wait in turn
        number = self.numbers(connection, [each.key for each in ordered])
        lines = [kept((space_id, each.kind, each.id, number[each.key])) for each in ordered]
        if insert_lines(connection, table, lines, replacing=False) == len(lines):
            return {}
        ids = is_one_of(connection, table.c.id, [each.id for each in claims])
        held = select(table.c.kind, table.c.id, table.c.key).where(table.c.space_id == space_id, ids)
        holders = {(kind, found): key for kind, found, key in connection.execute(held)}
        return {each: key for each in claims if (key := holders[each.kind, each.id]) != each.key}

    def run_number(self, connection: Connection, run_id: str) -> int:
        """The number of a run that has begun."""
        known = self._runs.get(run_id)
        if known is None:
            known = self._runs[run_id] = int(self._many.scalar(connection, RUN_NUMBER, run_id=run_id))
        return known

    def numbers(self, connection: Connection, keys: Collection[str]) -> Mapping[str, int]:
        """The number of each of `keys`, given to those that are new to the ledger."""
        if new := sorted({key for key in keys if key not in self._keys}):
            if len(self._keys) > MOST_KNOWN:
                self._keys.clear()
                new = sorted(set(keys))
            self._keys.update(numbered(connection, new))
        return self._keys


def numbered(connection: Connection, keys: Sequence[str]) -> Iterable[tuple[str, int]]:
    """The number of each key, given to those that have none."""
    packed = {pack(key): key for key in keys}
    insert_lines(connection, tables.keys, [(each,) for each in packed], replacing=False)
    if connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql("SELECT key, key_no FROM keys WHERE key = ANY(%s)", (list(packed),))
    else:
        asked = json.dumps([each.hex() for each in packed])
        found = connection.exec_driver_sql(f"SELECT key, key_no FROM keys WHERE key IN ({EACH})", (asked,))  # noqa: S608 # nosec B608
    return ((packed[each], number) for each, number in found)


EACH = "SELECT unhexed(value) FROM json_each(?)"
"""The bytes of one parameter: JSON of hex digits."""
