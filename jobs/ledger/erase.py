"""Erases what is personal from the ledger: pseudonyms, masked forms, references. Counts and outcomes stay.

Records of rows that are still open stay too: without them nobody could say what was sent.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    and_,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
    union,
    update,
)

from jobs.ledger import tables
from jobs.ledger.packed import CUSTOMER, HIDDEN
from jobs.ledger.people import Place, at
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store, select_runs
from jobs.model import COMPLETE, RESUMABLE
from schemas.outcome import OUTCOME
from schemas.report_column import goes, personal

ERASED = "erased"
"""Where a run's facts hold what was erased of it."""


FORGOTTEN = "the person was forgotten"
"""Why rows of a forgotten person are closed: nobody can act upon them, and nobody may give them back from the input."""


def personal_of_events(*, forgotten: bool) -> tuple[str, ...]:
    """The columns of `event` that are erased when a run is purged, or (`forgotten`) all that go when a person is."""
    return tuple(each.name for each in tables.event.c if goes(each.info.get("personal"), forgotten=forgotten))


def decision_left(detail: str, *, forgotten: bool) -> str:
    """What stays of the `detail` of an event of kind `decision`: who decided. Why goes with the run; the customer, too,
    with the person.
    """
    goes = {"reason", "customer_id"} if forgotten else {"reason"}
    kept = {name: value for name, value in json.loads(detail).items() if name not in goes}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def spaces(store: Store) -> list[int]:
    """All (system, tenant) of the ledger."""
    with store.engine.connect() as connection:
        return [int(each) for each in connection.scalars(select(tables.space.c.space_id))]


def runs_before(store: Store, before_ms: int) -> list[RunRow]:
    """Runs that ended earlier, and of which nothing was purged yet, oldest first. One that never ended, because it was
    killed or cut short, counts from its beginning: nobody would come back for what it left.
    """
    run = tables.run.c
    old = select_runs().where(func.coalesce(run.ended_ms, run.started_ms) < before_ms).order_by(store.age)
    return [run for run in store.matching(old) if "purge" not in erased(run)]


def all_runs(store: Store) -> list[RunRow]:
    """Every run, oldest first."""
    return store.matching(select_runs().order_by(store.age))


def erased(run: RunRow) -> list[str]:
    """What was erased of a run: `purge`, `forget`; empty when nothing was."""
    found = run.facts.get(ERASED, [])
    return [str(each) for each in found] if isinstance(found, list) else []


def note_erased(store: Store, run_id: str, what: str) -> None:
    """Records that the files of a run can't be made again as they were."""
    table = tables.run
    with store.writes.begin() as connection:
        facts = json.loads(connection.scalar(select(table.c.facts).where(table.c.run_id == run_id)) or "{}")
        facts[ERASED] = [*facts.get(ERASED, []), what]
        changed = update(table).where(table.c.run_id == run_id).values(facts=json.dumps(facts, sort_keys=True))
        connection.execute(changed)


def purge_runs(store: Store, run_ids: Sequence[str]) -> int:
    """Blanks the rows of these runs and drops the records that no other run needs; gives how many records."""
    outcome, event, record, step, holder = tables.outcome, tables.event, tables.record, tables.step, tables.holder
    shown, told = _nothing(personal(OUTCOME, forgotten=False)), _nothing(personal_of_events(forgotten=False))
    with store.writes.begin() as connection:
        needed = select(outcome.c.external_unique_id).where(
            outcome.c.run_id.not_in(run_ids), outcome.c.external_unique_id.is_not(None)
        )
        settled = and_(record.c.outcome.is_not(None), record.c.outcome.not_in(list(RESUMABLE)))
        old = and_(record.c.run_id.in_(run_ids), record.c.key.not_in(needed), settled)
        kept = select(record.c.space_id, record.c.key)
        dropped = connection.execute(delete(record).where(old)).rowcount
        for table in (step, holder):
            connection.execute(delete(table).where(tuple_(table.c.space_id, table.c.key).not_in(kept)))
        connection.execute(delete(tables.reading).where(tables.reading.c.run_id.in_(run_ids)))
        for run_id in run_ids:
            _blank_keys(connection, run_id)
            connection.execute(update(outcome).where(outcome.c.run_id == run_id).values(shown))
            connection.execute(update(event).where(event.c.run_id == run_id).values(told))
            _blank_words(connection, tables.disposition.c.run_id == run_id)
            _blank_decisions(connection, event.c.run_id == run_id, forgotten=False)
        _drop_keys(connection)
    return int(dropped)


def _blank_words(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Blanks why people closed rows: words that may be about somebody. Who closed them, and how, stays."""
    said = tables.disposition
    connection.execute(update(said).where(*which, said.c.reason != FORGOTTEN).values(reason=ERASED))


def _blank_decisions(connection: Connection, *which: ColumnElement[bool], forgotten: bool) -> None:
    """Leaves of the decisions of people what `decision_left` says."""
    event = tables.event
    made = select(event.c.run_id, event.c.seq, event.c.detail).where(
        *which, event.c.kind == "decision", event.c.detail.is_not(None)
    )
    for run_id, seq, detail in connection.execute(made).all():
        left = decision_left(detail, forgotten=forgotten)
        mine = (event.c.run_id == run_id, event.c.seq == seq)
        connection.execute(update(event).where(*mine).values(detail=left))


def _drop_keys(connection: Connection) -> None:
    """Drops the keys that nothing speaks of any more."""
    keys, event, outcome = tables.keys, tables.event.c, tables.outcome.c
    spoken = union(
        *(select(table.c.key) for table in (tables.record, tables.step, tables.holder)),
        select(event.key).where(event.key.is_not(None)),
        select(outcome.external_unique_id).where(outcome.external_unique_id.is_not(None)),
    )
    connection.execute(delete(keys).where(keys.c.key_no.not_in(spoken)))


def _blank_keys(connection: Connection, run_id: str) -> None:
    """Blanks the keys of a run that may lead to a person: hidden ones, and those that an older muster derived.

    A key whose record is needed stays; without it nobody could say what was sent.
    """
    outcome, event, record = tables.outcome.c, tables.event, tables.record
    needed = select(record.c.key)
    key = outcome.external_unique_id
    hidden, made_of_a_name = _keys_of()
    derived = and_(outcome.row_ref.is_(None), key.in_(made_of_a_name))
    led = and_(outcome.run_id == run_id, or_(key.in_(hidden), derived), key.not_in(needed))
    rows = select(outcome.source_row).where(led)
    its = and_(event.c.run_id == run_id, or_(event.c.source_row.in_(rows), event.c.key.in_(hidden)))
    connection.execute(update(event).where(its, event.c.key.not_in(needed)).values(key=null()))
    columns = {column: null() for column in ("external_unique_id", "wallet_external_unique_id")}
    connection.execute(update(tables.outcome).where(led).values(columns))


def still_open(store: Store, places: Sequence[Place]) -> bool:
    """Whether something of these keys is unfinished."""
    record = tables.record.c
    wanted = at(record.space_id, record.key, places)
    unsettled = or_(record.outcome.is_(None), record.outcome.in_(list(RESUMABLE)))
    with store.engine.connect() as connection:
        return connection.scalar(select(record.key).where(wanted, unsettled)) is not None


def forget_rows(store: Store, places: Sequence[Place], rows: Sequence[tuple[str, int]], by: str, at_ms: int) -> None:
    """Drops the records at `places` and what the target told of their customers, and blanks `rows` (run id, source row)
    in outcomes and history. What of them was not complete is closed, by whom and when is said.
    """
    outcome, event, said = tables.outcome, tables.event, tables.disposition.c
    notice, holder = tables.notice, tables.holder.c
    which = at(holder.space_id, holder.key, places)
    leading, told = _nothing(personal(OUTCOME, forgotten=True)), _nothing(personal_of_events(forgotten=True))
    with store.writes.begin() as connection:
        held = connection.execute(select(holder.space_id, holder.id).where(holder.kind == "customer", which)).all()
        for space_id, customer_id in held:
            told_of = (notice.c.space_id == space_id, notice.c.customer_id == customer_id.lower())
            connection.execute(delete(notice).where(*told_of))
        for table in (tables.step, tables.record, tables.holder):
            connection.execute(delete(table).where(at(table.c.space_id, table.c.key, places)))
        runs = {run_id for run_id, _ in rows}
        connection.execute(delete(tables.reading).where(tables.reading.c.run_id.in_(runs)))
        for run_id, row in rows:
            mine = (outcome.c.run_id == run_id, outcome.c.source_row == row)
            connection.execute(update(outcome).where(*mine).values(leading))
            its = (event.c.run_id == run_id, event.c.source_row == row)
            connection.execute(update(event).where(*its).values(told))
            _blank_words(connection, said.run_id == run_id, said.source_row == row)
            _close(connection, mine, by, at_ms)
            _blank_decisions(connection, *its, forgotten=True)
        _drop_keys(connection)


def forgotten(store: Store, run_id: str) -> frozenset[int]:
    """The source rows of a run whose persons were forgotten: they were closed, or are complete and name nobody."""
    said, outcome = tables.disposition.c, tables.outcome.c
    closed = select(said.source_row).where(said.run_id == run_id, said.reason == FORGOTTEN)
    nameless = (outcome.external_unique_id.is_(None), outcome.customer_id.is_(None))
    blank = select(outcome.source_row).where(outcome.run_id == run_id, outcome.outcome.in_(list(COMPLETE)), *nameless)
    with store.engine.connect() as connection:
        return frozenset(map(int, connection.scalars(union(closed, blank))))


def _close(connection: Connection, row: Sequence[ColumnElement[bool]], by: str, at_ms: int) -> None:
    """Closes a row of a forgotten person, where it is one that somebody would have to act upon."""
    outcome, said = tables.outcome.c, tables.disposition
    names = (outcome.run_id, outcome.source_row, outcome.outcome, outcome.reason_code)
    for found in connection.execute(select(*names).where(*row, outcome.outcome.not_in(list(COMPLETE)))).mappings():
        word = {"choice": "give_up", "reason": FORGOTTEN, "decided_by": by, "at_ms": at_ms}
        connection.execute(insert(said).values(**found, **word))


def _keys_of() -> tuple[Select[Any], Select[Any]]:
    """The numbers of the keys that are hidden, and of those that an older muster derived (a UUID of version 5)."""
    key = tables.keys.c
    packed = type_coerce(key.key, LargeBinary)
    version = func.substr(packed, 8, 1, type_=LargeBinary)
    derived = (func.substr(packed, 1, 1, type_=LargeBinary) == bytes([CUSTOMER]), version.between(b"\x50", b"\x5f"))
    hidden = func.substr(packed, 1, 1, type_=LargeBinary) == bytes([HIDDEN])
    return select(key.key_no).where(hidden), select(key.key_no).where(func.length(packed) == 17, *derived)


def _nothing(columns: Sequence[str]) -> dict[str, object]:
    return {column: null() for column in columns}
