"""The rows that are not complete as the newest ended run over each file left them. Judges nothing of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from jobs.ledger import tables
from jobs.ledger.columns import run_of
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store, select_runs
from jobs.model import ATTENTION, COMPLETE, Outcome
from jobs.value import value
from jobs.windows import A_WINDOW

OPEN = frozenset({*ATTENTION, Outcome.PENDING})
SOME_RUNS = 200
"""Runs whose rows are asked for at once (chosen)."""
GIVEN_UP = "given_up"
"""The reason code of a failed row that a person closed for good; pinned by `tests/test_codes.py`."""


@value
class Standing:
    """One file's content in a space: its runs, oldest first. `since_ms`: when the first of them began."""

    batch_id: int
    space_id: int
    runs: tuple[RunRow, ...]

    @property
    def newest(self) -> RunRow | None:
        """The newest run that ended, which reported every row; None: none has."""
        return next((run for run in reversed(self.runs) if run.ended_ms is not None), None)

    @property
    def since_ms(self) -> int:
        """When its first run began, in milliseconds."""
        return self.runs[0].started_ms


@value
class OpenRow:
    """A row that `run_id` left so."""

    run_id: str
    source_row: int
    key: str | None
    outcome: str
    reason_code: str | None

    @property
    def cause(self) -> str:
        """Its first reason code, with its column; empty: it has none."""
        return (self.reason_code or "").partition(";")[0]


def standings(store: Store, system: str | None = None, tenant: str | None = None) -> list[Standing]:
    """Every file that was run, of all spaces or of one, by its first run, the oldest first; its runs without summary.

    A summary has tens of thousands of characters, and a ledger thousands of nights: parsing them took most of the time.
    """
    space, batch = tables.space.c, tables.batch.c
    wanted = select_runs(summaries=False).add_columns(batch.batch_id.label("file"), batch.space_id)
    wanted = wanted.order_by(store.age, tables.run.c.run_id)
    wanted = wanted.where(space.system == system) if system else wanted
    wanted = wanted.where(space.tenant == tenant) if tenant else wanted
    places: dict[int, int] = {}
    runs: dict[int, list[RunRow]] = {}
    with store.engine.connect() as connection:
        for row in connection.execute(wanted).mappings():
            places[row["file"]] = row["space_id"]
            runs.setdefault(row["file"], []).append(run_of(row))
    return [Standing(batch_id, places[batch_id], tuple(found)) for batch_id, found in runs.items()]


def before(store: Store, run: RunRow) -> tuple[list[Standing], Standing]:
    """Every file of the space of `run` with the runs that began before it, and its own file with all of its runs."""
    files = standings(store, run.system, run.tenant)
    mine = next(each for each in files if run.run_id in {one.run_id for one in each.runs})
    ours = (
        select(tables.run.c.run_id)
        .join(tables.batch, tables.batch.c.batch_id == tables.run.c.batch_id)
        .where(tables.batch.c.space_id == mine.space_id)
    )
    with store.engine.connect() as connection:
        order = list(connection.scalars(ours.order_by(store.age, tables.run.c.run_id)))
    earlier = set(order[: order.index(run.run_id)])
    shortened = [replace(each, runs=tuple(one for one in each.runs if one.run_id in earlier)) for each in files]
    return shortened, mine


def left_open(store: Store, run_ids: Sequence[str], outcomes: Collection[str] = OPEN) -> Iterator[OpenRow]:
    """The rows that runs left in one of `outcomes`, whatever became of them since; those of a run in input order."""
    yield from _each(store, run_ids, lambda some: _open_rows(some, outcomes))


def still_open(store: Store, files: Sequence[Standing]) -> list[tuple[Standing, OpenRow]]:
    """The rows of `files` that are not complete: neither by their key, in whatever file, nor as a corrected row."""
    newest = {run.run_id: standing for standing in files if (run := standing.newest) is not None}
    corrected, found = _corrected(store, files), dict[str, list[OpenRow]]()
    for row in _each(store, list(newest), _incomplete):
        if (newest[row.run_id].batch_id, row.source_row) not in corrected:
            found.setdefault(row.run_id, []).append(row)
    return [(standing, row) for run_id, standing in newest.items() for row in found.get(run_id, ())]


def _corrected(store: Store, files: Sequence[Standing]) -> set[tuple[int, int]]:
    """File and row of those that went on as a corrected row of another file."""
    lineage, found = tables.lineage.c, set[tuple[int, int]]()
    files_of = {run.run_id: standing.batch_id for standing in files for run in standing.runs}
    with store.engine.connect() as connection:
        for some in _some(list(files_of)):
            wanted = select(lineage.from_run, lineage.from_row).where(lineage.from_run.in_(some))
            found |= {(files_of[run_id], row) for run_id, row in connection.execute(wanted)}
    return found


def _incomplete(run_ids: Sequence[str]) -> Select[Any]:
    outcome, record, run = tables.outcome.c, tables.record.c, tables.run.c
    done = exists().where(
        record.space_id == tables.batch.c.space_id,
        record.key == outcome.external_unique_id,
        record.outcome.in_(sorted(COMPLETE)),
    )
    given_up = and_(outcome.outcome == Outcome.FAILED, outcome.reason_code == GIVEN_UP)
    wanted = _open_rows(run_ids, OPEN).join(tables.run, run.run_no == outcome.run_id)
    wanted = wanted.join(tables.batch, tables.batch.c.batch_id == run.batch_id)
    return wanted.where(~done, or_(outcome.reason_code.is_(None), ~given_up))


def _open_rows(run_ids: Sequence[str], outcomes: Collection[str]) -> Select[Any]:
    row = tables.outcome.c
    wanted = select(row.run_id, row.source_row, row.external_unique_id, row.outcome, row.reason_code)
    return wanted.where(row.run_id.in_(run_ids), row.outcome.in_(sorted(outcomes)))


def _each(store: Store, run_ids: Sequence[str], wanted: Callable[[Sequence[str]], Select[Any]]) -> Iterator[OpenRow]:
    """The rows of some runs at a time: thousands of nights are not thousands of questions."""
    row = tables.outcome.c
    for some in _some(run_ids):
        statement = wanted(some).order_by(row.run_id, row.source_row)
        with store.engine.connect().execution_options(yield_per=A_WINDOW) as connection:
            for found in connection.execute(statement):
                yield OpenRow(*tuple(found))


def _some(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (run_ids[at : at + SOME_RUNS] for at in range(0, len(run_ids), SOME_RUNS))


def of_newest_key(rows: Sequence[tuple[Standing, OpenRow]]) -> Iterator[tuple[Standing, OpenRow]]:
    """`rows`, oldest file first, without those whose key a newer file has among them too."""
    seen: set[tuple[int, str]] = set()
    kept = []
    for standing, row in reversed(rows):
        place = (standing.space_id, row.key or "")
        if row.key and place in seen:
            continue
        seen.add(place)
        kept.append((standing, row))
    yield from reversed(kept)
