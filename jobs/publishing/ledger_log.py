"""The log of a ledger's seals: one entry for each manifest that a folder of a run had, and a checkpoint after each.

What the ledger knows and the log does not is appended with the next seal: nothing is lost when a command is killed
between the two, or when the ledger is older than the log.
"""

import logging
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from jobs.errors import MusterError, Unproven
from jobs.evidence.log.checkpoint import Checkpoint, parsed
from jobs.evidence.log.row_proof import (
    consistency_proof,
    entry_proof,
    events_root,
    refuse_false,
    row_proofs,
)
from jobs.evidence.log.tiles import Log
from jobs.evidence.manifest import MANIFEST, Signer
from jobs.evidence.sums import sha256
from jobs.ledger.erase import all_runs
from jobs.ledger.place import place_of
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import ITSELF, later, seals
from jobs.ledger.store import Store
from jobs.publishing.place import folder_of
from jobs.publishing.witness import Witness
from jobs.settings.pseudonyms import key_is_there, pseudonyms_of

NAME = "muster-ledger"
"""Checkpoints name the log so, and behind it a pseudonym of the ledger."""


def log_of(ledger: str) -> Log:
    """The log beside the ledger with the URL `ledger`, as `seals-muster.db`; a server's, in the working directory."""
    beside = place_of(ledger).access_log
    return Log(beside.with_name("seals-" + beside.name.removesuffix(".access.ndjson")))


def grow(store: Store, sign: Signer | None, witness: Witness) -> None:
    """Appends the seals that the log does not have yet, and hands its checkpoint to the `witness`.

    What fails is told and made good by the next seal: the evidence itself is sealed already.
    """
    log = log_of(store.url)
    try:
        with log.alone():
            before, known = log.checkpoint(), log.entries()
            more = list(_missing(store, set(known)))
            if not more:
                return
            checkpoint = log.extend(known, more, before.origin if before else _origin(store.url), sign)
            if witness.place:
                witness.tell(consistency_proof([*known, *more], before, checkpoint), checkpoint)
    except (OSError, MusterError, subprocess.SubprocessError) as error:
        logging.getLogger(__name__).warning("the log of the ledger was not brought up to date: %s", error)


def log_problems(store: Store, run: RunRow, earlier: str = "", public_keys: Sequence[bytes] = ()) -> list[str]:
    """What is wrong with the log: its own root, a seal of `run` that it lacks, what `earlier` checkpoints counted.

    `earlier`: notes, one behind the other. `public_keys` (PEM): one of them has to have signed. An older ledger that
    has no log says nothing.
    """
    log = log_of(store.url)
    try:
        checkpoint = log.checkpoint()
        if checkpoint is None:
            return ["there is no log of the ledger, and an earlier checkpoint of it"] if earlier else []
        found, known = log.problems(), set(log.entries())
        if public_keys and not any(map(checkpoint.signed_by, public_keys)):
            found.append("the checkpoint of the log was not signed with that key")
        found += [] if found else list(filter(None, map(log.lacks, notes(earlier))))
    except Unproven as error:
        return [error.message]
    gone = _lacking(run, known)
    good = f"a command that was killed leaves that, and muster report {run.run_id} makes it good"
    return found + [
        f"{run.run_id}: the log does not know {folder or 'its'} manifest {sha} ({good})" for _, folder, sha in gone
    ]


def knows(store: Store, run: RunRow) -> bool:
    """Whether the log has all seals of `run`; also where there is no telling, which `log_problems` says."""
    try:
        return not _lacking(run, set(log_of(store.url).entries()))
    except Unproven:
        return True


def notes(text: str) -> Iterator[Checkpoint]:
    """The checkpoints in `text`. Raises Unproven when there is something else."""
    for note in re.split(rf"(?m)^(?={NAME}/)", text):
        if note.strip():
            yield parsed(note)


def proven(store: Store, run: RunRow, rows: list[int]) -> dict[str, object]:
    """The document that shows `rows` of `run` without the others. Raises Unproven when the log does not know them."""
    log = log_of(store.url)
    checkpoint, entries = log.checkpoint(), log.entries()
    path = folder_of(run) / "events.ndjson"
    if checkpoint is None or not path.is_file():
        raise Unproven(f"run {run.run_id} is in no log, or its events are gone: nothing can be proven of its rows")
    root, _ = events_root(path)
    ours = [number for number, entry in enumerate(entries) if _is(entry, run, root)]
    if not ours:
        raise Unproven("the events of the run are not those that the log knows", hint=f"muster verify {run.run_id}")
    found = row_proofs(path, rows)
    for each in found:
        refuse_false(each, root)
    proof = entry_proof(entries, ours[-1], checkpoint)
    return {"schema_version": 1, "rows": found, "entry": entries[ours[-1]].decode(), "tlog_proof": proof}


def _is(entry: bytes, run: RunRow, root: bytes) -> bool:
    known = orjson.loads(entry)
    return bool(known["run_id"] == run.run_id and known["folder"] == ITSELF and known["events_root"] == root.hex())


def _there(known: set[bytes]) -> set[tuple[str, str, str]]:
    """The entries of the log, as `_seals` tells those of a run."""
    return {(entry["run_id"], entry["folder"], entry["manifest_sha256"]) for entry in map(orjson.loads, known)}


def _lacking(run: RunRow, known: set[bytes]) -> list[tuple[str, str, str]]:
    """The seals of `run` that are in no entry."""
    there = _there(known)
    return [each for each in _seals(run) if each not in there]


def _missing(store: Store, known: set[bytes]) -> Iterator[bytes]:
    """The entries of all seals that the log lacks, in the order of runs."""
    there = _there(known)
    for run in all_runs(store):
        for run_id, folder, sha in _seals(run):
            if (run_id, folder, sha) not in there:
                place = folder_of(run) / folder
                root, count = _events(place, sha)
                entry = {"run_id": run_id, "folder": folder, "manifest_sha256": sha}
                yield orjson.dumps(entry | {"events_root": root, "events": count}, option=orjson.OPT_SORT_KEYS)


def _seals(run: RunRow) -> list[tuple[str, str, str]]:
    """(run id, folder, hash of a manifest) of all that `run` has and had. A whole path is told by its name alone."""
    own = [(run.run_id, ITSELF, sha) for sha in seals(run)]
    return own + [(run.run_id, Path(each.name).name, sha) for each in later(run) for sha in each.seals]


def _events(folder: Path, sha: str) -> tuple[str | None, int]:
    """The root over the events of a folder whose manifest is still the one sealed, and their number."""
    events, manifest = folder / "events.ndjson", folder / MANIFEST
    if not events.is_file() or not manifest.is_file() or sha256(manifest) != sha:
        return None, 0
    root, count = events_root(events)
    return root.hex(), count


def _origin(ledger: str) -> str:
    named = pseudonyms_of(ledger).of("log", "origin") if key_is_there(ledger) else "unnamed"
    return f"{NAME}/{named[:16]}"
