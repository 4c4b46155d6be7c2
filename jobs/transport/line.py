"""A connection to a target that carries one request after the other, over a `Wire`: directly, or through a proxy."""

import asyncio
import base64
import os
import socket
import ssl
from typing import Self
from urllib.parse import urlsplit

from jobs.transport.address import PORTS
from jobs.transport.answer import Answer, Unreadable
from jobs.transport.deadlines import Deadlines
from jobs.transport.proxy import Proxy
from jobs.transport.wire import CONNECT_SECONDS, Unasked, Wire, opened, secured
from jobs.transport.written import written
from jobs.value import value

BODILESS = frozenset({401, 403, 408, 411, 413, 415, 417, 429, 431})
"""Refusals that a target may rightly give before it has the whole request; so are those from 500 on."""


class NoWay(Exception):
    """There is no connection, so that nothing has left. Says why in the system's words; an error's own may quote."""


@value
class Place:
    """Where connections lead: those of one place may carry each other's requests."""

    scheme: str
    host: str
    port: int
    shown: str
    """Host and port as the header `host` has them."""

    @classmethod
    def of(cls, url: str) -> Self:
        """The place of a sound base URL."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], parts.netloc)


@value
class Way:
    """How a place is reached: with TLS where there is a `context`, through `proxy`, which may want TLS of its own."""

    place: Place
    context: ssl.SSLContext | None
    proxy: Proxy | None = None
    proxy_context: ssl.SSLContext | None = None

    @property
    def root(self) -> str:
        """The place as a URL, which a target behind it begins with a slash."""
        return f"{self.place.scheme}://{self.place.shown}"

    @property
    def told(self) -> bool:
        """Whether the proxy reads each request itself, as with plain http, and so is told the whole URL."""
        return self.proxy is not None and self.context is None

    @property
    def authorised(self) -> dict[str, str]:
        """The header that tells the proxy who we are; none where it asks for nothing."""
        if self.proxy is None or self.proxy.credentials is None:
            return {}
        return {"proxy-authorization": "Basic " + base64.b64encode(":".join(self.proxy.credentials).encode()).decode()}


class Line:
    """A connection for one request at a time, opened by the first. `free` when it may carry another one."""

    def __init__(self, way: Way, deadlines: Deadlines) -> None:
        self.way, self.deadlines = way, deadlines
        self.free = False
        self.freed_at = 0.0
        """The loop's time of the last answer's end."""
        self._wire: Wire | None = None

    async def open(self) -> None:
        """Connects. Raises NoWay."""
        self._wire = await connected(self.way)
        self.freed_at = asyncio.get_running_loop().time()

    async def ask(self, request: bytes, answer: Answer, seconds: float) -> None:
        """Sends `request` and reads `answer` to its end, which takes `seconds` at most, with the connecting.

        Raises NoWay, and Unasked: nothing has left then; and TimeoutError, OSError and Unreadable, when it may have.
        """
        self.free, loop = False, asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._wire is None:
            async with asyncio.timeout_at(due):
                await self.open()
        wire = self._wire
        assert wire is not None
        self.deadlines.hold(wire, due)
        try:
            whole = await wire.ask(request)
            while not answer.done:
                said = await wire.more()
                if said:
                    answer.take(said)
                else:
                    answer.end()
        finally:
            self.deadlines.let_go(wire)
        assert answer.status is not None
        if not whole and answer.status not in BODILESS and answer.status < 500:
            raise ConnectionError("answered before the request had left")
        if answer.keeps and not answer.left and wire.rest():
            self.free, self.freed_at = True, loop.time()

    def close(self) -> None:
        """Closes the connection at once."""
        self.free = False
        if self._wire is not None:
            self._wire.close()


async def connected(way: Way) -> Wire:
    """A new connection along `way`. Raises NoWay."""
    place, proxy = way.place, way.proxy
    if place.scheme != "http" and way.context is None:
        raise NoWay("https without a way to verify it")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if proxy is None:
                return await opened(place.host, place.port, way.context)
            parts = Place.of(proxy.url)
            wire = await opened(parts.host, parts.port, way.proxy_context)
            if way.context is None:
                return wire
            await tunnelled(wire, way)
            return await secured(wire, place.host, way.context)
    except TimeoutError:
        raise NoWay(f"no connection within {CONNECT_SECONDS:.0f} s") from None
    except (OSError, UnicodeError) as error:  # a name may be none that DNS knows
        raise NoWay(f"no connection ({cause(error)})") from None


def cause(error: BaseException) -> str:
    """Why there is no connection, in words that quote nothing of a request."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"TLS: {error.verify_message.rstrip('.')}"
        case ssl.SSLError():
            return f"TLS: {(getattr(error, 'reason', None) or 'failed').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "the name of the host is not known"
        case OSError(errno=number) if number is not None:
            return os.strerror(number).lower()
    return type(error).__name__


async def tunnelled(wire: Wire, way: Way) -> None:
    """Asks the proxy for a way to the place. Raises NoWay with its status, or when it makes none."""
    host, port, answer, open_ = way.place.host, way.place.port, Answer(head_only=True), False
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        await wire.ask(written("CONNECT", place, {"host": place, **way.authorised}, None))
        while not answer.done:
            said = await wire.more()
            if not said:
                raise NoWay("no connection (the proxy hung up)")
            answer.take(said)
        assert answer.status is not None
        if not 200 <= answer.status < 300:
            raise NoWay(f"the proxy made no connection ({answer.status})")
        open_ = not answer.left and wire.rest()  # what came behind the answer would be taken for the target's
    except (OSError, Unreadable, Unasked):
        raise NoWay("no connection (the proxy hung up)") from None
    finally:
        if not open_:
            wire.close()
    if not open_:
        raise NoWay("no connection (the proxy said more than it was asked)")
