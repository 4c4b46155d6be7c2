"""Whether a ledger is sound: what its database says of its files, and what has to be true of its rows."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Select, String, and_, func, literal, select, text, type_coerce

from jobs.errors import ExitCode
from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.ledger.stored import Numbered
from jobs.value import value

ENDED_WELL = (ExitCode.OK, ExitCode.ATTENTION, ExitCode.PENDING)
"""A run that ended so has an outcome for each row of its batch."""


@value
class Finding:
    """One thing that has to be true, and how often it is not; `example`: the first case."""

    what: str
    wrong: int
    example: str = ""


def findings(store: Store) -> Iterator[Finding]:
    """Every check with what was found; the rows of large tables are read once or twice."""
    yield from _files(store)
    for what, wanted in _rules().items():
        with store.engine.connect() as connection:
            wrong = connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
            first = connection.execute(wanted.limit(1)).first() if wrong else None
        yield Finding(what, wrong, "" if first is None else " ".join(map(str, first)))


def _files(store: Store) -> Iterator[Finding]:
    """What the database itself can tell."""
    with store.engine.connect() as connection:
        if store.engine.dialect.name == "postgresql":
            failed = connection.scalar(
                text("SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()")
            )
            yield Finding("pages of the database whose checksum is right", int(failed or 0))
            return
        said = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
        yield Finding("pages and indexes of the file", 0 if said == ["ok"] else len(said), said[0])
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        yield Finding("rows that refer to others", len(broken), str(broken[0][0]) if broken else "")


def _rules() -> dict[str, Select[Any]]:
    """What is wrong, by what has to be true: each select gives the cases."""
    record, run, batch, outcome = tables.record, tables.run, tables.batch, tables.outcome
    found: dict[str, Select[Any]] = {
        "one version": select(literal("version")).where(
            select(func.count()).select_from(tables.schema_version).scalar_subquery() != 1
        )
    }
    for table in (tables.step, tables.holder):
        joined = table.outerjoin(record, and_(record.c.space_id == table.c.space_id, record.c.key == table.c.key))
        wanted = select(table.c.space_id, table.c.key).select_from(joined).where(record.c.key.is_(None))
        found[f"each {table.name} belongs to a record"] = wanted.order_by(table.c.space_id, table.c.key)
    for table in (outcome, tables.event, tables.call, tables.lineage, tables.disposition, tables.shard):
        number = run.c.run_no if isinstance(table.c.run_id.type, Numbered) else run.c.run_id
        joined = table.outerjoin(run, number == table.c.run_id)
        found[f"each {table.name} belongs to a run"] = (
            select(type_coerce(table.c.run_id, String))
            .select_from(joined)
            .where(run.c.run_id.is_(None))
            .order_by(table.c.run_id)
        )
    for table in (record, outcome, tables.event):
        key = table.c.external_unique_id if table is outcome else table.c.key
        joined = table.outerjoin(tables.keys, tables.keys.c.key_no == key)
        found[f"each {table.name} has a key that is known"] = (
            select(type_coerce(key, BigInteger))
            .select_from(joined)
            .where(key.is_not(None), tables.keys.c.key_no.is_(None))
            .order_by(key)
        )
    settled = select(func.count()).select_from(outcome).where(outcome.c.run_id == run.c.run_no).correlate(run)
    found["a run that ended has one outcome a row"] = (
        select(run.c.run_id)
        .join(batch, batch.c.batch_id == run.c.batch_id)
        .where(run.c.exit_code.in_(ENDED_WELL), settled.scalar_subquery() != batch.c.rows)
        .order_by(run.c.run_id)
    )
    found["rows of outcomes are those of their file"] = (
        select(outcome.c.run_id, outcome.c.source_row)
        .join(run, run.c.run_no == outcome.c.run_id)
        .join(batch, batch.c.batch_id == run.c.batch_id)
        .where((outcome.c.source_row < 1) | (outcome.c.source_row > batch.c.rows))
        .order_by(outcome.c.run_id, outcome.c.source_row)
    )
    return found
