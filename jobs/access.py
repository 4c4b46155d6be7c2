"""Wiring: from settings to a system, its client, its limiters and its keys. The one place that knows all the parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobs.client import Client
from jobs.clock import Clock
from jobs.config import Settings, secrets, system_settings
from jobs.errors import Unusable
from jobs.keys import KeySpace
from jobs.limiter import Limiter, Pace, Window
from jobs.model import Rate, Secrets
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
    settings: Settings, system: System, given: Secrets, clock: Clock, sender: Sender | None = None
) -> AsyncIterator[Client]:
    """A client that has logged in; its connections are closed at the end. Raises NotPermitted."""
    sender = sender or HttpxSender(settings.need("base_url"), clock)
    limiters = {call_class: Limiter(clock) for call_class in CallClass}
    client = Client(system, sender, given, tenant=settings.need("tenant"), limiters=limiters, clock=clock)
    try:
        token = await client.credential.token()
        limiters[CallClass.WRITE] = write_limiter(settings.rate, system.write_limit(token.positions), clock)
        yield client
    finally:
        await sender.aclose()


def write_limiter(rate: Rate | None, documented: tuple[int, float] | None, clock: Clock) -> Limiter:
    """The limit that was given, else the documented one, else a pace that is found by trying."""
    if rate is None and documented is not None:
        rate = Rate(*documented)
    if rate is not None:
        return Limiter(clock, window=Window(rate, clock))
    return Limiter(clock, pace=Pace(clock))
