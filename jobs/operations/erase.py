"""`purge` and `forget`: what is personal goes from folders and ledger, what is evidence stays and still verifies."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from jobs.clock import Clock, iso, milliseconds
from jobs.errors import Unusable
from jobs.evidence.erase import Erasure, erase
from jobs.evidence.later import later_folders
from jobs.evidence.manifest import MANIFEST
from jobs.evidence.sums import SUMS
from jobs.ledger import lease
from jobs.ledger.erase import (
    all_runs,
    forget_rows,
    note_erased,
    purge_runs,
    runs_before,
    spaces,
    still_open,
)
from jobs.ledger.people import outcomes_of, places_of, quarantined_rows
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import later
from jobs.ledger.sqlite import wipe
from jobs.ledger.store import Store
from jobs.operations.find_subject import QUARANTINE, Subject, quarantined_lines
from jobs.os_user import os_user
from jobs.progress import Progress
from jobs.publishing.sealing import check_standing, reseal
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.settings import Settings

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done. `absent`: runs whose folder is gone or was never sealed; the ledger was cleaned all the same."""

    runs: tuple[str, ...]
    rows: int
    absent: tuple[str, ...] = ()


def purge(settings: Settings, days: int, clock: Clock, progress: Progress | None = None) -> Erased:
    """Erases what shows people from all runs that ended more than `days` ago. Raises Locked while a run works."""
    with _alone(settings, clock, progress or Progress()) as store:
        runs = runs_before(store, milliseconds(clock.now()) - days * DAY_MS)
        _check(store, runs)
        absent = [run.run_id for run in runs if not _erased(store, run, Erasure("purge", _now(clock), os_user(), None))]
        purge_runs(store, [run.run_id for run in runs])
        for run in runs:
            note_erased(store, run.run_id, "purge")
        wipe(store.engine)
    return Erased(tuple(run.run_id for run in runs), sum(run.rows for run in runs), tuple(absent))


def forget(settings: Settings, subject: Subject, clock: Clock, progress: Progress | None = None) -> Erased:
    """Erases all that leads to one person from every run. Raises Unusable while something of them is unfinished."""
    with _alone(settings, clock, progress or Progress()) as store:
        pseudonyms = pseudonyms_of(store.url)
        store.know_key(pseudonyms.of("key", "check"))
        places = places_of(store, subject.pseudonym(pseudonyms))
        if still_open(store, places):
            raise Unusable("a row of that person is unfinished: what was sent must stay known", hint="muster resume")
        keys = [key for _, key in places]
        theirs = [(run, *_rows(store, run, keys, subject)) for run in all_runs(store)]
        theirs = [(run, rows, lines) for run, rows, lines in theirs if rows]
        _check(store, [run for run, _, _ in theirs])
        found: list[tuple[str, int]] = []
        touched, absent = [], []
        for run, rows, lines in theirs:
            erasure = Erasure("forget", _now(clock), os_user(), frozenset(rows), frozenset(lines))
            touched.append(run.run_id)
            absent += [] if _erased(store, run, erasure) else [run.run_id]
            found += [(run.run_id, row) for row in rows]
        forget_rows(store, places, found)
        for run_id in touched:
            note_erased(store, run_id, "forget")
        wipe(store.engine)
    return Erased(tuple(touched), len(found), tuple(absent))


def _rows(store: Store, run: RunRow, keys: list[str], subject: Subject) -> tuple[list[int], list[int]]:
    """The person's source rows in a run, and which lines of its `quarantine.csv` are about them."""
    lines = list(quarantined_lines(Path(run.folder) / QUARANTINE, subject))
    refused = quarantined_rows(store, run.run_id) if lines else []
    rows = [int(row["source_row"]) for row in outcomes_of(store, run.run_id, keys)]
    return rows + [refused[line] for line in lines if line < len(refused)], lines


def _check(store: Store, runs: Iterable[RunRow]) -> None:
    """Raises Unproven when a folder that is about to be changed is not as it was sealed; nothing was erased then."""
    for run in runs:
        if _sealed_folder(run):
            _drop_unsealed(run)
            check_standing(store, run)


def _drop_unsealed(run: RunRow) -> None:
    """Removes later folders that were never sealed: what a killed comparison or download left is no evidence."""
    known = {each.name for each in later(run)}
    for folder in later_folders(Path(run.folder)):
        if folder.name not in known and not (folder / SUMS).exists():
            rmtree(folder)


def _sealed_folder(run: RunRow) -> bool:
    """Whether the folder of the run is there, and was sealed."""
    return (Path(run.folder) / MANIFEST).is_file()


def _erased(store: Store, run: RunRow, erasure: Erasure) -> bool:
    """Whether the folder of the run was there to erase in."""
    if not _sealed_folder(run):
        return False
    reseal(store, run, lambda twin, seal: erase(twin, erasure, seal))
    return True


@contextmanager
def _alone(settings: Settings, clock: Clock, progress: Progress) -> Iterator[Store]:
    """The ledger, with no run at work on any of its tenants."""
    with ExitStack() as stack:
        store = stack.enter_context(Store.opened(settings.ledger, create=False))
        for space_id in spaces(store):
            owner = lease.Owner.me("erasure")
            stack.enter_context(lease.held(store, space_id, owner, settings.lock_timeout, clock, tell=progress.note))
        yield store


def _now(clock: Clock) -> str:
    return iso(clock.now())
