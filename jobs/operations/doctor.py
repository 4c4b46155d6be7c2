"""The preflight: settings, credential, ledger, disk and target, each as one line that passes or says what to do.

It changes nothing: no ledger is made, no key, no folder, and nothing is written at the target.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from jobs.clock import Clock, Stamp, from_milliseconds, milliseconds
from jobs.disk import LEAST_FREE_BYTES, existing
from jobs.errors import MusterError, Unreachable, Unusable
from jobs.ledger import tables
from jobs.ledger.learned import Learned, learned
from jobs.ledger.lease import working
from jobs.ledger.pauses import kept_pause
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.operations.retention import due
from jobs.publishing.sealing import signing
from jobs.run.target import same_target
from jobs.run.throttling import span, told
from jobs.run.wiring import connected, credential_of, outage_of, pool_of, system_of
from jobs.settings.pseudonyms import KEYLESS, key_is_there
from jobs.settings.secrets import secret
from jobs.settings.settings import Settings, proxy_left_out, unknown_variables
from jobs.storage.address import is_address, named
from jobs.storage.probe import refuse_unwritable_bucket
from jobs.storage.retention import Retention
from jobs.systems.contract import System
from jobs.systems.messages import CallClass, ReadFailed, Token
from jobs.systems.optional import Check, Examined
from jobs.transport.client import Client
from jobs.transport.outage import START_SECONDS
from jobs.transport.pauses import Hold

TERM = 'set [retention] personal = "90d" in muster.toml'

SHORT_LIFE_SECONDS = 120.0
"""Chosen: a token that lives shorter is renewed more than once a minute."""


def here(settings: Settings, clock: Clock) -> Iterator[Check]:
    """What can be told without the network."""
    for name in unknown_variables():
        yield Check("environment", False, f"unknown variable {name}", "correct or unset it")
    if (unused := proxy_left_out(settings)) is not None:
        yield Check("proxy", None, f"{unused} is set, and not used", "--proxy URL goes through one")
    yield _needed(settings, "base_url")
    yield _needed(settings, "tenant")
    try:
        credential_of(settings)
        yield Check("credential", True, "given")
    except Unusable as error:
        yield Check("credential", False, error.message, error.hint)
    yield _ledger(settings, clock)
    yield from _target(settings)
    yield from _pseudonyms(settings)
    yield _retention(settings, clock)
    yield from _signing()
    yield from _limits(settings, clock)
    yield from _bucket(settings)
    out = settings.workplace if is_address(settings.out) else settings.out
    folders = {existing(out), existing(settings.workplace), existing(place_of(settings.ledger).folder)}
    yield from (_disk(folder) for folder in sorted(folders))


async def there(settings: Settings, clock: Clock) -> Sequence[Check]:
    """What only the target can tell: the login, and what the system itself has to be asked. Raises Unreachable."""
    if settings.base_url is None or settings.tenant is None:
        return [Check("target", None, "not asked: its address or the tenant is missing")]
    if any(_target(settings)):
        return [Check("target", None, "not asked: the ledger speaks of another one")]
    try:
        system = system_of(settings, reading=True)
    except Unusable as error:
        return [Check("settings of the system", False, error.message, error.hint or "mend muster.toml")]
    try:
        given = credential_of(settings)
    except Unusable:
        return [Check("target", None, "not asked: no credential")]
    try:
        outage = outage_of(settings, clock, most=START_SECONDS)
        async with connected(settings, system, given, clock, outage=outage) as client:
            token = await client.credential.token()
            examined = await _examined(system, client)
            return [_let_in(client, examined), *_told(token), *examined]
    except Unreachable:
        raise
    except MusterError as error:
        return [Check("login", False, error.message, error.hint or "check --base-url, --tenant and the credential")]


def _bucket(settings: Settings) -> Iterator[Check]:
    """Whether the bucket of --out can be written, and locked where that is asked for."""
    try:
        retention = Retention.wanted(settings.shown(), (settings.out, settings.witness or ""))
        if not is_address(settings.out):
            return
        refuse_unwritable_bucket(settings.out, retention)
    except MusterError as error:
        yield Check("bucket", False, error.message, error.hint)
    else:
        locked = f", and locks evidence for {retention.days} days" if retention else ""
        yield Check("bucket", True, f"{named(settings.out)} can be written{locked}")


def _needed(settings: Settings, name: Literal["base_url", "tenant"]) -> Check:
    try:
        return Check(name.replace("_", " "), True, settings.need(name))
    except Unusable as error:
        return Check(name.replace("_", " "), False, error.message, error.hint)


def _ledger(settings: Settings, clock: Clock) -> Check:
    place = place_of(settings.ledger)
    try:
        place.refuse_remains()
        there = place.exists()
    except Unusable as error:
        return Check("ledger", False, error.message, error.hint)
    if not there:
        folder = place.folder
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            return Check("ledger", False, f"{place} can't be made", f"make the folder {folder}, or give --ledger")
        return Check("ledger", True, f"{place} will be made by the first run")
    try:
        with Store.opened(settings.ledger, create=False, upgrade=False) as store:
            owner = working(store, settings.job_name.ledger_system, settings.tenant or "", milliseconds(clock.now()))
            runs = store.runs(1)
    except MusterError as error:
        return Check("ledger", False, error.message, error.hint or "give --ledger")
    if owner is not None:
        return Check("ledger", None, f"{place}: {owner.words}")
    return Check("ledger", True, f"{place}, newest run {runs[0].run_id if runs else 'none'}")


def _there(settings: Settings) -> bool:
    """Whether there is a ledger; where that can't be told, another line says so."""
    with suppress(Unusable):
        return place_of(settings.ledger).exists()
    return False


def _target(settings: Settings) -> Iterator[Check]:
    """Whether the ledger speaks of the target that the settings name; nothing where all is well."""
    try:
        same_target(settings)
    except Unusable as error:
        yield Check("target of the ledger", False, error.message, error.hint)


def _retention(settings: Settings, clock: Clock) -> Check:
    """How long personal data of runs are kept, and how many runs are due."""
    if settings.retention is None:
        return Check("retention", None, "no term is set: personal data stay until muster purge", TERM)
    try:
        runs = due(settings, clock)
    except MusterError as error:
        return Check("retention", False, error.message, error.hint)
    words = f"personal data go after {settings.retention} days"
    return Check("retention", True, words) if not runs else Check("retention", None, f"{words}; {runs} runs are due")


def _signing() -> Iterator[Check]:
    """Whether the manifests of runs are signed."""
    try:
        signed = signing() is not None
    except Unusable as error:
        yield Check("signing key", False, error.message, error.hint)
        return
    if signed:
        yield Check("signing key", True, "runs are signed")
    else:
        yield Check("signing key", None, "runs are not signed", "muster init --signing-key FILE makes a key")


def _pseudonyms(settings: Settings) -> Iterator[Check]:
    """The key file beside a ledger that is there already: losing it makes every later comparison impossible."""
    ledger = place_of(settings.ledger)
    key = ledger.key_file
    if secret("pseudonym_key") is not None or not _there(settings):
        return
    if key is None:
        yield Check("pseudonym key", False, "none is given", KEYLESS)
    elif not key.exists():
        yield Check("pseudonym key", False, f"{key} is gone", "restore it, or give MUSTER_PSEUDONYM_KEY")
    elif key.stat().st_mode & 0o077:
        yield Check("pseudonym key", False, f"others may read {key}", f"chmod 600 {key}")
    else:
        yield Check("pseudonym key", True, str(key))


def _limits(settings: Settings, clock: Clock) -> Iterator[Check]:
    """What the target taught this credential of its limits; nothing where another line says what is missing."""
    if settings.base_url is None or not key_is_there(settings.ledger) or not _there(settings):
        return
    with suppress(MusterError), Store.opened(settings.ledger, create=False, upgrade=False) as store:
        if store.has(tables.pause):  # a ledger of an older version counts in another way
            pool, now = pool_of(settings, credential_of(settings)), clock.stamp()
            yield from _learned(learned(store, pool, now), now)
            yield from _paused(store, pool, now)


def _learned(found: Mapping[str, Learned], now: Stamp) -> Iterator[Check]:
    """Limits, each lower than what was asked for when the target refused."""
    for pool, each in found.items():
        kind = pool.partition("-")[2] or CallClass.WRITE
        ahead = not each.age_ms and each.at.wall_ms - now.wall_ms >= 60_000
        since = "at a time that this clock has not reached" if ahead else ago(timedelta(milliseconds=each.age_ms))
        rate = f"{each.rate.calls} {kind} calls in {each.rate.seconds:g} s"
        words = f"{rate}, where that is lower than --rate: {each.source} {since}; tried higher step by step"
        yield Check("learned limit", None, words)


def _paused(store: Store, pool: str, now: Stamp) -> Iterator[Check]:
    """Pauses that are not over yet."""
    for kind in CallClass:
        found = kept_pause(store, pool if kind is CallClass.WRITE else f"{pool}-{kind}", now)
        if found is not None:
            asked, left = found
            hold = Hold(left, asked.asked_seconds, from_milliseconds(asked.at.wall_ms), asked.source, kept=True)
            yield Check("pause", None, f"{told(kind, hold)}; a run waits {span(left)} for it")


def ago(age: timedelta) -> str:
    """`3 h ago`; the largest unit that is full."""
    seconds = max(0, int(age.total_seconds()))
    units = ((86400, "d"), (3600, "h"), (60, "min"))
    return next((f"{seconds // size} {name} ago" for size, name in units if seconds >= size), f"{seconds} s ago")


def _disk(folder: Path) -> Check:
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
    words = f"{free / 1024**3:,.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Check("disk", False, f"{folder} can't be written", "give --out, or mend its permissions")
    if free < LEAST_FREE_BYTES:
        return Check("disk", False, words, "free at least 500 MB: a full disk stops a run")
    return Check("disk", True, words)


def _let_in(client: Client, examined: Sequence[Check]) -> Check:
    """What the target said to the credential: of one that is only presented, a read has to tell."""
    if client.credential.logins:
        return Check("login", True, "the target let us in")
    statuses = {status for _, _, status in client.calls}
    answered = any(status.startswith("2") for status in statuses)
    if client.given.token is None:
        return Check("login", None, "none is made: the target takes no credential, as the settings say")
    if answered or any(check.passed for check in examined):
        return Check("login", True, "the given token was accepted by a read")
    if "401" in statuses:
        return Check("login", False, "the target refuses the given token", "give a fresh MUSTER_TOKEN")
    return Check("login", None, "the token is given, not tried: no read was answered with it")


def _told(token: Token) -> list[Check]:
    """What the token says of itself."""
    checks = []
    if token.life_seconds < SHORT_LIFE_SECONDS:
        words = f"a token lives {token.life_seconds:.0f} s"
        checks.append(Check("token life", None, words, "ask for a longer one: each run renews it again and again"))
    elif token.life_seconds != float("inf"):
        checks.append(Check("token life", True, f"{token.life_seconds:,.0f} s; renewed in good time"))
    if token.tenant is not None:
        checks.append(Check("tenant of the credential", True, token.tenant))
    if token.positions:
        checks.append(Check("positions", True, ", ".join(sorted(token.positions))))
    return checks


async def _examined(system: System, client: Client) -> Sequence[Check]:
    if not isinstance(system, Examined):
        return [Check("target", None, f"{system.capabilities.title} offers nothing to ask without changing something")]
    try:
        return await system.examine(client)
    except ReadFailed as error:
        return [Check("target", False, f"a read failed: {error.reason}", "try again; then ask the vendor")]
