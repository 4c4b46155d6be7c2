"""What is done with a ledger as a whole: brought up to date, copied to another place, checked."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from jobs.clock import Clock
from jobs.errors import Unproven, Unusable
from jobs.ledger import lease, transfer
from jobs.ledger.erase import spaces
from jobs.ledger.migration import version_of
from jobs.ledger.place import place_of
from jobs.ledger.soundness import Finding, findings
from jobs.ledger.store import Store
from jobs.ledger.tables import SCHEMA_VERSION
from jobs.progress import Progress
from jobs.settings.settings import Settings
from jobs.value import value


@value
class Upgraded:
    """The version that a ledger had, None where it was empty, and the one that it has."""

    before: int | None
    now: int


@contextmanager
def alone(settings: Settings, clock: Clock, progress: Progress, name: str, *, upgrade: bool = True) -> Iterator[Store]:
    """The ledger, with no run at work on any of its tenants; `name`: who works instead. Raises Locked."""
    with ExitStack() as stack:
        store = stack.enter_context(Store.opened(settings.ledger, create=False, upgrade=upgrade))
        for space_id in spaces(store):
            owner = lease.Owner.me(name)
            stack.enter_context(lease.held(store, space_id, owner, settings.lock_timeout, clock, tell=progress.note))
        yield store


def upgrade(settings: Settings, clock: Clock) -> Upgraded:
    """Makes the tables of an empty ledger, or brings it up to date. Raises Locked while a run works, Unusable."""
    place = place_of(settings.ledger)
    place.refuse_remains()
    before = None
    if place.exists():
        with Store.opened(settings.ledger, create=False, upgrade=False) as store:
            before = version_of(store.engine)
            if before != SCHEMA_VERSION:
                lease.refuse_at_work(store, clock)
    Store.open(settings.ledger).close()
    return Upgraded(before, SCHEMA_VERSION)


def check(settings: Settings) -> Sequence[Finding]:
    """What has to be true of a ledger, and is or is not."""
    with Store.opened(settings.ledger, create=False, upgrade=False) as store:
        if version_of(store.engine) != SCHEMA_VERSION:
            raise Unusable("the ledger is of another version", hint="muster ledger upgrade")
        return list(findings(store))


def copy(settings: Settings, to: str, clock: Clock, progress: Progress) -> Sequence[transfer.Copied]:
    """Copies the ledger to the URL `to`, or goes on with a copy; what both have then, table by table.

    The copy is no ledger before all of it was compared. Raises Locked, Unusable; Unproven when something differs: the
    ledger was written to since a copy was begun that is gone on with.
    """
    there = place_of(to)
    if str(there) == str(place_of(settings.ledger)):
        raise Unusable("--to is the ledger itself")
    with alone(settings, clock, progress, "copy", upgrade=False) as store:
        engine = there.open()
        try:
            transfer.begin(store, engine)
            for table in transfer.ORDER:
                with progress.stage(f"copying {table.name}", None) as count:
                    transfer.copy_table(store, engine, table, count.advance)
            found = [transfer.compared(store, engine, table) for table in transfer.ORDER]
            if wrong := [each.table for each in found if not each.same]:
                transfer.forget_copy(engine)
                raise Unproven(
                    f"the copy differs in {', '.join(wrong)}: the ledger was written to since the copy was begun",
                    hint="the copy was emptied; give the command again",
                )
            transfer.end(store, engine)
        finally:
            engine.dispose()
    return found
