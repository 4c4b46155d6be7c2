"""Finds the rows of one person by keyed pseudonym; the ledger knows no other way."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import KEYS_A_QUERY, Store

Place = tuple[int, str]
"""(space_id, key)."""


def places_of(store: Store, pseudonym: str) -> list[Place]:
    """Where the identity number with `pseudonym` (of kind `national_id`) is recorded, over all systems and tenants."""
    record = tables.record.c
    held = record.pseudonyms.contains(f'"national_id": "{pseudonym}"', autoescape=True)
    with store.engine.connect() as connection:
        found = connection.execute(select(record.space_id, record.key).where(held).order_by(record.key))
        return [(int(space_id), str(key)) for space_id, key in found]


def outcomes_of(store: Store, run_id: str, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    """The outcome rows that `keys` have in a run, in input order; times in milliseconds."""
    outcome = tables.outcome.c
    rows: list[Mapping[str, Any]] = []
    with store.engine.connect() as connection:
        for start in range(0, len(keys), KEYS_A_QUERY):
            part = keys[start : start + KEYS_A_QUERY]
            wanted = select(tables.outcome).where(outcome.run_id == run_id, outcome.external_unique_id.in_(part))
            rows += [dict(row) for row in connection.execute(wanted).mappings()]
    return sorted(rows, key=lambda row: int(row["source_row"]))


def quarantined_rows(store: Store, run_id: str) -> list[int]:
    """Source rows of a run that failed validation, in input order: the lines of `quarantine.csv` in their order."""
    outcome = tables.outcome.c
    wanted = select(outcome.source_row).where(outcome.run_id == run_id, outcome.outcome == "quarantined")
    with store.engine.connect() as connection:
        return [int(row) for row in connection.scalars(wanted.order_by(outcome.source_row))]
