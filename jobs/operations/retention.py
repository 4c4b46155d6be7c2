"""Retention: personal data of runs go when they are as old as the settings say, whoever comes by first."""

from jobs.clock import Clock, milliseconds
from jobs.errors import Locked, MusterError
from jobs.ledger.erase import runs_before
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.operations.erase import DAY_MS, purge
from jobs.progress import Progress
from jobs.settings.settings import Settings


def due(settings: Settings, clock: Clock) -> int:
    """How many runs are older than the settings allow and not purged yet. Raises MusterError."""
    if settings.retention is None or not place_of(settings.ledger).exists():
        return 0
    with Store.opened(settings.ledger, create=False, upgrade=False) as store:
        return len(runs_before(store, milliseconds(clock.now()) - settings.retention * DAY_MS))


def keep_retention(settings: Settings, clock: Clock, progress: Progress) -> str | None:
    """Purges the runs that are due; what a person has to know of it. None: nothing was due, or no term is set.

    A run that has just ended never fails for it: that another one works, or that a folder is not as it was sealed, is
    told, and the next run tries again.
    """
    try:
        runs = due(settings, clock)
        if not runs or settings.retention is None:
            return None
        done = purge(settings, settings.retention, clock, progress)
    except Locked:
        return "personal data of old runs are to be purged, and another run works: the next one does it"
    except MusterError as error:
        return f"personal data of old runs are to be purged, and can't be: {error.message}"
    return (
        f"personal data of {len(done.runs)} runs older than {settings.retention} days were purged: {done.certificate}"
    )
