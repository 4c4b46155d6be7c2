"""Rows of a ledger of version 1 to 8 as version 9 keeps them: window by window, within the transaction that upgrades.

The tables of before are beside the new ones under another name, with the columns that their version had.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, inspect, text

from jobs.ledger import tables
from jobs.ledger.bulk_insert import insert_lines
from jobs.ledger.columns import kept
from jobs.ledger.dialect import number_on
from jobs.ledger.packed import pack_all
from jobs.ledger.transitions import numbered

AT_ONCE = 10_000
"""Rows that are in memory at a time (chosen)."""

ANEW_SINCE = 9
"""The version that first keeps them so."""

BEFORE = "_before"
"""What the names of the tables of before end with."""

Line = Mapping[str, Any]


def set_aside(connection: Connection) -> None:
    """Renames the tables of before, and drops their indexes, whose names the new ones have."""
    found = inspect(connection)
    there = set(found.get_table_names())
    for table in tables.ANEW:
        if table.name in there:
            for index in found.get_indexes(table.name):
                if index["name"] and not index.get("duplicates_constraint"):
                    connection.execute(text(f'DROP INDEX "{index["name"]}"'))
            connection.execute(text(f'ALTER TABLE "{table.name}" RENAME TO "{table.name}{BEFORE}"'))


def bring_over(connection: Connection) -> None:
    """Brings the rows of all tables of before into the new ones, and drops the old ones."""
    there = set(inspect(connection).get_table_names())
    for table, made in MAKERS.items():
        old = f"{table.name}{BEFORE}"
        if old in there:
            for window in _windows(connection, old, ORDER.get(table.name, "")):
                insert_lines(connection, table, list(made(connection, window)))
    if f"{tables.holder.name}{BEFORE}" not in there:
        _hold(connection)
    for table in tables.ANEW:
        connection.execute(text(f'DROP TABLE IF EXISTS "{table.name}{BEFORE}"'))
    number_on(connection, [*tables.ANEW, tables.keys, tables.mark])


ORDER: Mapping[str, str] = {
    "run": "LEFT JOIN (SELECT run_id, min(seq) AS began FROM event_before GROUP BY run_id) AS first USING (run_id)"
    " ORDER BY coalesce(began, 0), run_id",
    "event": "ORDER BY seq",
    "outcome": "ORDER BY run_id, source_row",
    "permit": "ORDER BY permit_id",
}
"""Where the order of the rows says something: runs are numbered as they began. All events are gone through once for
that, not once a run: their indexes are dropped by then."""


def _windows(connection: Connection, table: str, order: str) -> Iterator[list[Line]]:
    """The rows of a table, some at a time; read from where it lies, once."""
    wanted = text(f'SELECT * FROM "{table}" {order}')  # noqa: S608 - constants # nosec B608
    with connection.execute(wanted, execution_options={"yield_per": AT_ONCE}) as found:
        for window in found.mappings().partitions(AT_ONCE):
            yield [dict(row) for row in window]


def _numbers(connection: Connection, keys: Iterable[str | None]) -> Mapping[str | None, int | None]:
    found: dict[str | None, int | None] = {None: None}
    found.update(numbered(connection, sorted({key for key in keys if key is not None})))
    return found


def _runs(connection: Connection) -> Mapping[str, int]:
    return dict(map(tuple, connection.execute(text("SELECT run_id, run_no FROM run"))))


def _marks(connection: Connection, marks: Iterable[str | None]) -> Mapping[str | None, int | None]:
    """The numbers of pools, boots and processes."""
    insert_lines(
        connection, tables.mark, [kept((each,)) for each in sorted({each for each in marks if each is not None})],
        replacing=False,
    )  # fmt: skip
    table = tables.mark.c
    known = connection.execute(tables.mark.select().with_only_columns(table.mark, table.mark_no))
    return {None: None, **dict(map(tuple, known))}


def _all(text_of: str | None) -> bytes | None:
    return None if text_of is None else pack_all(json.loads(text_of))


def _same(table: Table, line: Line, changed: Mapping[str, object]) -> tuple[object, ...]:
    """The line in the columns of `table`: as it was, but for what is `changed`; what its version lacked is null."""
    return kept([changed[each.name] if each.name in changed else line.get(each.name) for each in table.columns])


def _of_runs(_connection: Connection, window: Sequence[Line]) -> Iterator[tuple[object, ...]]:
    """Runs stay text."""
    for line in window:
        yield tuple(line.get(each.name) for each in tables.run.columns if each.name != "run_no")


def _of_keys(table: Table, key: str, run: str | None, maps: Sequence[str] = ()) -> "Maker":
    """What makes the lines of a table whose columns `key` and `run` become numbers, and `maps` bytes."""

    def made(connection: Connection, window: Sequence[Line]) -> Iterator[tuple[object, ...]]:
        number = _numbers(connection, (line[key] for line in window))
        runs = _runs(connection) if run else {}
        for line in window:
            changed: dict[str, object] = {key: number[line[key]], **{name: _all(line.get(name)) for name in maps}}
            if run:
                changed[run] = runs.get(line[run], 0)  # 0: a run that is gone, as `muster ledger check` says
            if table is tables.record:
                changed["customer_id"] = json.loads(line["facts"]).get("customer_id") or None
            yield _same(table, line, changed)

    return made


def _of_permits(connection: Connection, window: Sequence[Line]) -> Iterator[tuple[object, ...]]:
    """An older muster counted on the wall clock: that is the clock of the boot without a name."""
    names = ("pool", "boot", "process")
    number = _marks(connection, ["", *(line.get(name) for line in window for name in names)])
    for line in window:
        changed: dict[str, object] = {name: number[line.get(name)] for name in names}
        if "boot" not in line:
            changed |= {"boot": number[""], "sent_up": line["sent_ms"], "answered_up": line["answered_ms"]}
        yield _same(tables.permit, line, changed)


def _hold(connection: Connection) -> None:
    """Says for records of a version before 3 whose customer and wallet are whose; the first key found has it."""
    record = tables.record.c
    wanted = tables.record.select().with_only_columns(record.space_id, record.key, record.facts).order_by(record.key)
    for space_id, key, facts in connection.execute(wanted).all():
        number = _numbers(connection, [key])[key]
        found = [(space_id, kind, facts.get(f"{kind}_id"), number) for kind in ("customer", "wallet")]
        insert_lines(connection, tables.holder, [kept(each) for each in found if each[2]], replacing=False)


Maker = Callable[[Connection, Sequence[Line]], Iterable[tuple[object, ...]]]

MAKERS: Mapping[Table, Maker] = {
    tables.run: _of_runs,
    tables.record: _of_keys(tables.record, "key", "run_id", ("pseudonyms", "facts")),
    tables.step: _of_keys(tables.step, "key", None, ("bound",)),
    tables.event: _of_keys(tables.event, "key", "run_id"),
    tables.outcome: _of_keys(tables.outcome, "external_unique_id", "run_id"),
    tables.holder: _of_keys(tables.holder, "key", None),
    tables.permit: _of_permits,
}
"""How the rows of each table come over, in the order in which they do."""
