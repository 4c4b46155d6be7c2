"""The one way into the evidence: whatever is written into a run's folder, or beside its files, is sealed here.

A folder that was sealed is sealed again only when it is as the ledger knows it: its files, its manifest, its signature.
Nobody else adds a seal. A command that is killed on the way left in the ledger what it was about to seal.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from jobs.errors import Unproven, Unusable
from jobs.evidence.events import Chain
from jobs.evidence.kept import kept_problems
from jobs.evidence.manifest import MANIFEST, SIGNATURE, STAMP, Signer, manifest_hashes, write_manifest
from jobs.evidence.signature import command_signer, signature_problems, signer
from jobs.evidence.sums import sha256, write_sums
from jobs.evidence.timestamp import stamped
from jobs.evidence.verify import verify_folder
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import ITSELF, add_seal, announce, coming, later, seals
from jobs.ledger.store import Store
from jobs.publishing.ledger_log import grow, knows, log_of
from jobs.publishing.log_delivery import deliver_log
from jobs.publishing.place import folder_of
from jobs.publishing.witness import Witness
from jobs.reports.folder import RunFolder
from jobs.reports.twin import alone, drop_twin, exchange, restore, twin_of
from jobs.settings.secrets import secret, signing_command
from jobs.storage.copies import deliver

Facts = Mapping[str, object]

Seal = Callable[[RunFolder, Facts, Chain | None], None]
"""Seals a folder of a twin: itself, or a later one inside it."""


def signing() -> Signer | None:
    """What signs manifests: a key, or a program; None when there is none. Raises Unusable: asked for before sending."""
    pem = secret("signing_key")
    if pem is not None:
        return signer(pem)
    program = signing_command()
    return None if program is None else command_signer(*program)


def seal(store: Store, run: RunRow, folder: RunFolder, facts: Facts, chain: Chain | None) -> None:
    """Seals the folder of `run`, or a later one of it, whose files were just written.

    One that was sealed before has to have been found standing (`check_standing`) before they were.
    """
    name = _name(run, folder.path)
    sign = _signing_again(folder.path)

    def tell(sha: str) -> None:
        announce(store, run.run_id, {name: sha})

    write_manifest(folder, facts, chain=chain, keep=True, sign=sign, announce=tell)
    _stamp(run, folder)
    add_seal(store, run.run_id, sha256(folder.path / MANIFEST), folder=name)
    grow(store, sign, Witness.of(run))
    _deliver(store, run)


def reseal(store: Store, run: RunRow, change: Callable[[RunFolder, Seal], None]) -> None:
    """Lets `change` change a twin of the sealed folder of `run`; the twin takes its place when it is sealed.

    Raises Unproven when the folder is not as it was sealed, and Unusable when it can't be signed again.
    """
    with alone(folder_of(run)):
        _reseal(store, run, change)


def _reseal(store: Store, run: RunRow, change: Callable[[RunFolder, Seal], None]) -> None:
    path = folder_of(run)
    check_standing(store, run)
    twin = twin_of(path)
    made: dict[str, str] = {}

    def sealed(folder: RunFolder, facts: Facts, chain: Chain | None) -> None:
        name = ITSELF if folder.path == twin.path else folder.path.name
        write_manifest(folder, facts, chain=chain, keep=True, sign=_signing_again(folder.path))
        _stamp(run, folder)
        made[name] = sha256(folder.path / MANIFEST)

    try:
        change(twin, sealed)
    except BaseException:
        drop_twin(path)
        raise
    announce(store, run.run_id, made)
    exchange(path)
    for name, sha in made.items():
        add_seal(store, run.run_id, sha, folder=name)
    grow(store, signing(), Witness.of(run))
    _deliver(store, run)


def check_standing(store: Store, run: RunRow, anew: Collection[str] | None = None) -> None:
    """Raises Unproven when the folder of `run` is not as it was sealed last; one that never was stands.

    `anew`: the files that are about to be made again from the ledger, which may be anything; None: all has to verify.
    """
    path = folder_of(run)
    known = _settled(store, run)
    if not seals(known) and not (path / MANIFEST).exists():
        return
    problems = verify_folder(path) if anew is None else kept_problems(path, anew)
    _refuse(run, [*unlike_ledger(known), *signature_problems(path), *problems])
    _signing_again(path)


def check_later_standing(store: Store, run: RunRow, path: Path, anew: Collection[str]) -> None:
    """Raises Unproven when the later folder `path` of `run` was sealed and is not as it was, but for `anew`."""
    sealed = {each.name: each.seals for each in later(_settled(store, run))}.get(_name(run, path))
    if not sealed and not (path / MANIFEST).exists():
        return
    unlike = [f"{MANIFEST} is not the one that the ledger knows"] if manifest_hashes(path) != list(sealed or ()) else []
    _refuse(run, [f"{path.name}: {each}" for each in (*unlike, *signature_problems(path), *kept_problems(path, anew))])
    _signing_again(path)


def _refuse(run: RunRow, problems: Sequence[str]) -> None:
    """Raises Unproven when there are any."""
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise Unproven(
            f"the evidence of run {run.run_id} does not verify: {problems[0]}{more}; it was left as it is",
            hint=f"muster verify {run.run_id}",
        )


def unlike_ledger(run: RunRow) -> list[str]:
    """Where the folder of `run`, and the later ones in it, have not all the manifests that the ledger knows, in order.

    A ledger that knows no seal of a folder (of an older muster) says nothing about it.
    """
    path = folder_of(run)
    problems = []
    if path.is_dir() and seals(run) and manifest_hashes(path) != seals(run):
        problems.append(f"{run.run_id}: {MANIFEST} is not the one that the ledger knows, or one before it is not")
    for each in later(run):
        place = path / each.name  # a whole path stays what it is
        inside = place.parent == path
        if not place.is_dir():
            problems += [f"{run.run_id}: {each.name} was removed; the ledger knows it"] if inside else []
        elif manifest_hashes(place) != list(each.seals):
            problems.append(f"{run.run_id}: {each.name}: {MANIFEST} is not the one that the ledger knows")
    return problems


def chained(run: RunRow) -> Facts:
    """What the manifest of a new later folder of `run` says of those before it."""
    before = later(run)[-1:]
    return {
        "run_manifest_sha256": next(iter(seals(run)[-1:]), None),
        "later_before": before[0].name if before else None,
        "later_before_manifest_sha256": before[0].seals[-1] if before else None,
    }


def _settled(store: Store, run: RunRow) -> RunRow:
    """The run as the ledger knows it once what a killed command left is settled, in the ledger and in its log."""
    path = folder_of(run)
    with alone(path):
        known = store.run(run.run_id) or run
        restore(path)
        drop_twin(path)
        found = _told(store, run, known)
        if not knows(store, found):
            grow(store, signing(), Witness.of(found))
        return found


def _told(store: Store, run: RunRow, known: RunRow) -> RunRow:
    path = folder_of(run)
    for name, sha in coming(known).items():
        manifest = path / name / MANIFEST
        if manifest.is_file() and sha256(manifest) == sha:
            add_seal(store, run.run_id, sha, folder=name)
    if coming(known):
        announce(store, run.run_id, {})
        return store.run(run.run_id) or run
    return known


def _deliver(store: Store, run: RunRow) -> None:
    """A folder of a bucket goes there, and the log beside it. Raises NotDelivered, and it is sealed all the same."""
    deliver(run.folder)
    deliver_log(log_of(store.url), run)


def _stamp(run: RunRow, folder: RunFolder) -> None:
    """Asks the authority that the run names for a time stamp; without one, the manifest stays without."""
    url = str(run.settings.get("timestamp_url") or "")
    if not url:
        return
    try:
        folder.write_bytes(STAMP, stamped((folder.path / MANIFEST).read_bytes(), url))
    except (OSError, Unusable) as error:
        logging.getLogger(__name__).warning("%s was not time-stamped: %s", folder.path, error)
    else:
        write_sums(folder)


def _name(run: RunRow, path: Path) -> str:
    """How the ledger names a folder of `run`."""
    if path == folder_of(run):
        return ITSELF
    return path.name if path.parent == folder_of(run) else str(path.absolute())


def _signing_again(path: Path) -> Signer | None:
    """What signs the folder. Raises Unusable when it was signed and no key is given: it would be signed no more."""
    sign = signing()
    if sign is None and (path / SIGNATURE).exists():
        raise Unusable(
            f"{path} is signed, and no signing key is given: sealed again it would be signed no more",
            hint="set MUSTER_SIGNING_KEY_FILE",
        )
    return sign
