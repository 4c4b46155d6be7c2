"""Finds the rows of one person by keyed pseudonym; the ledger knows no other way."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from jobs.ledger import tables
from jobs.ledger.dialect import contains, is_one_of
from jobs.ledger.packed import pack
from jobs.ledger.store import Store

Place = tuple[int, str]
"""(space_id, key)."""


def places_of(store: Store, pseudonyms: Collection[tuple[str, str]]) -> list[Place]:
    """Where a value with one of `pseudonyms` (column, pseudonym) is recorded, over all systems and tenants."""
    record, sought = tables.record.c, set(pseudonyms)
    wanted = select(record.space_id, record.key, record.pseudonyms)
    with store.engine.connect() as connection:
        held = or_(*(contains(connection, record.pseudonyms, pack(found)) for _, found in pseudonyms))
        found = connection.execute(wanted.where(held))
        return sorted((int(space_id), str(key)) for space_id, key, its in found if sought & set(its.items()))


def held_at(store: Store, places: Sequence[Place]) -> list[tuple[str, str]]:
    """The pseudonyms (column, pseudonym) that the records at `places` have."""
    record = tables.record.c
    wanted = select(record.pseudonyms).where(at(record.space_id, record.key, places))
    with store.engine.connect() as connection:
        return [each for its in connection.scalars(wanted) for each in its.items()]


def at(space_id: ColumnElement[int], key: ColumnElement[str], places: Sequence[Place]) -> ColumnElement[bool]:
    """Whether that of a space and a key is one of `places`, which are few."""
    return or_(false(), *(and_(space_id == space, key == name) for space, name in places))


def spaces_named(store: Store) -> list[tuple[int, str, str]]:
    """All spaces of the ledger: id, system, tenant."""
    space = tables.space.c
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(space.space_id, space.system, space.tenant))]


def keys_named(store: Store, run_id: str, references: Collection[str]) -> list[int]:
    """Source rows of a run that bear one of `references`, as their reference or as their key."""
    outcome = tables.outcome.c
    named = or_(outcome.row_ref.in_(references), outcome.external_unique_id.in_(references))
    with store.engine.connect() as connection:
        return [
            int(row) for row in connection.scalars(select(outcome.source_row).where(outcome.run_id == run_id, named))
        ]


def outcomes_of(store: Store, run_id: str, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    """The outcome rows that `keys` have in a run, in input order; times in milliseconds."""
    outcome = tables.outcome.c
    with store.engine.connect() as connection:
        theirs = is_one_of(connection, outcome.external_unique_id, keys)
        wanted = select(tables.outcome).where(outcome.run_id == run_id, theirs)
        rows = [dict(row) for row in connection.execute(wanted).mappings()]
    return sorted(rows, key=lambda row: int(row["source_row"]))


def quarantined_rows(store: Store, run_id: str) -> list[int]:
    """Source rows of a run that failed validation, in input order: the lines of `quarantine.csv` in their order."""
    outcome = tables.outcome.c
    wanted = select(outcome.source_row).where(outcome.run_id == run_id, outcome.outcome == "quarantined")
    with store.engine.connect() as connection:
        return [int(row) for row in connection.scalars(wanted.order_by(outcome.source_row))]
