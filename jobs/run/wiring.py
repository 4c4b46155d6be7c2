"""Wiring: from settings to a system, its client, its limiters and its keys. The one place that knows all the parts."""

import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import cache, partial
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.keys import KeySpace
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.customers import made_customers
from jobs.ledger.notices import told_state
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.model import Rate, Secrets
from jobs.privacy import masking
from jobs.run.keys import keys_of
from jobs.run.origins import check_origins
from jobs.run.target import same_target
from jobs.settings.document import ALLOWED
from jobs.settings.pseudonyms import key_is_there, pseudonyms_of
from jobs.settings.secrets import secrets
from jobs.settings.settings import Settings
from jobs.settings.system_table import system_settings
from jobs.systems import adapter, capabilities
from jobs.systems.contract import Passwords, Setup, System
from jobs.systems.jwt import holder_of
from jobs.systems.messages import CallClass, Certificate
from jobs.transport.address import checked_base_url
from jobs.transport.client import Client
from jobs.transport.limiter import Limiter, Pace, Window
from jobs.transport.outage import Outage
from jobs.transport.pauses import Hear, Hold, Pauses, nobody
from jobs.transport.quota import KeptPace, KeptPauses, SharedWindow
from jobs.transport.sender import HttpSender


def system_of(
    settings: Settings, files: Path | None = None, *, passwords: Passwords | None = None, reading: bool = False
) -> System:
    """The configured system, for the configured job. Raises Unusable.

    `files`: the folder of the input, in which documents lie unless the settings name another one. `passwords`: of the
    logins that are to be made; None: none is made. `reading`: nothing is going to be written, so that settings which
    only writes need may be missing.
    """
    tenant = settings.need("tenant")
    module = adapter(settings.job_name.adapter)
    table = {name: value for name, value in settings.systems.get(settings.system, {}).items() if name != ALLOWED}
    setup = Setup(
        tenant,
        keys_of(settings),
        settings.files or files or Path(),
        variant=settings.decision,
        credential=cache(lambda: credential_name(settings)),
        known=(remembered := Remembered(settings)).of,
        customer_of=remembered.customer_of,
        told=remembered.told,
        own=settings.own,
        passwords=passwords,
        full=settings.full,
        reading=reading,
    )
    return module.system(setup, system_settings(module.SETTINGS, table, settings.system))


def credential_name(settings: Settings) -> str | None:
    """Whose credential this run has, as a pseudonym; None when there is none."""
    given = secrets("operator_" if settings.operator else "")
    secret = holder_of(given.token) if given.token else given.identity
    return pseudonyms_of(settings.ledger).of("credential", secret) if secret else None


class Remembered:
    """What the ledger knows of the system's customers, asked when it is needed; opened when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._store: Store | None = None

    def of(self, customer_id: str) -> Mapping[str, str]:
        """The facts of that customer; empty when the ledger knows none."""
        return self.among([customer_id]).get(customer_id, {})

    def told(self, customer_id: str) -> str | None:
        """The state that the target's newest notice of that customer gives; None when there is none."""
        store = self._opened()
        if store is None:
            return None
        return told_state(store, self.settings.system, self.settings.need("tenant"), customer_id)

    def among(self, customer_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The facts of those of the customers that the ledger knows, by id."""
        if (store := self._opened()) is None:
            return {}
        return made_customers(store, self.settings.system, self.settings.need("tenant"), customer_ids)

    def customer_of(self, reference: str) -> str | None:
        """The customer of a key of ours, or of a reference of the source (`row_ref`) that a key was made from."""
        if not key_is_there(self.settings.ledger) or (store := self._opened()) is None:
            return None
        tenant, pseudonyms = self.settings.need("tenant"), pseudonyms_of(self.settings.ledger)
        made = KeySpace.of(self.settings.system, tenant).customer(row_ref=reference, national_id=None)
        keys = [reference, pseudonyms.hidden(reference), made, pseudonyms.hidden(made)]
        known = store.known(store.space(self.settings.job_name.ledger_system, tenant), keys)
        ids = (known[key].record.facts.get("customer_id") for key in keys if key in known)
        return next(filter(None, ids), None)

    def _opened(self) -> Store | None:
        """The ledger, once there is one."""
        if self._store is None and place_of(self.settings.ledger).exists():
            self._store = Store.open(self.settings.ledger, create=False)
            weakref.finalize(self, self._store.close)
        return self._store


def reader_given(settings: Settings) -> bool:
    """Whether there is a credential to read back with."""
    return not capabilities(settings.job_name.adapter).reads_apart or any(map(complete, readers(settings)))


def readers(settings: Settings) -> Iterator[Secrets]:
    """Credentials that are meant for reading, the reader's own first."""
    yield secrets("recon_")
    if capabilities(settings.job_name.adapter).reads_apart:
        yield secrets("operator_")


def complete(given: Secrets) -> bool:
    """Whether one can log in with it."""
    return bool(given.identity and given.password)


def credential_of(settings: Settings, *, reading: bool = False, own_reads: bool = False) -> Secrets:
    """The credential of the run; for `reading`, the reader's own if there is one. Raises Unusable.

    `own_reads`: the run's own is known to be able to read back what it made, also where that is not usual.
    """
    own = next(filter(complete, readers(settings)), None) if reading else None
    able = capabilities(settings.job_name.adapter)
    if own is None and reading and able.reads_apart and not own_reads:
        raise Unusable(
            "reading back takes another credential than this job's own",
            hint="set MUSTER_RECON_IDENTITY and MUSTER_RECON_PASSWORD (or their _FILE variants)",
        )
    given = own or secrets("operator_" if settings.operator else "")
    held = {"token"} if given.token is not None else set()
    held |= {"identity"} if given.identity is not None and given.password is not None else set()
    held |= {"key"} if given.identity is not None and given.private_key is not None else set()
    if held & able.takes or "nothing" in able.takes:
        return given
    mine = "MUSTER_OPERATOR" if settings.operator else "MUSTER"
    variables = {"identity": f"{mine}_IDENTITY and {mine}_PASSWORD"}
    if not settings.operator:
        variables |= {"token": "MUSTER_TOKEN", "key": "MUSTER_IDENTITY and MUSTER_PRIVATE_KEY"}
    wanted = ", or ".join(words for kind, words in variables.items() if kind in able.takes)
    raise Unusable(
        f"no credential for {settings.system}: it takes {able.credential}",
        hint=f"set {wanted} (or their _FILE variants)",
    )


def api_user(settings: Settings) -> str | None:
    """Whom the target knows us as: the identity of the credential, masked where it is an address or a number.

    None for a credential that has none (a token).
    """
    identity = credential_of(settings).identity
    return None if identity is None else masking.line(identity)


def sender_of(settings: Settings, system: System, clock: Clock) -> HttpSender:
    """Connections as the settings want them. Raises Unusable for roots, a certificate or a proxy that can't be used."""
    base_url, shown = settings.need("base_url"), system.certificate
    if settings.ca_file is not None:
        shown = shown or Certificate()
        shown = replace(shown, authorities=(*shown.authorities, settings.ca_file))
    if settings.proxy is not None and base_url.startswith("http:") and not settings.proxy.here:
        raise Unusable("--proxy is on another machine, and plain http would show tokens and personal data to it")
    return HttpSender(base_url, clock, certificate=shown, proxy=settings.proxy)


def outage_of(
    settings: Settings, clock: Clock, tell: Callable[[str], None] = lambda _: None, *, most: float = inf
) -> Outage:
    """Whether the target is there, not known yet; `most` seconds are waited for it, or fewer where the settings say so.

    `tell`: where the operator hears that it is waited for.
    """
    parts = urlsplit(settings.need("base_url"))
    place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return Outage(clock, place, wait_seconds=min(settings.outage_wait, most), tell=tell)


Hearing = Callable[[CallClass, Hold], None]
"""Is told which class of call has to pause."""


def deaf(_kind: CallClass, _hold: Hold) -> None:
    """Hears nothing."""


@asynccontextmanager
async def connected(
    settings: Settings,
    system: System,
    given: Secrets,
    clock: Clock,
    *,
    store: Store | None = None,
    outage: Outage | None = None,
    hear: Hearing = deaf,
    sharers: int = 1,
) -> AsyncIterator[Client]:
    """A client that has logged in; its connections are closed at the end. Raises NotPermitted, Unreachable; Unusable
    at another target than the ledger's.

    `store`: the ledger in which windows of calls and pauses hold over runs and processes; None: they hold for this
    client. `outage`: what is known of the target's being there; None: nothing, and what is waited for is not told.
    `hear` is told of the pauses of each class of call, those of logins too. `sharers`: how many processes of one run
    find the pace by trying, each its part of it.
    """
    same_target(settings, store)
    check_origins(settings, store)
    sender = sender_of(settings, system, clock)
    limiters = {each: Limiter(clock, pauses=Pauses(clock, partial(hear, each))) for each in CallClass}
    client = Client(
        system,
        sender,
        given,
        tenant=settings.need("tenant"),
        limiters=limiters,
        clock=clock,
        most_calls=settings.concurrency,
        outage=outage or outage_of(settings, clock),
    )
    try:
        token = await client.credential.token()
        system.admit(token.positions)
        await client.reach()
        rates = dict(system.limits(token.positions))
        if settings.rate is not None:
            rates[CallClass.WRITE] = settings.rate
        async with AsyncExitStack() as stack:
            pool = None if store is None else pool_of(settings, given)
            for each in CallClass:
                if each is CallClass.LOGIN and each not in rates:
                    continue
                named = pool if pool is None or each is CallClass.WRITE else f"{pool}-{each}"
                free = each is not CallClass.WRITE and each not in rates
                heard = partial(hear, each)
                limiting = limiter(rates.get(each), named, store, clock, heard, free=free, sharers=sharers)
                limiters[each] = await stack.enter_async_context(limiting)
            yield client
    finally:
        await sender.aclose()


@asynccontextmanager
async def limiter(
    rate: Rate | None,
    pool: str | None,
    store: Store | None,
    clock: Clock,
    hear: Hear = nobody,
    *,
    free: bool = False,
    sharers: int = 1,
) -> AsyncIterator[Limiter]:
    """The limit that was given, else the documented one, else (None) a pace that is found by trying; `free`: neither.

    With a `store`, what earlier runs and other processes learned of `pool`, and were asked for, holds first.
    """
    if store is None or pool is None:
        window, pace = (None, None if free else Pace(clock)) if rate is None else (Window(rate, clock), None)
        yield Limiter(clock, window=window, pace=pace, pauses=Pauses(clock, hear))
        return
    async with AsyncExitStack() as stack:
        pauses = KeptPauses(clock, store, pool, hear=hear)
        stack.push_async_callback(given_back, pauses)
        shared = None if rate is None else SharedWindow(rate, clock, store, pool)
        paced = KeptPace(clock, store, pool, sharers=sharers) if rate is None and not free else None
        if shared is not None:
            stack.push_async_callback(given_back, shared)
        if paced is not None:
            stack.push_async_callback(given_back, paced)
        yield Limiter(clock, window=shared, pace=paced, pauses=pauses)


async def given_back(kept: SharedWindow | KeptPace | KeptPauses) -> None:
    """Tells the ledger what it shall keep, if it can: what is not handed back counts as used for a while, no harm."""
    with suppress(LedgerBroken):
        await kept.aclose()


def pool_of(settings: Settings, given: Secrets) -> str:
    """Names what shares a limit of mutating calls: one credential at one address, as a pseudonym.

    Where the vendor has agreed to a limit for each address that calls leave from, one of those beside.
    """
    address = checked_base_url(settings.need("base_url"))
    beside = "" if settings.egress_agreement is None else f"|{settings.egress}"
    return pseudonyms_of(settings.ledger).of("pool", f"{address}|{given.identity or 'token'}{beside}")
