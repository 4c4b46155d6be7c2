"""`purge` and `forget`: what is personal goes from folders and ledger, what is evidence stays and still verifies."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.clock import Clock, iso, milliseconds
from jobs.errors import Unusable
from jobs.evidence.erase import Erasure, erase
from jobs.evidence.manifest import MANIFEST
from jobs.evidence.sums import sha256
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
from jobs.ledger.seals import add_seal
from jobs.ledger.sqlite import wipe
from jobs.ledger.store import Store
from jobs.operations.find_subject import QUARANTINE, Subject, quarantined_lines
from jobs.os_user import os_user
from jobs.progress import Progress
from jobs.publishing.publish import signing
from jobs.reports.folder import RunFolder
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
        found: list[tuple[str, int]] = []
        touched, absent = [], []
        for run in all_runs(store):
            rows, lines = _rows(store, run, [key for _, key in places], subject)
            if rows:
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


def _erased(store: Store, run: RunRow, erasure: Erasure) -> bool:
    """Whether the folder of the run was there to erase in."""
    if not (Path(run.folder) / MANIFEST).is_file():
        return False
    folder = RunFolder.existing(Path(run.folder))
    erase(folder, erasure, signing())
    add_seal(store, run.run_id, sha256(folder.path / MANIFEST))
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
