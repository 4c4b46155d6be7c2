"""What goes to a target and comes back: requests, replies, tokens. No meaning, no sending."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from jobs.value import value

T = TypeVar("T")

MOST_BYTES = 5 * 1024 * 1024
"""Chosen: a page of customers is under 100 kB; a compressed bomb of 200 kB unpacked to 200 MB (measured)."""


class CallClass(StrEnum):
    """Classes of call; each has windows of its own in the limiter."""

    WRITE = "write"
    READ = "read"
    DOWNLOAD = "download"
    """Documents, where a system limits them apart from other reads."""
    LOGIN = "login"


@value
class Request:
    """One call, bytes in. `path` is absolute below the base URL and already percent-encoded."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    call_class: CallClass = CallClass.READ
    deadline_seconds: float = 30.0
    """Total time for the whole exchange, from connecting to the last byte (chosen; ratify has 90)."""
    headers: tuple[tuple[str, str], ...] = ()
    """Beside those of every call; `content-type` here replaces `application/json`."""
    base_url: str | None = None
    """Another address than the system's own (a token service); None: the system's own."""
    most_bytes: int = MOST_BYTES
    """The largest answer that is read, packed and unpacked; of a larger one nothing is believed."""
    anonymous: bool = False
    """Sent without our credential, so that a 401 says nothing of it."""
    described: bytes | None = None
    """What the ledger keeps a digest of, where the body holds a secret; None: the body itself."""
    key: str | None = None
    """The idempotency key that the body carries, as it was sent; None: a write without one, or a read."""


@value
class Reply:
    """One answer, bytes out. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    _made: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def once(self, read: Callable[["Reply"], T]) -> T:
        """What `read`, a pure function, makes of this reply: it is asked once, however many want to know.

        Raises what `read` raised, each time.
        """
        if read not in self._made:
            try:
                self._made[read] = read(self), None
            except Exception as error:
                self._made[read] = None, error
        made, failed = self._made[read]
        if failed is not None:
            raise failed.with_traceback(None)
        return made  # type: ignore[no-any-return]


@value
class Trace:
    """What a support case needs of the last reply: status, the vendor's code and its trace id."""

    http_status: int | None = None
    error_code: str | None = None
    trace_id: str | None = None


class Reader(Protocol):
    """Sends reads. Retries what is safe to repeat; raises `ReadFailed` when no usable answer came."""

    async def read(self, request: Request) -> Reply:
        """The reply, of whatever status but 401, 429 and 5xx, which are dealt with below."""
        ...


class ReadFailed(Exception):
    """A read got no usable answer after all its attempts; what it would have shown is unknown."""

    def __init__(self, reason: str, trace: Trace | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trace = trace or Trace()


@value
class Token:
    """A credential in use: one header, and for how long it holds."""

    header_name: str
    header_value: str
    life_seconds: float
    """Remaining life when it was received, measured with the server's own clock where it gave one."""
    tenant: str | None
    positions: frozenset[str] = frozenset()
    renewal: Mapping[str, str] = field(default_factory=dict)
    """Headers that a renewal must bring along (CSRF)."""
    successor: str | None = field(default=None, repr=False)
    """What takes the place of the secret that was exchanged for it (a rotated refresh token); None: it stays."""

    @classmethod
    def bearer(
        cls, token: str, life_seconds: float = inf, tenant: str | None = None, *, successor: str | None = None
    ) -> Self:
        """`token` behind the word Bearer, which may stand there already; by default it is not known to end."""
        value = token if token.lower().startswith("bearer ") else f"Bearer {token}"
        return cls("Authorization", value, life_seconds, tenant, successor=successor)

    def __repr__(self) -> str:
        return f"Token(header_name={self.header_name!r}, life_seconds={self.life_seconds:.0f})"


@value
class Certificate:
    """What connections are secured with: PEM files, the key without a pass phrase."""

    chain: Path | None = None
    """Our own side of mutual TLS; None: we show nothing."""
    key: Path | None = None
    authorities: tuple[Path, ...] = ()
    """The roots that the target is verified with; empty: the usual ones."""
