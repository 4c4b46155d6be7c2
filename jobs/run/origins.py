"""Where a credential is sent: to the origins that it was bound to, and to no other.

It is bound by `[eclipse] origins`, or by its first use: the newest run at the same system and tenant tells where.
The address of the target itself is held by `target.py`; here it is also about the one that gives tokens.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

from jobs.errors import Unusable
from jobs.ledger.origin import last_settings
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.settings.document import ALLOWED
from jobs.settings.settings import Settings
from jobs.transport.address import origin_of

URLS = "base_url"
"""How the names of settings end that hold an address."""


def check_origins(settings: Settings, store: Store | None = None) -> None:
    """Raises Unusable when the credential would go to another origin than it was bound to: nothing was sent.

    `store` None: the ledger of the settings, as far as it can be read.
    """
    named = allowed(settings)
    wanted = set(origins_of(settings))
    if named:
        for origin in sorted(wanted - named):
            raise Unusable(
                f"the credential would be sent to {origin}, which [{settings.system}] {ALLOWED} does not name",
                hint="check base_url and the addresses in muster.toml before you add it",
            )
        return
    known = set(_sent_before(settings, store))
    new = {_origin(url) for url in _own(settings.systems.get(settings.system, {}))} - known
    for origin in sorted(new) if known else ():
        raise Unusable(
            f"the credential was sent to {', '.join(sorted(known))} so far, and would now be sent to {origin} too",
            hint=f"if that is right: [{settings.system}] {ALLOWED} = {sorted(wanted)} in muster.toml",
        )


def origins_of(settings: Settings) -> list[str]:
    """The origins (scheme, host, port) that calls and credential go to, the target's first."""
    base = [] if settings.base_url is None else [settings.base_url]
    return list(dict.fromkeys(map(_origin, (*base, *_own(settings.systems.get(settings.system, {}))))))


def allowed(settings: Settings) -> frozenset[str]:
    """The origins that the table of the system names; empty: it names none."""
    named = settings.systems.get(settings.system, {}).get(ALLOWED) or ""
    return frozenset(_origin(each.strip()) for each in str(named).split(",") if each.strip())


def _own(table: Mapping[str, object]) -> Iterator[str]:
    return (str(value) for name, value in table.items() if name.endswith(URLS) and value)


def _sent_before(settings: Settings, store: Store | None) -> Iterator[str]:
    """The origins that the newest run at this place went to; none where there was no run."""
    with ExitStack() as stack:
        if store is None and place_of(settings.ledger).exists():
            try:
                store = stack.enter_context(Store.opened(settings.ledger, create=False, upgrade=False))
            except Unusable:
                store = None
        recorded = {} if store is None else last_settings(store, settings.system, settings.tenant or "")
    prefix = f"{settings.system}."
    own = {name.removeprefix(prefix): value for name, value in recorded.items() if name.startswith(prefix)}
    for url in (recorded.get("base_url"), *_own(own)):
        if url:
            yield _origin(str(url))


def _origin(url: str) -> str:
    parts = urlsplit(origin_of(url))
    return f"{parts.scheme}://{parts.netloc}"
