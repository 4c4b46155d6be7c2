"""The ledger, opened for one run: its key is the known one, its target is ours, and nobody else works in it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from jobs.alive import Watch
from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.keys import Pseudonyms
from jobs.ledger.lease import PULSE, Lease, Owner, held
from jobs.ledger.readings import forget_readings
from jobs.ledger.shards import take_from, taken_in
from jobs.ledger.store import Store
from jobs.progress import Progress
from jobs.reports.folder import RunFolder
from jobs.run.target import same_target
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.settings import Settings
from jobs.storage.address import is_address
from jobs.storage.copies import at_hand, here
from jobs.value import value

LOOK_SECONDS = 0.5
"""Between two looks whether workers of an earlier run have stopped (chosen)."""


@value
class Session:
    """A ledger that this process holds the lease of."""

    store: Store
    space_id: int
    lease: Lease
    """What fences off whoever held it before."""
    pseudonyms: Pseudonyms
    """The key that the ledger is used with, as it was at the beginning: its file may go away while the run works."""


@contextmanager
def opened(settings: Settings, run_id: str, clock: Clock, progress: Progress) -> Iterator[Session]:
    """The ledger with the lease of (system, tenant), for a block; what dead runs left half written is removed.

    Raises Unusable, and Locked while another run works.
    """
    with Store.opened(settings.ledger) as store:
        pseudonyms = pseudonyms_of(settings.ledger, make=not store.knows_key())
        store.know_key(pseudonyms.of("key", "check"))
        space_id = store.space(settings.job_name.ledger_system, settings.need("tenant"))
        owner = Owner.me(run_id)
        with held(store, space_id, owner, settings.lock_timeout, clock, tell=progress.note) as mine:
            await_workers(mine, clock, progress)
            discard_drafts(store, space_id)
            forget_readings(store, space_id)
            yield Session(store, space_id, mine, pseudonyms)


def await_workers(mine: Lease, clock: Clock, progress: Progress) -> None:
    """Returns when no worker of an earlier run sends anything more: each has said so, or is dead.

    They can write nothing since the lease was taken, and hear of it; what they are about to send leaves before.
    """
    watches: dict[tuple[str, int], Watch] = {}
    store, told = mine.store, False
    while True:
        left = taken_in(store, mine.space_id)
        for shard in left:
            watch = watches.setdefault((shard.run_id, shard.number), Watch(PULSE, clock))
            if mine.fresh():
                watch.saw(shard.beats)
            else:
                watch.saw_nothing()
            if watch.dead or (shard.owner is not None and shard.owner.lives() is False):
                take_from(store, shard)
        if not left:
            return
        if not told and (watched := [each.number for each in left if each.owner and each.owner.lives() is not False]):
            progress.note(f"waiting until {len(watched)} workers of run {left[0].run_id} have stopped")
            told = True
        clock.wait(LOOK_SECONDS if told else 0.0)


def discard_drafts(store: Store, space_id: int) -> None:
    """Removes what runs that died left half written. Who holds the lease knows that none of them still works."""
    for folder in store.unfinished(space_id):
        with suppress(Unusable):  # it died before it made its folder, or somebody removed it
            RunFolder.existing(here(folder)).discard_drafts()
            if is_address(folder) and here(folder).is_dir():
                at_hand(folder)  # delivered, where a command was killed before that


def place_before(settings: Settings, store: Store) -> tuple[str | None, str | None]:
    """The origin under which the ledger knew its target before, and a note of that; None where it is the known one."""
    before = same_target(settings, store)
    if before is None:
        return None, None
    known = "--moved-from" if settings.moved_from else "as its newest run says; taken for the same target"
    return before, f"the ledger knew this target as {before} ({known})"
