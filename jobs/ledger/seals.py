"""The hashes of the manifests that were written, so that a run that was changed or taken away shows. Judges nothing."""

import json
from dataclasses import dataclass
from itertools import takewhile

from sqlalchemy import select, update

from jobs.ledger import tables
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store

SEALS = "manifests"
"""Where a run's facts hold them, oldest first: a manifest is written again when personal data are erased."""


@dataclass(frozen=True, slots=True)
class Link:
    """The run that a run is chained to, and the SHA-256 of the manifest it had first, in hex."""

    run_id: str
    manifest_sha256: str


def seals(run: RunRow) -> list[str]:
    """The hashes of the manifests that `run` has had, oldest first; empty before its report was written."""
    found = run.facts.get(SEALS, [])
    return [str(each) for each in found] if isinstance(found, list) else []


def add_seal(store: Store, run_id: str, manifest_sha256: str) -> None:
    """Records the manifest that a run has now."""
    table = tables.run
    mine = table.c.run_id == run_id
    with store.writes.begin() as connection:
        facts = json.loads(connection.scalar(select(table.c.facts).where(mine)) or "{}")
        known = facts.setdefault(SEALS, [])
        if known[-1:] != [manifest_sha256]:
            known.append(manifest_sha256)
            connection.execute(update(table).where(mine).values(facts=json.dumps(facts, sort_keys=True)))


def link_before(store: Store, run: RunRow) -> Link | None:
    """The newest sealed run of the batch that began before `run`; None when there is none."""
    before = takewhile(lambda each: each.run_id != run.run_id, store.runs_of_batch(run))
    earlier = [each for each in before if seals(each)]
    return Link(earlier[-1].run_id, seals(earlier[-1])[0]) if earlier else None
