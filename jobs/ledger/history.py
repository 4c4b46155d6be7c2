"""The history of a run in few columns, for counting: millions of events, thousands in memory. It judges nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store

COUNTED = ("intent", "result", "outcome")
"""Kinds of events that have a place in a row's course."""


def last_moment(store: Store, run_id: str) -> int | None:
    """When the newest event of a run was, in milliseconds; None before its first one."""
    event = tables.event.c
    newest = select(event.at_ms).where(event.run_id == run_id).order_by(event.seq.desc()).limit(1)
    with store.engine.connect() as connection:
        moment: int | None = connection.scalar(newest)
        return moment


def outcome_windows(store: Store, run_id: str, columns: Sequence[str], window: int = 10_000) -> Iterator[list[Any]]:
    """`columns` of the outcome rows of a run as tuples, in input order, at most `window` at a time.

    The first of `columns` has to be `source_row`.
    """
    table, after = tables.outcome, 0
    wanted = select(*(table.c[name] for name in columns)).where(table.c.run_id == run_id)
    while True:
        with store.engine.connect() as connection:
            statement = wanted.where(table.c.source_row > after).order_by(table.c.source_row).limit(window)
            rows = [tuple(row) for row in connection.execute(statement)]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def moments(store: Store, run_id: str, window: int = 50_000) -> Iterator[Sequence[Any]]:
    """(at_ms, kind, key, step, attempt, verdict, http_status, detail) of each counted event, oldest first."""
    event, after = tables.event.c, 0
    columns = (event.at_ms, event.kind, event.key, event.step, event.attempt, event.verdict, event.http_status)
    wanted = select(*columns, event.detail, event.seq).where(event.run_id == run_id, event.kind.in_(COUNTED))
    while True:
        with store.engine.connect() as connection:
            rows = connection.execute(wanted.where(event.seq > after).order_by(event.seq).limit(window)).all()
        if not rows:
            return
        yield from (row[:-1] for row in rows)
        after = rows[-1][-1]
