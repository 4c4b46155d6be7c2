"""The folders in which personal data lie: those of runs, sealed or not, downloads elsewhere, and what kills left."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree

from jobs.clock import Clock
from jobs.evidence.erase import Erasure, erase, erase_profiles
from jobs.evidence.later import later_folders
from jobs.evidence.manifest import MANIFEST, manifest_hashes
from jobs.evidence.sums import SUMS
from jobs.intake.workspace import PREFIX, workspace
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import later
from jobs.ledger.store import Store
from jobs.privacy.age_files import ENDING
from jobs.publishing.place import folder_of, put_back
from jobs.publishing.sealing import check_later_standing, check_standing, reseal, seal
from jobs.reports.folder import RunFolder

PROFILES = frozenset({".pdf", ".json", ENDING})
"""The endings of profiles that were downloaded."""


def check(store: Store, runs: Iterable[RunRow]) -> None:
    """Raises Unproven when a folder that is about to be changed is not as it was sealed; nothing was erased then."""
    for run in runs:
        _drop_unsealed(run)
        if sealed(run):
            check_standing(store, run)
        for folder in elsewhere(run):
            check_later_standing(
                store, run, folder, {path.name for path in folder.glob("*.*") if path.suffix in PROFILES}
            )
        put_back(run)


def sealed(run: RunRow) -> bool:
    """Whether the folder of the run is there, and was sealed."""
    return (folder_of(run) / MANIFEST).is_file()


def elsewhere(run: RunRow) -> list[Path]:
    """The folders of downloads (`--to`) that are where they were made."""
    return [path for path in (Path(each.name) for each in later(run)) if path.is_absolute() and path.is_dir()]


def erased(store: Store, run: RunRow, erasure: Erasure) -> bool:
    """Erases in all folders of the run. Says whether its own was there; a folder that a run never sealed is no evidence
    and is erased all the same."""
    path = folder_of(run)
    gone = erasure.profiles(path)
    for folder in elsewhere(run):
        its = RunFolder.existing(folder)
        erase_profiles(its, erasure, gone, lambda made, facts, chain: seal(store, run, made, facts, chain))
    if sealed(run):
        reseal(store, run, lambda twin, made: erase(twin, erasure, made))
    elif path.is_dir():
        erase(RunFolder.existing(path), erasure, lambda _folder, _facts, _chain: None)
    return path.is_dir()


def manifests(runs: Iterable[RunRow]) -> dict[str, str]:
    """The hash of the manifest that each run has now; those without one are left out."""
    found = {}
    for run in runs:
        found[run.run_id] = manifest_hashes(folder_of(run))
        put_back(run)
    return {run_id: hashes[-1] for run_id, hashes in found.items() if hashes}


def swept(folders: Iterable[Path], clock: Clock, tell: Callable[[str], None]) -> list[str]:
    """Removes the workspaces that dead commands left below `folders`; gives those that may be somebody's at work."""
    with ExitStack() as stack:
        left: list[str] = []
        for folder in sorted({each.absolute() for each in folders}):
            if not folder.is_dir():
                continue
            own = stack.enter_context(workspace(folder, clock, tell=tell))
            left += [str(each) for each in folder.glob(f"{PREFIX}*") if each != own]
        return left


def _drop_unsealed(run: RunRow) -> None:
    """Removes later folders that were never sealed: what a killed comparison or download left is no evidence."""
    known, path = {each.name for each in later(run)}, folder_of(run)
    for folder in later_folders(path) if path.is_dir() else ():
        if folder.name not in known and not (folder / SUMS).exists():
            rmtree(folder)
