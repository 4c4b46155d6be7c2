"""The hashes of the manifests that were written, so that a run that was changed or taken away shows. Judges nothing.

A run's folder has its own manifests, and each later folder (a comparison, downloaded profiles) has those of its own.
"""

import json
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

from sqlalchemy import select, update

from jobs.ledger import tables
from jobs.ledger.lost_answer import repeatable
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.value import value

SEALS = "manifests"
"""Where a run's facts hold them, oldest first: a manifest is written again when personal data are erased."""

LATER = "later"
"""Where they hold the later folders in the order in which they were sealed first, each with its seals."""

COMING = "sealing"
"""Where they hold the manifests that are about to be written, by folder: a command that is killed was about to."""

ITSELF = ""
"""How the folder of the run is named among its later ones."""


@value
class Link:
    """The run that a run is chained to, and the SHA-256 of the manifest it had first, in hex."""

    run_id: str
    manifest_sha256: str


@value
class Later:
    """A folder that was sealed after its run: its name in the run's folder (or its whole path), and its seals."""

    name: str
    seals: tuple[str, ...]


def seals(run: RunRow) -> list[str]:
    """The hashes of the manifests that `run` has had, oldest first; empty before its report was written."""
    found = run.facts.get(SEALS, [])
    return [str(each) for each in found] if isinstance(found, list) else []


def later(run: RunRow) -> list[Later]:
    """The later folders of `run` that the ledger knows, in the order in which they were made."""
    found = run.facts.get(LATER, [])
    return [Later(each["name"], tuple(each[SEALS])) for each in found] if isinstance(found, list) else []


def coming(run: RunRow) -> Mapping[str, str]:
    """The manifests that a command was about to write when it was last heard of, by folder; usually none."""
    found = run.facts.get(COMING, {})
    return {str(name): str(sha) for name, sha in found.items()} if isinstance(found, dict) else {}


def add_seal(store: Store, run_id: str, manifest_sha256: str, *, folder: str = ITSELF) -> None:
    """Records the manifest that a run has now, or that the later `folder` of it has."""

    def added(facts: dict[str, Any]) -> None:
        known = _known(facts, folder)
        if known[-1:] != [manifest_sha256]:
            known.append(manifest_sha256)
        facts.get(COMING, {}).pop(folder, None)

    _change(store, run_id, added)


def announce(store: Store, run_id: str, manifests: Mapping[str, str]) -> None:
    """Records the manifests (by folder) that are about to be written, in the place of all that were announced."""
    _change(store, run_id, lambda facts: facts.update({COMING: dict(manifests)}))


def link_before(store: Store, run: RunRow) -> Link | None:
    """The newest sealed run of the batch that began before `run`; None when there is none."""
    before = takewhile(lambda each: each.run_id != run.run_id, store.runs_of_batch(run))
    earlier = [each for each in before if seals(each)]
    return Link(earlier[-1].run_id, seals(earlier[-1])[0]) if earlier else None


def _known(facts: dict[str, Any], folder: str) -> list[str]:
    """The list in `facts` that holds the seals of `folder`, made when new."""
    if folder == ITSELF:
        known: list[str] = facts.setdefault(SEALS, [])
        return known
    entries: list[dict[str, Any]] = facts.setdefault(LATER, [])
    entry = next((each for each in entries if each["name"] == folder), None)
    if entry is None:
        entry = {"name": folder, SEALS: []}
        entries.append(entry)
    its: list[str] = entry[SEALS]
    return its


@repeatable
def _change(store: Store, run_id: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the facts of a run, in one transaction."""
    table = tables.run
    mine = table.c.run_id == run_id
    with store.writes.begin() as connection:
        before = connection.scalar(select(table.c.facts).where(mine)) or "{}"
        facts = json.loads(before)
        change(facts)
        after = json.dumps(facts, sort_keys=True)
        if after != before:
            connection.execute(update(table).where(mine).values(facts=after))
