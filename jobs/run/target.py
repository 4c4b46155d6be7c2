"""The ledger speaks of one target: at another address than the known one nothing is read or sent.

A ledger that was used at another target with the same tenant would call every row done. `base_url` identifies the
target; an address where only tokens are given (`auth_base_url`) does not.
"""

from contextlib import ExitStack

from jobs.errors import Unusable
from jobs.ledger.origin import known_origin, last_base_url, moved_before
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.settings.settings import Settings
from jobs.transport.address import origin_of


def same_target(settings: Settings, store: Store | None = None) -> str | None:
    """The origin that the target of the ledger had before, where it was another one; None: this one, or none.

    Raises Unusable when the ledger speaks of another target than `base_url` and `--moved-from` does not say that it
    moved, and for a `--moved-from` that says nothing of it. It changes nothing. `store` None: the ledger of the
    settings, as far as it can be read. One that an older muster wrote speaks of no target yet: its newest run was at
    the origin that is returned, and that it was the same target can't be known.
    """
    if settings.base_url is None or settings.tenant is None:
        return None
    here, moved = origin_of(settings.base_url), origin_of(settings.moved_from) if settings.moved_from else None
    with ExitStack() as stack:
        store = store or _readable(settings, stack)
        known = None if store is None else known_origin(*_place(store, settings))
        before = known if store is None or known else _newest(store, settings)
        left = (
            set()
            if store is None
            else _left(store, settings, {each for each in (here, moved) if each and each != before})
        )
    if moved not in {None, before} and not (before == here and moved in left):
        words = f"{place_of(settings.ledger)} speaks of {before}" if before else "the ledger speaks of no target yet"
        raise Unusable(f"--moved-from is {moved}, but {words}: nothing was sent", hint="leave --moved-from out")
    if before in {None, here}:
        return None
    if known is not None and moved is None:
        new = f"--base-url {known}: the target moved there"
        same = f"give another --ledger; or --moved-from {known}, if that is the same target under a new address"
        raise Unusable(
            f"the ledger {place_of(settings.ledger)} speaks of the target {known}, not of {here}: nothing was sent",
            hint=new if here in left else same,
        )
    return before


def _readable(settings: Settings, stack: ExitStack) -> Store | None:
    """The ledger as it is, to be read only; None where there is none, or none that can be read."""
    if not place_of(settings.ledger).exists():
        return None
    try:
        return stack.enter_context(Store.opened(settings.ledger, create=False, upgrade=False))
    except Unusable:
        return None


def _place(store: Store, settings: Settings) -> tuple[Store, str, str]:
    return store, str(settings.system), str(settings.tenant)


def _newest(store: Store, settings: Settings) -> str | None:
    """The origin of the newest run; None where there was none."""
    base_url = last_base_url(*_place(store, settings))
    return None if base_url is None else origin_of(base_url)


def _left(store: Store, settings: Settings, origins: set[str]) -> set[str]:
    """Gives the `origins` that the target has moved away from, as a run recorded."""
    return {origin for origin in origins if moved_before(*_place(store, settings), origin)}
