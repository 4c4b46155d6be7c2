"""The rows that are not complete as the newest ended run over each file left them. Judges nothing of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select

from jobs.ledger import tables
from jobs.ledger.paging import paged
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store, begun, select_runs
from jobs.model import ATTENTION, COMPLETE, Outcome
from jobs.windows import A_WINDOW

OPEN = frozenset({*ATTENTION, Outcome.PENDING})
GIVEN_UP = "given_up"
"""The reason code of a failed row that a person closed for good; pinned by `tests/test_codes.py`."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
    """Every file that was run, of all spaces or of one, by its first run, the oldest first."""
    space, batch = tables.space.c, tables.batch.c
    wanted = select_runs().add_columns(batch.space_id).order_by(begun(), tables.run.c.run_id)
    wanted = wanted.where(space.system == system) if system else wanted
    wanted = wanted.where(space.tenant == tenant) if tenant else wanted
    places: dict[int, int] = {}
    runs: dict[int, list[RunRow]] = {}
    with store.engine.connect() as connection:
        spaces = {row["run_id"]: (row["batch_id"], row["space_id"]) for row in connection.execute(wanted).mappings()}
    for run in store.matching(wanted):
        batch_id, places[batch_id] = spaces[run.run_id]
        runs.setdefault(batch_id, []).append(run)
    return [Standing(batch_id, places[batch_id], tuple(found)) for batch_id, found in runs.items()]


def before(store: Store, run: RunRow) -> tuple[list[Standing], Standing]:
    """Every file of the space of `run` with the runs that began before it, and its own file with all of its runs."""
    files = standings(store, run.system, run.tenant)
    mine = next(each for each in files if run.run_id in {one.run_id for one in each.runs})
    ours = select_runs().where(tables.space.c.space_id == mine.space_id).order_by(begun(), tables.run.c.run_id)
    order = [each.run_id for each in store.matching(ours)]
    earlier = set(order[: order.index(run.run_id)])
    shortened = [replace(each, runs=tuple(one for one in each.runs if one.run_id in earlier)) for each in files]
    return shortened, mine


def left_open(store: Store, run_id: str, outcomes: Collection[str] = OPEN) -> Iterator[OpenRow]:
    """The rows that a run left in one of `outcomes`, whatever became of them since, in input order."""
    wanted = _open_rows(run_id, outcomes)
    for rows in paged(store.engine, wanted, tables.outcome.c.source_row, A_WINDOW):
        yield from (OpenRow(*tuple(row)) for row in rows)


def still_open(store: Store, standing: Standing) -> list[OpenRow]:
    """The rows of a file that are not complete: neither by their key, in whatever file, nor as a corrected row."""
    newest = standing.newest
    if newest is None:
        return []
    outcome, record, lineage = tables.outcome.c, tables.record.c, tables.lineage.c
    done = exists().where(
        record.space_id == standing.space_id,
        record.key == outcome.external_unique_id,
        record.outcome.in_(sorted(COMPLETE)),
    )
    corrected = exists().where(
        lineage.from_run.in_([run.run_id for run in standing.runs]), lineage.from_row == outcome.source_row
    )
    given_up = and_(outcome.outcome == Outcome.FAILED, outcome.reason_code == GIVEN_UP)
    wanted = _open_rows(newest.run_id, OPEN).where(~done, ~corrected, or_(outcome.reason_code.is_(None), ~given_up))
    found: list[OpenRow] = []
    for rows in paged(store.engine, wanted, tables.outcome.c.source_row, A_WINDOW):
        found += (OpenRow(*tuple(row)) for row in rows)
    return found


def _open_rows(run_id: str, outcomes: Collection[str]) -> Select[Any]:
    row = tables.outcome.c
    wanted = select(row.run_id, row.source_row, row.external_unique_id, row.outcome, row.reason_code)
    return wanted.where(row.run_id == run_id, row.outcome.in_(sorted(outcomes)))


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
