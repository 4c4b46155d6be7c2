"""Wiring: from settings to a system, its client, its limiters and its keys. The one place that knows all the parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobs.client import Client
from jobs.clock import Clock
from jobs.config import Settings, pseudonym_key, secrets, system_settings
from jobs.errors import Unusable
from jobs.keys import KeySpace, Pseudonyms
from jobs.ledger.sqlite import path_of
from jobs.ledger.store import Store
from jobs.limiter import Limiter, Pace
from jobs.model import Rate, Secrets
from jobs.quota import SharedWindow
from jobs.sender import HttpxSender, Sender
from jobs.systems.base import CallClass, System
from jobs.systems.eclipse.system import Eclipse, EclipseSettings


def system_of(settings: Settings) -> System:
    """The configured system. Raises Unusable."""
    tenant = settings.need("tenant")
    table = settings.systems.get("eclipse", {})
    return Eclipse(tenant, keys_of(settings), system_settings(EclipseSettings, table, "eclipse"))


def keys_of(settings: Settings) -> KeySpace:
    """The keys of the configured (system, tenant); an unset tenant gives keys that are never sent."""
    return KeySpace.of(settings.system, settings.tenant or "")


def credential_of(settings: Settings, *, reading: bool = False) -> Secrets:
    """The operator's credential; for `reading`, the reader's own if there is one. Raises Unusable."""
    own = secrets("recon_") if reading else Secrets()
    given = own if own.identity and own.password else secrets()
    if given.token is None and (given.identity is None or given.password is None):
        raise Unusable(
            f"no credential for {settings.system}",
            hint="set MUSTER_IDENTITY and MUSTER_PASSWORD (or their _FILE variants), or MUSTER_TOKEN",
        )
    return given


@asynccontextmanager
async def connected(
    settings: Settings,
    system: System,
    given: Secrets,
    clock: Clock,
    *,
    store: Store | None = None,
    sender: Sender | None = None,
) -> AsyncIterator[Client]:
    """A client that has logged in; its connections are closed at the end. Raises NotPermitted.

    `store`: the ledger in which windows of mutating calls hold over runs and processes; None for a client that
    only reads.
    """
    sender = sender or HttpxSender(settings.need("base_url"), clock)
    limiters = {call_class: Limiter(clock) for call_class in CallClass}
    client = Client(
        system,
        sender,
        given,
        tenant=settings.need("tenant"),
        limiters=limiters,
        clock=clock,
        most_calls=settings.concurrency,
    )
    try:
        token = await client.credential.token()
        rate = settings.rate or system.write_limit(token.positions)
        async with write_limiter(rate, settings, given, store, clock) as limiters[CallClass.WRITE]:
            yield client
    finally:
        await sender.aclose()


@asynccontextmanager
async def write_limiter(
    rate: Rate | None, settings: Settings, given: Secrets, store: Store | None, clock: Clock
) -> AsyncIterator[Limiter]:
    """The limit that was given, else the documented one, else (None) a pace that is found by trying."""
    if rate is None or store is None:
        yield Limiter(clock, pace=Pace(clock))
        return
    window = SharedWindow(rate, clock, store, pool_of(settings, given))
    try:
        yield Limiter(clock, window=window)
    finally:
        await window.aclose()


def pool_of(settings: Settings, given: Secrets) -> str:
    """Names what shares a limit of mutating calls: one credential at one address, as a pseudonym."""
    pseudonyms = Pseudonyms(pseudonym_key(path_of(settings.ledger)))
    return pseudonyms.of("pool", f"{settings.need('base_url')}|{given.identity or 'token'}")
