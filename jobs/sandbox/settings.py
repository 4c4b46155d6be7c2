"""The switches of the sandbox: how strict it is, who may log in, how fast and how patient it is.

They are given at the start and may be changed while it runs; both ways accept the JSON spelling of a value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

TENANT = 1001
"""Tenant of the default credentials (chosen)."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A login of the platform. `positions` are TENANT_SYSTEM, LEVEL_01..LEVEL_20 or ONBOARDING."""

    identity: str
    password: str = field(repr=False)
    tenant: int = TENANT
    positions: tuple[str, ...] = ("TENANT_SYSTEM",)
    public_key: str | None = field(default=None, repr=False)
    """Base64 of a DER public key (SubjectPublicKeyInfo, RSA) for the login without a password; None: no such login."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any window of `seconds`."""

    calls: int
    seconds: float


CREDENTIALS = (
    Credential("operator", "operator-password"),
    Credential("onboarding-user", "onboarding-password", positions=("ONBOARDING",)),
    Credential("other-operator", "other-password", tenant=TENANT + 1),
)
"""An operator, the self-registration credential, and an operator of another tenant (chosen)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All switches with their defaults; see docs/sandbox.md."""

    strictness: str = "seed"
    """`seed`: only the rules of the system's main page; `vendor`: also those of the vendor's other pages."""
    show_external_ids: bool | None = None
    """Does a profile show `externalUniqueId`? None: as the strictness has it (seed no, vendor yes)."""
    show_wallet_external_ids: bool = True
    """Does a wallet show `externalUniqueId` when it is read? Observed in client code; no page settles it."""
    token_seconds: float = 900.0
    """Life of a token. 900 was observed in a sample token; another page says one hour."""
    credentials: tuple[Credential, ...] = CREDENTIALS
    mutating_limit: Limit | None = None
    """Window over POST, PUT, PATCH and DELETE of each credential, besides the ONBOARDING one; None: no limit."""
    onboarding_limit: Limit | None = Limit(60, 180.0)
    """Eclipse, Customer Management page: 60 mutating requests in 180 seconds per IP address."""
    user_limit: Limit | None = None
    """Eclipse: window over all calls with a token of each user; other pages name such a limit, but no threshold."""
    tenant_limit: Limit | None = None
    """Eclipse: the same for all users of a tenant together."""
    concurrency_limit: int | None = None
    """Eclipse: how many calls of one user may be in flight at a time; None: any number."""
    limit_retry_after: bool = True
    """Does a 429 of a limit carry `Retry-After`?"""
    kyc_polls: int = 2
    """How many reads find a slow verification still PENDING (chosen)."""
    wallet_types: tuple[int, ...] = (5001, 5002)
    """Eclipse, Customer Management page: the eligibility sample."""
    allowed_wallet_types: tuple[int, ...] = (5001,)
    own_wallets: tuple[int, ...] = ()
    """Wallet types that Eclipse opens by itself, one each, with every customer that is created. The vendor's pages tell
    of default wallet types, not of when a customer gets one (chosen)."""
    own_wallet_keys: bool = False
    """Does a wallet that Eclipse opened by itself show an `externalUniqueId`, of Eclipse's own? (chosen)"""
    kyc_newest_first: bool = True
    """Are KYC results listed as the Customer Management page has it, most recent first?"""
    eclipse_prefix: str = "eclipse-conductor"
    """First part of Eclipse's paths; white-labelled platforms have another. Counts at the start only."""
    csrf: bool = False
    """Do Eclipse's login replies carry a CSRF token, without which a renewal is refused?"""
    lists_attachments: bool = True
    """Can addresses and documents of Eclipse be listed? No page shows it (chosen); false: 405."""
    document_bytes: int = 5 * 1024 * 1024
    """Largest document that Eclipse takes, decoded (chosen; no page says)."""
    latency_ms: float = 0.0
    """Waiting time before a call is worked on."""
    clock_offset: float = 0.0
    """Seconds that the server's wall clock is ahead of the real one."""
    switches: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Of the other systems, by system; each dialect names its own (`{"azakaw": {"duplicate": "409"}}`)."""
    seed: int = 1
    """Of the identifiers of records and of trace ids. A change takes effect with the next reset."""

    @property
    def vendor(self) -> bool:
        """Do the rules of the vendor's other pages count too?"""
        return self.strictness == "vendor"


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """`settings` with `changes`; ValueError for an unknown name or a value that does not fit."""
    unknown = sorted(set(changes) - set(_PARSERS))
    if unknown:
        raise ValueError(f"unknown setting {unknown[0]!r}; known: {', '.join(sorted(_PARSERS))}")
    parsed: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            parsed[name] = _PARSERS[name](value)
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(f"{name}: {error}") from error
    return replace(settings, **parsed)


def shown(settings: Settings) -> dict[str, object]:
    """The settings as JSON, without passwords."""
    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    for name in ("mutating_limit", "onboarding_limit", "user_limit", "tenant_limit"):
        limit = values[name]
        values[name] = None if limit is None else [limit.calls, limit.seconds]
    values["credentials"] = [
        {"identity": login.identity, "tenant": login.tenant, "positions": list(login.positions)}
        for login in settings.credentials
    ]
    return values


def _strictness(value: object) -> str:
    if value not in ("seed", "vendor"):
        raise ValueError("must be 'seed' or 'vendor'")
    return str(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("must be a number")
    return float(value)


def _positive(value: object) -> float:
    number = _number(value)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("must be an integer")
    return value


def _limit(value: object) -> Limit | None:
    """From `null`, `"60/180"`, `[60, 180]` or a Limit."""
    if value is None:
        return None
    if isinstance(value, Limit):
        calls, seconds = value.calls, value.seconds
    else:
        parts = value.split("/") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or len(parts) != 2:
            raise ValueError("must be CALLS/SECONDS, such as 60/180")
        calls, seconds = int(parts[0]), float(parts[1])
    if calls < 1 or seconds <= 0:
        raise ValueError("must allow at least one call in a window longer than zero")
    return Limit(calls, seconds)


def _at_least_one(value: object) -> int:
    number = _integer(value)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _path_part(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", value, re.ASCII):
        raise ValueError("must be one part of a path: letters, digits and hyphens")
    return value


def _integers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError("must be a list of integers")
    return tuple(_integer(item) for item in value)


def _switches(value: object) -> dict[str, dict[str, object]]:
    if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
        raise TypeError("must be an object with an object for each system")
    return {str(name): dict(each) for name, each in value.items()}


def _credentials(value: object) -> tuple[Credential, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise TypeError("must be a list of at least one credential")
    return tuple(item if isinstance(item, Credential) else _credential(item) for item in value)


def _credential(value: object) -> Credential:
    if not isinstance(value, Mapping):
        raise TypeError("a credential is an object with identity, password, tenant and positions")
    return Credential(
        identity=str(value["identity"]),
        password=str(value["password"]),
        tenant=_integer(value.get("tenant", TENANT)),
        positions=tuple(str(position) for position in value.get("positions", ("TENANT_SYSTEM",))),
        public_key=None if value.get("public_key") is None else str(value["public_key"]),
    )


_PARSERS: dict[str, Callable[[object], object]] = {
    "strictness": _strictness,
    "show_external_ids": lambda value: None if value is None else _flag(value),
    "show_wallet_external_ids": _flag,
    "token_seconds": _positive,
    "credentials": _credentials,
    "mutating_limit": _limit,
    "onboarding_limit": _limit,
    "user_limit": _limit,
    "tenant_limit": _limit,
    "concurrency_limit": lambda value: None if value is None else _at_least_one(value),
    "limit_retry_after": _flag,
    "kyc_polls": _integer,
    "wallet_types": _integers,
    "allowed_wallet_types": _integers,
    "own_wallets": _integers,
    "own_wallet_keys": _flag,
    "kyc_newest_first": _flag,
    "eclipse_prefix": _path_part,
    "csrf": _flag,
    "lists_attachments": _flag,
    "document_bytes": _at_least_one,
    "latency_ms": _positive,
    "clock_offset": _number,
    "switches": _switches,
    "seed": _integer,
}
