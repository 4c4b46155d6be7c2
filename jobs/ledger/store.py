"""Every read and write of the ledger, as a verb. Synchronous; `writer.py` gathers the writes of many workers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    func,
    insert,
    inspect,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from jobs.errors import MusterError, Unusable
from jobs.ledger import tables
from jobs.ledger.broken import LedgerBusy, words_of
from jobs.ledger.bulk_insert import insert_lines
from jobs.ledger.columns import record_of, run_of, step_of
from jobs.ledger.database import database_of
from jobs.ledger.dialect import insert_into, is_one_of
from jobs.ledger.lost_answer import made_once, repeatable
from jobs.ledger.migration import migrate
from jobs.ledger.older import ANEW_SINCE
from jobs.ledger.origin import MOVED_FROM, remember_origin
from jobs.ledger.paging import paged
from jobs.ledger.place import place_of
from jobs.ledger.rows import EventRow, IdClaim, Known, Part, RunRow, StepRow, Transition
from jobs.ledger.transitions import Fence, Transitions
from jobs.model import Outcome
from jobs.windows import A_WINDOW

RUN_COLUMNS = tuple(each for each in tables.run.c if each.name not in {"run_no", "stop"})
"""What a run is known by; its number is the ledger's alone, and why its processes are to stop is for them."""


class Store:
    """One ledger. Safe to use from one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.writes = engine.execution_options(writes=True)
        self._numbers = Transitions()
        self.version = tables.SCHEMA_VERSION

    @property
    def age(self) -> ColumnElement[int]:
        """Grows from run to run as they began in this ledger, whatever the wall clock showed then.

        Of a ledger of an older version that is only read, it is what the wall clock showed.
        """
        return tables.run.c.run_no if self.version >= ANEW_SINCE else tables.run.c.started_ms

    @property
    def url(self) -> str:
        """Where the ledger is, as `--ledger` names it."""
        return self.engine.url.set(drivername=self.engine.dialect.name).render_as_string()

    @classmethod
    def open(cls, url: str, *, create: bool = True, upgrade: bool = True) -> "Store":
        """The ledger at `url`, made or migrated when needed. Raises Unusable, LedgerBusy: nothing was sent yet.

        `upgrade` False: one of an older version stays as it is, to be read only.
        """
        place = place_of(url)
        store = cls(place.open())
        try:
            store.version = migrate(store.engine, create=create, upgrade=upgrade)
        except DBAPIError as error:
            store.close()
            raise Unusable(f"the ledger {place} can't be used: {_cause(error)}") from error
        except LedgerBusy:
            store.close()
            raise
        except MusterError as error:
            store.close()
            raise Unusable(error.message, hint=error.hint) from error
        return store

    def hear(self, stopped: Callable[[], bool]) -> None:
        """From now on no wait for another process outlives a stop by long; `stopped` is asked from any thread."""
        database_of(self.engine).turn.stopped = stopped

    @classmethod
    @contextmanager
    def opened(cls, url: str, *, create: bool = True, upgrade: bool = True) -> Iterator["Store"]:
        """`open` for a block."""
        store = cls.open(url, create=create, upgrade=upgrade)
        try:
            yield store
        finally:
            store.close()

    def writing(self, patience: float) -> AbstractContextManager[Connection]:
        """A transaction that writes; another process's lock is waited for `patience` seconds. Raises LedgerBusy."""
        return self.engine.execution_options(writes=True, patience=patience).begin()

    def about(self, space_id: int, **options: object) -> Engine:
        """Transactions that write to one space alone: on a server, those of other spaces go on beside them."""
        return self.engine.execution_options(writes=True, about=f"space {space_id}", **options)

    def about_shard(self, run_id: str, shard: int, **options: object) -> Engine:
        """Transactions that write to the rows of one shard of a run: on a server, other shards go on beside them."""
        return self.engine.execution_options(writes=True, about=f"shard {run_id} {shard}", **options)

    def about_permits(self) -> Engine:
        """Transactions that write permits: on a server, those about rows go on beside them."""
        return self.engine.execution_options(writes=True, about="permits")

    def has(self, table: Table) -> bool:
        """Whether the ledger has `table`: one of an older version that was not brought up to date may not."""
        with self.engine.connect() as connection:
            return inspect(connection).has_table(table.name)

    def knows_key(self) -> bool:
        """Whether a key of pseudonyms was used with this ledger already, so that no other one may be made."""
        with self.engine.connect() as connection:
            known = connection.scalar(select(tables.schema_version.c.key_check)) is not None
            return known or connection.scalar(select(tables.record.c.key).limit(1)) is not None

    def columns(self, table: Table) -> list[ColumnElement[Any]]:
        """The columns of `table`; null in the place of those that a ledger of an older version does not have."""
        with self.engine.connect() as connection:
            there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        return [each if each.name in there else null().label(each.name) for each in table.columns]

    @repeatable
    def know_key(self, check: str) -> None:
        """Raises Unusable when `check`, a pseudonym of nothing, was made with another key than the ledger's.

        With another key every row would seem changed. Only the first time is a write.
        """
        column = tables.schema_version.c.key_check
        with self.engine.connect() as connection:
            known = connection.scalar(select(column))
        if known is None:
            with self.writes.begin() as connection:
                connection.execute(update(tables.schema_version).where(column.is_(None)).values(key_check=check))
                known = connection.scalar(select(column))
        if known != check:
            raise Unusable(
                "the key of the pseudonyms is not the one that this ledger was made with",
                hint="restore MUSTER_PSEUDONYM_KEY, or the file .key beside the ledger",
            )

    def close(self) -> None:
        """Gives the connections back."""
        self.engine.dispose()

    @repeatable
    def space(self, system: str, tenant: str) -> int:
        """The id of one (system, tenant), made when new."""
        table = tables.space
        wanted = select(table.c.space_id).where(table.c.system == system, table.c.tenant == tenant)
        with self.engine.connect() as connection:
            found = connection.scalar(wanted)
        if found is None:
            with self.writes.begin() as connection:
                statement = self._insert(table).values(system=system, tenant=tenant).on_conflict_do_nothing()
                connection.execute(statement)
                found = connection.scalar(wanted)
        assert found is not None
        return int(found)

    def begin_run(self, space_id: int, run: RunRow, origin: str | None = None) -> None:
        """Records the batch (once) and the run. Raises Unusable when the run id was used before.

        `origin`: of the target, which the space speaks of from now on; None: as before.
        """
        batch, start = tables.batch, EventRow(run.started_ms, "run_start")
        with self.writes.begin() as connection:
            self._numbers.acknowledged.check(connection)
            if connection.scalar(select(tables.run.c.run_id).where(tables.run.c.run_id == run.run_id)):
                raise Unusable(f"run id {run.run_id} was used before", hint="choose another --run-id, or leave it out")
            row = {
                "space_id": space_id,
                "input_sha256": run.input_sha256,
                "rows": run.rows,
                "created_ms": run.started_ms,
            }
            connection.execute(self._insert(batch).values(row).on_conflict_do_nothing())
            same = (batch.c.space_id == space_id, batch.c.input_sha256 == run.input_sha256)
            batch_id = connection.scalar(select(batch.c.batch_id).where(*same))
            begun_run = insert(tables.run).values(
                run_id=run.run_id,
                batch_id=batch_id,
                command=run.command,
                input_path=run.input_path,
                settings=json.dumps(run.settings, sort_keys=True),
                facts=json.dumps(run.facts, sort_keys=True),
                folder=run.folder,
                started_ms=run.started_ms,
            )
            number = connection.scalar(begun_run.returning(tables.run.c.run_no)) or 0
            self._numbers.add_events(connection, number, [start], {})
            if origin is not None:
                remember_origin(connection, space_id, origin, run.facts.get(MOVED_FROM))
        self._numbers.acknowledged.learn(run.run_id, [start], [])

    @repeatable
    def end_run(self, run_id: str, *, ended_ms: int, exit_code: int, summary: Mapping[str, object]) -> None:
        """Closes the run with its exit code and the summary as it was written."""
        with self.writes.begin() as connection:
            connection.execute(
                update(tables.run)
                .where(tables.run.c.run_id == run_id)
                .values(ended_ms=ended_ms, exit_code=exit_code, summary=json.dumps(summary, sort_keys=True))
            )

    def unfinished(self, space_id: int) -> list[str]:
        """The folders of those runs of a space that may have died before all their files were written.

        They are the ones that have not ended, and the newest: a run ends in the ledger before its report is written.
        """
        run, batch = tables.run, tables.batch
        ours = batch.c.space_id == space_id
        joined = run.join(batch, batch.c.batch_id == run.c.batch_id)
        newest = select(run.c.run_id).select_from(joined).where(ours).order_by(self.age.desc()).limit(1)
        wanted = or_(run.c.ended_ms.is_(None), run.c.run_id == newest.scalar_subquery())
        with self.engine.connect() as connection:
            return list(connection.scalars(select(run.c.folder).select_from(joined).where(ours, wanted)))

    def apply(
        self, space_id: int, epoch: int, run_id: str, transitions: Sequence[Transition], *, part: Part | None = None
    ) -> Mapping[IdClaim, str]:
        """Commits all of `transitions` or none; gives the claims that were not made, with the key that holds the id.

        `part`: the shard whose rows they are about; None: they are the run's own. Raises Fenced when the lease, or that
        of the shard, was taken over meanwhile. Where a server is lost in the middle of it, it is asked
        what became of it when it is back, and the rest is done then.
        """
        fence = Fence(space_id, epoch, run_id, part)
        writes = self.about(space_id) if part is None else self.about_shard(run_id, part.shard)
        return made_once(lambda again: self._numbers.commit(writes, fence, transitions, again=again))

    @repeatable
    def add_calls(self, run_id: str, calls: Mapping[tuple[str, str, str], int]) -> None:
        """Records how many calls of each (operation, method, status) a run made; once a run."""
        lines = [(run_id, *call, count) for call, count in sorted(calls.items())]
        if lines:
            with self.writes.begin() as connection:
                insert_lines(connection, tables.call, lines, replacing=True)

    def known(self, space_id: int, keys: Sequence[str]) -> dict[str, Known]:
        """What the ledger knows of `keys`; a key that it does not know is absent."""
        return made_once(lambda _again: self._known(space_id, keys))

    def _known(self, space_id: int, keys: Sequence[str]) -> dict[str, Known]:
        with self.engine.connect() as connection:
            of_keys = [
                select(each).where(each.c.space_id == space_id, is_one_of(connection, each.c.key, keys))
                for each in (tables.record, tables.step)
            ]
            records, steps = (connection.execute(wanted).all() for wanted in of_keys)
        found: dict[str, dict[str, StepRow]] = {}
        for line in steps:
            step = step_of(line)
            found.setdefault(line[1], {})[step.name] = step
        return {record.key: Known(record, found.get(record.key, {})) for record in map(record_of, records)}

    def run(self, run_id: str) -> RunRow | None:
        """One run, None when there is none of that id."""
        return next(iter(self._runs(select_runs().where(tables.run.c.run_id == run_id))), None)

    def runs(self, limit: int = 50) -> list[RunRow]:
        """The newest runs, the newest first."""
        return self._runs(select_runs().order_by(self.age.desc(), tables.run.c.run_id.desc()).limit(limit))

    def matching(self, statement: Select[Any]) -> list[RunRow]:
        """The runs that a statement made from `select_runs` gives."""
        return self._runs(statement)

    def runs_of_batch(self, run: RunRow) -> list[RunRow]:
        """All runs over the same input in the same space, oldest first; `run` is one of them."""
        space, batch = tables.space.c, tables.batch.c
        ours = (space.system == run.system, space.tenant == run.tenant, batch.input_sha256 == run.input_sha256)
        return self._runs(select_runs().where(*ours).order_by(self.age, tables.run.c.run_id))

    def outcomes(self, run_id: str, window: int = A_WINDOW) -> Iterator[list[Mapping[str, Any]]]:
        """The outcome rows of a run in input order, at most `window` at a time; times in milliseconds."""
        wanted = select(tables.outcome).where(tables.outcome.c.run_id == run_id)
        for rows in paged(self.engine, wanted, tables.outcome.c.source_row, window):
            yield _plain(rows)

    def events(self, run_id: str, window: int = A_WINDOW, *, row: int | None = None) -> Iterator[Mapping[str, Any]]:
        """The history of a run, oldest first; of the source row `row` alone where one is given."""
        wanted = select(tables.event).where(tables.event.c.run_id == run_id)
        if row is not None:
            wanted = wanted.where(tables.event.c.source_row == row)
        for rows in paged(self.engine, wanted, tables.event.c.seq, window):
            yield from _plain(rows)

    def outcome_counts(self, run_id: str) -> dict[Outcome, int]:
        """How many rows of a run ended in each outcome; an outcome without rows is absent."""
        return {Outcome(name): count for name, count in self._counts(run_id, tables.outcome.c.outcome)}

    def attempt_total(self, run_id: str) -> int:
        """Mutating requests that the outcome rows of a run account for."""
        statement = select(func.coalesce(func.sum(tables.outcome.c.attempts), 0)).where(
            tables.outcome.c.run_id == run_id
        )
        with self.engine.connect() as connection:
            return int(connection.scalar(statement) or 0)

    def intent_total(self, run_id: str) -> int:
        """Intents that a run committed."""
        table = tables.event
        statement = select(func.count()).select_from(table).where(table.c.run_id == run_id, table.c.kind == "intent")
        with self.engine.connect() as connection:
            return int(connection.scalar(statement) or 0)

    def owner(self, system: str, tenant: str) -> str | None:
        """The run that holds the lease of (system, tenant); None when it is free."""
        table = tables.space
        statement = select(table.c.owner_run).where(table.c.system == system, table.c.tenant == tenant)
        with self.engine.connect() as connection:
            owner: str | None = connection.scalar(statement)
            return owner

    def calls(self, run_id: str) -> dict[tuple[str, str, str], int]:
        """Calls of a run by (operation, method, status)."""
        table = tables.call
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.run_id == run_id)).mappings()
            return {(row["operation"], row["method"], row["status"]): row["calls"] for row in rows}

    def settled_rows(self, run_id: str) -> int:
        """How many rows of a run have an outcome so far."""
        statement = select(func.count()).select_from(tables.outcome).where(tables.outcome.c.run_id == run_id)
        with self.engine.connect() as connection:
            return int(connection.scalar(statement) or 0)

    def settled_among(self, run_id: str, first: int, last: int) -> set[int]:
        """Which source rows from `first` to `last` of a run have an outcome."""
        table = tables.outcome
        statement = select(table.c.source_row).where(table.c.run_id == run_id, table.c.source_row.between(first, last))
        with self.engine.connect() as connection:
            return set(connection.scalars(statement))

    def undecided_since(self, run_id: str) -> list[int]:
        """For each row that a run left waiting for a decision, since when (milliseconds)."""
        outcome, record, run, batch = tables.outcome, tables.record, tables.run, tables.batch
        statement = (
            select(record.c.undecided_since_ms)
            .join_from(outcome, run, run.c.run_no == outcome.c.run_id)
            .join(batch, batch.c.batch_id == run.c.batch_id)
            .join(record, (record.c.space_id == batch.c.space_id) & (record.c.key == outcome.c.external_unique_id))
            .where(
                outcome.c.run_id == run_id,
                outcome.c.outcome == Outcome.PENDING,
                record.c.undecided_since_ms.is_not(None),
            )
        )
        with self.engine.connect() as connection:
            return [int(moment) for moment in connection.scalars(statement)]

    def _counts(self, run_id: str, column: Any) -> list[tuple[str, int]]:
        statement = select(column, func.count()).where(tables.outcome.c.run_id == run_id).group_by(column)
        with self.engine.connect() as connection:
            return [(name, int(count)) for name, count in connection.execute(statement)]

    def _runs(self, statement: Select[Any]) -> list[RunRow]:
        with self.engine.connect() as connection:
            return [run_of(row) for row in connection.execute(statement).mappings()]

    def _insert(self, table: Table) -> Any:
        return insert_into(self.engine.dialect.name, table)


def select_runs(*, summaries: bool = True) -> Select[Any]:
    """Runs with their batch and space; without `summaries` each is as if it had none."""
    batch, space = tables.batch.c, tables.space.c
    told = [each if summaries or each.name != "summary" else null().label("summary") for each in RUN_COLUMNS]
    return (
        select(*told, batch.input_sha256, batch.rows, space.system, space.tenant)
        .join(tables.batch, tables.run.c.batch_id == batch.batch_id)
        .join(tables.space, batch.space_id == space.space_id)
    )


def _plain(rows: Sequence[Row[Any]]) -> list[Mapping[str, Any]]:
    """The rows with plain text for names: SQLAlchemy's are a kind of str that strict encoders refuse."""
    names = [str(name) for name in rows[0]._fields]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cause(error: DBAPIError) -> str:
    """The driver's own words, without the statement and its parameters."""
    return words_of(error.orig)
