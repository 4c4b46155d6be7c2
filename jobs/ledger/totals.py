"""What the ledger says of a run's rows, for control totals: read row by row, in input order. Compares nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from jobs.ledger import tables
from jobs.ledger.paging import paged
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.value import value
from jobs.windows import A_WINDOW

CREATED = 3
"""A row of which a write was intended and done."""


@value
class Entry:
    """A row of a run that passed validation, with what the ledger holds of its key now."""

    source_row: int
    reason_code: str | None
    pseudonyms: Mapping[str, str]
    facts: Mapping[str, str]
    fingerprint: str
    run_id: str
    """The run that last changed the key's record."""
    first_attempt_ms: int | None


@dataclass(slots=True)
class Created:
    """Rows whose step was intended and done within the run, a byte for each row and step, and when that was."""

    rows: dict[str, bytearray] = field(default_factory=dict)
    """By step; 3 at the place of a source row: intended (1) and done (2)."""
    first_ms: int | None = None
    last_ms: int | None = None

    def has(self, step: str, source_row: int) -> bool:
        """Whether the run created it."""
        return step in self.rows and self.rows[step][source_row] == CREATED


def entries(store: Store, run: RunRow, window: int = A_WINDOW) -> Iterator[Entry]:
    """The entries of all rows but quarantined ones, in input order; a row whose record is gone is left out."""
    outcome, record, space = tables.outcome, tables.record, tables.space
    key = record.c.key == outcome.c.external_unique_id
    ours = select(space.c.space_id).where(space.c.system == run.system, space.c.tenant == run.tenant).scalar_subquery()
    wanted = (outcome.c.source_row, outcome.c.reason_code, record.c.pseudonyms, record.c.facts, record.c.fingerprint)
    statement = (
        select(*wanted, record.c.run_id, record.c.first_attempt_ms)
        .join_from(outcome, record, key & (record.c.space_id == ours))
        .where(outcome.c.run_id == run.run_id, outcome.c.outcome != Outcome.QUARANTINED)
    )
    for rows in paged(store.engine, statement, outcome.c.source_row, window):
        for source_row, reason, pseudonyms, facts, *rest in map(tuple, rows):
            yield Entry(source_row, reason, pseudonyms, facts, *rest)


def created(store: Store, run: RunRow, steps: tuple[str, ...]) -> Created:
    """What the run created: rows of which a write was intended and a later result says done.

    `steps` and those named after them: `wallet:5002` belongs to `wallet`.
    """
    event = tables.event.c
    its = select(event.step).distinct().where(event.run_id == run.run_id, event.step.is_not(None))
    wanted = select(event.kind, event.step, event.source_row, event.verdict, event.at_ms).where(
        event.run_id == run.run_id, event.kind.in_(("intent", "result"))
    )
    made = Created({step: bytearray(run.rows + 1) for step in steps})
    with store.engine.connect() as connection:
        named = [step for step in connection.scalars(its) if step.partition(":")[0] in steps or step in steps]
        wanted = wanted.where(event.step.in_(named)).order_by(event.seq)
        lines = connection.execution_options(yield_per=20_000).execute(wanted)
        for kind, step, row, verdict, at_ms in lines:
            flags = made.rows.setdefault(step, bytearray())
            if not flags:
                flags.extend(bytes(run.rows + 1))
            if kind == "intent":
                flags[row] |= 1
            elif verdict == "done" and flags[row] == 1:
                flags[row] = CREATED
                made.first_ms = at_ms if made.first_ms is None else made.first_ms
                made.last_ms = at_ms
    return made


def failed_checks(store: Store, run_id: str) -> dict[str, int]:
    """Rows of a run per check that the target's decision named as failed, by name."""
    table = tables.outcome.c
    wanted = select(table.failed_checks, func.count()).where(table.run_id == run_id, table.failed_checks != "")
    counts: dict[str, int] = {}
    with store.engine.connect() as connection:
        for names, rows in connection.execute(wanted.group_by(table.failed_checks)):
            for name in names.split(";"):
                counts[name] = counts.get(name, 0) + rows
    return dict(sorted(counts.items()))


def distinct_keys(store: Store, run_id: str) -> int:
    """How many keys the rows of a run have that passed validation."""
    table = tables.outcome.c
    counted = select(func.count(table.external_unique_id.distinct()))
    with store.engine.connect() as connection:
        passed = counted.where(table.run_id == run_id, table.outcome != Outcome.QUARANTINED)
        return int(connection.scalar(passed) or 0)
