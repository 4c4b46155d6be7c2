"""`purge` and `forget`: what is personal goes from folders and ledger, what is evidence stays and still verifies."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jobs.clock import Clock, iso, milliseconds
from jobs.errors import Unusable
from jobs.evidence.erase import Erasure
from jobs.ledger.database import wipe
from jobs.ledger.erase import all_runs, forget_rows, note_erased, purge_runs, runs_before, still_open
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.operations.certificate import Certificate, usual_place
from jobs.operations.erase_folders import check, erased, manifests, swept
from jobs.operations.erase_objects import refuse_locked, remove_old_versions
from jobs.operations.find_subject import Person, Subject, rows_about
from jobs.operations.ledger import alone
from jobs.os_user import os_user
from jobs.progress import Progress
from jobs.publishing.place import put_back
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.settings import Settings
from jobs.storage.address import is_address
from jobs.value import value

DAY_MS = 86_400_000

FOLDER_ABSENT = "ledger"
"""What is noted of a run whose folder was not there to be purged: its ledger rows were, and it comes up again."""


@value
class Erased:
    """What was done. `absent`: runs whose folder was not there; the ledger was cleaned all the same."""

    runs: tuple[str, ...]
    rows: int
    absent: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Workspaces of commands that may be at work, or of another machine."""
    unseen: tuple[str, ...] = ()
    """Folders in buckets that do not tell whether they keep earlier versions of what was erased."""
    certificate: Path | None = None
    """None: there was nothing to erase."""


@dataclass(slots=True)
class _Work:
    """One erasure under way."""

    store: Store
    settings: Settings
    clock: Clock
    at: str
    absent: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def folders(self, erasures: Sequence[tuple[RunRow, Erasure]]) -> None:
        """Erases in the folders of runs, and sweeps the workspaces beside them. Raises Unproven before anything."""
        runs = [run for run, _ in erasures]
        refuse_locked(runs, self.clock.now())
        check(self.store, runs)
        for run, erasure in erasures:
            if not erased(self.store, run, erasure):
                self.absent.append(run.run_id)
            if not remove_old_versions(run):
                self.unseen.append(run.folder)
            put_back(run)

    def sweep(self) -> None:
        """Removes what dead commands left where runs have their folders."""
        runs = all_runs(self.store)
        folders = {self.settings.workplace, *(Path(run.folder).parent for run in runs if not is_address(run.folder))}
        places = folders | (set() if is_address(self.settings.out) else {self.settings.out})
        places |= {Path(str(run.settings["work"])) for run in runs if run.settings.get("work")}
        self.left += swept(places, self.clock, lambda _: None)

    def done(self, what: str, rows: Mapping[str, int], before: Mapping[str, str], to: Path | None) -> Erased:
        """Overwrites what the database has freed, and writes the certificate."""
        wipe(self.store.engine)
        path = None
        if rows:
            path = to or usual_place(self.settings.ledger, self.at)
            after = manifests(run for run in all_runs(self.store) if run.run_id in rows)
            found = Certificate(
                what=what,
                at=self.at,
                rows=rows,
                before=before,
                after=after,
                absent=self.absent,
                left=self.left,
                unseen=self.unseen,
            )
            found.write(path)
        told = tuple(self.absent), tuple(self.left), tuple(self.unseen)
        return Erased(tuple(rows), sum(rows.values()), *told, path)


def purge(
    settings: Settings, days: int, clock: Clock, progress: Progress, *, certificate: Path | None = None
) -> Erased:
    """Erases what shows people from all runs that ended more than `days` ago. Raises Locked while a run works.

    Raises Unproven when a folder is not as it was sealed; then nothing was erased. A run is marked as purged when its
    folder was there; one that was not comes up again. `certificate`: where it goes; None: beside the ledger.
    """
    with _alone(settings, clock, progress) as work:
        runs = runs_before(work.store, milliseconds(clock.now()) - days * DAY_MS)
        before = manifests(runs)
        work.folders([(run, Erasure("purge", work.at, os_user(), None)) for run in runs])
        purge_runs(work.store, [run.run_id for run in runs])
        for run in runs:
            note_erased(work.store, run.run_id, FOLDER_ABSENT if run.run_id in work.absent else "purge")
        work.sweep()
        return work.done("purge", {run.run_id: run.rows for run in runs}, before, certificate)


def forget(
    settings: Settings, subject: Subject, clock: Clock, progress: Progress, *, certificate: Path | None = None
) -> Erased:
    """Erases all that leads to one person from every run. Raises Unusable while something of them is unfinished.

    Raises Unproven as `purge`. `certificate`: as there.
    """
    with _alone(settings, clock, progress) as work:
        store = work.store
        person = Person.known(store, pseudonyms_of(store.url), subject)
        if still_open(store, person.places):
            raise Unusable("a row of that person is unfinished: what was sent must stay known", hint="muster resume")
        found = [(run, *rows_about(store, run, person)) for run in all_runs(store)]
        found = [(run, rows, lines) for run, rows, lines in found if rows]
        before = manifests(run for run, _, _ in found)
        work.folders(
            [
                (run, Erasure("forget", work.at, os_user(), frozenset(rows), frozenset(lines)))
                for run, rows, lines in found
            ]
        )
        theirs = [(run.run_id, row) for run, rows, _ in found for row in rows]
        forget_rows(store, person.places, theirs, os_user(), milliseconds(clock.now()))
        for run, _, _ in found:
            note_erased(store, run.run_id, "forget")
        work.sweep()
        return work.done("forget", {run.run_id: len(rows) for run, rows, _ in found}, before, certificate)


@contextmanager
def _alone(settings: Settings, clock: Clock, progress: Progress) -> Iterator[_Work]:
    """The ledger, with no run at work on any of its tenants."""
    with alone(settings, clock, progress, "erasure") as store:
        yield _Work(store, settings, clock, iso(clock.now()))
