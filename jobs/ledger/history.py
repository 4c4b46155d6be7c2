"""The history of a run in few columns, for counting: millions of events, thousands in memory. It judges nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from jobs.ledger import tables
from jobs.ledger.paging import paged
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store, select_runs
from jobs.model import Outcome
from jobs.windows import A_WINDOW

Span = tuple[int, int]
"""Source rows from the first to the second number, both included."""

COUNTED = ("intent", "result", "outcome")
"""Kinds of events that have a place in a row's course."""


def last_moment(store: Store, run_id: str) -> int | None:
    """When the newest event of a run was, in milliseconds; None before its first one."""
    event = tables.event.c
    newest = select(event.at_ms).where(event.run_id == run_id).order_by(event.seq.desc()).limit(1)
    with store.engine.connect() as connection:
        moment: int | None = connection.scalar(newest)
        return moment


def outcome_windows(
    store: Store, run_id: str, columns: Sequence[str], window: int = A_WINDOW, span: Span | None = None
) -> Iterator[list[Any]]:
    """`columns` of the outcome rows of a run as tuples, in input order, at most `window` at a time.

    `source_row` has to be one of `columns`. `span`: of those source rows; None: of all.
    """
    table = tables.outcome
    wanted = select(*(table.c[name] for name in columns)).where(table.c.run_id == run_id)
    if span is not None:
        wanted = wanted.where(table.c.source_row.between(*span))
    for rows in paged(store.engine, wanted, table.c.source_row, window):
        yield [tuple(row) for row in rows]


def ended_so(store: Store, run_id: str, outcome: Outcome, span: Span) -> int:
    """How many rows of a span ended so in a run."""
    table = tables.outcome.c
    mine = (table.run_id == run_id, table.outcome == outcome, table.source_row.between(*span))
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.outcome).where(*mine)) or 0


def outcomes_among(store: Store, run_id: str, columns: Sequence[str], first: int, last: int) -> Sequence[Any]:
    """`columns` of the outcome rows of a run from source row `first` to `last`, as tuples."""
    table = tables.outcome
    wanted = select(*(table.c[name] for name in columns)).where(table.c.run_id == run_id)
    with store.engine.connect() as connection:
        rows = connection.execute(wanted.where(table.c.source_row.between(first, last)))
        return [tuple(row) for row in rows]


def sent_among(store: Store, run_id: str, first: int, last: int) -> dict[int, tuple[int, int | None, int | None]]:
    """Gives the run's intents of source rows `first` to `last`, and when (ms) the first and the last of them was."""
    event = tables.event.c
    wanted = select(event.source_row, func.count(), func.min(event.at_ms), func.max(event.at_ms)).where(
        event.run_id == run_id, event.kind == "intent", event.source_row.between(first, last)
    )
    with store.engine.connect() as connection:
        return {
            row: (n, since, until) for row, n, since, until in connection.execute(wanted.group_by(event.source_row))
        }


def moments(store: Store, run_id: str, window: int = A_WINDOW) -> Iterator[Sequence[Any]]:
    """(at_ms, kind, key, step, attempt, verdict, http_status, detail) of each counted event, oldest first."""
    event = tables.event.c
    columns = (event.at_ms, event.kind, event.key, event.step, event.attempt, event.verdict, event.http_status)
    wanted = select(*columns, event.detail, event.seq).where(event.run_id == run_id, event.kind.in_(COUNTED))
    for rows in paged(store.engine, wanted, event.seq, window):
        yield from (row[:-1] for row in rows)


def runs_of(store: Store, system: str, tenant: str, most: int, until: str | None = None) -> list[RunRow]:
    """The newest `most` runs in a space, oldest first; `until`: none that began after that run."""
    space = tables.space.c
    wanted = select_runs().where(space.system == system, space.tenant == tenant)
    if until is not None:
        last = tables.run.alias().c
        wanted = wanted.where(store.age <= select(last.run_no).where(last.run_id == until).scalar_subquery())
    newest = wanted.order_by(store.age.desc(), tables.run.c.run_id.desc()).limit(most)
    return store.matching(newest)[::-1]
