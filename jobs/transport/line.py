"""A connection to a target that carries one request after the other: HTTP/1.1, by h11, over a `Wire`."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from typing import cast

import h11
import httpx

from jobs.transport.wire import CONNECT_SECONDS, Unasked, Wire, opened, secured

MAX_HEADER_BYTES = 64 * 1024

MOST_INTERIM = 20
"""Chosen: so many answers of the kind 1xx are let pass before the one that counts."""

BODILESS = frozenset({401, 403, 408, 411, 413, 415, 417, 429, 431})
"""Refusals that a target may rightly give before it has the whole request; so are those from 500 on."""

Headers = list[tuple[bytes, bytes]]


class Talk:
    """Request and answer, one pair after the other, on one connection. Raises httpx's errors."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    def written(self, method: str, target: bytes, headers: Headers, content: bytes = b"") -> bytes:
        """A request as bytes, head and body in one. Raises LocalProtocolError for what is no HTTP."""
        events = (h11.Request(method=method, target=target, headers=headers), h11.Data(content), h11.EndOfMessage())
        try:
            return b"".join(self._http.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError("no HTTP") from error

    async def head(self, wire: Wire) -> h11.Response:
        """The answer that counts, after those of the kind 1xx."""
        for _ in range(MOST_INTERIM):
            event = await self._event(wire)
            if isinstance(event, h11.Response):
                return event
        raise httpx.RemoteProtocolError("too many interim answers")

    async def body(self, wire: Wire) -> AsyncIterator[bytes]:
        """The rest of the answer."""
        while isinstance(event := await self._event(wire), h11.Data):
            yield bytes(event.data)

    def over(self) -> bool:
        """Whether the answer was read to its end, and not one byte is left behind it; then another pair may follow."""
        whole = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if whole and not self.left:
            self._http.start_next_cycle()
            return True
        return False

    @property
    def left(self) -> bytes:
        """What came behind the part of the answer that was read."""
        return self._http.trailing_data[0]

    async def _event(self, wire: Wire) -> h11.Event | type[h11.PAUSED]:
        try:
            while True:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return cast("h11.Event | type[h11.PAUSED]", event)
                self._http.receive_data(await wire.more())
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError("no HTTP") from error
        except OSError as error:
            raise httpx.ReadError("reset") from error


class Line(httpx.AsyncBaseTransport):
    """A connection for one request at a time, opened by the first. `free` when it may carry another one."""

    def __init__(self, context: ssl.SSLContext | None, proxy: httpx.Proxy | None = None) -> None:
        self.context, self.proxy = context, proxy
        self.free = False
        self.freed_at = 0.0
        """The loop's time of the last answer's end."""
        self._wire: Wire | None = None
        self._talk = Talk()

    async def open(self, url: httpx.URL) -> None:
        """Connects to where `url` leads. Raises httpx's ConnectError, ConnectTimeout and ProxyError."""
        self._wire = await connected(url, self.context, self.proxy)
        self.freed_at = asyncio.get_running_loop().time()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer; its body is in `stream`.

        Raises httpx's errors: ConnectError, ConnectTimeout and ProxyError when there is no connection,
        LocalProtocolError for what is no HTTP; and Unasked: nothing has left then.
        """
        self.free = False
        outgoing = self._written(request)
        if self._wire is None:
            await self.open(request.url)
        assert self._wire is not None
        whole = await self._wire.ask(outgoing)
        head = await self._talk.head(self._wire)
        if not whole and head.status_code not in BODILESS and head.status_code < 500:
            raise httpx.RemoteProtocolError("answered before the request had left")
        return httpx.Response(head.status_code, headers=list(head.headers.raw_items()), stream=_Body(self))

    async def aclose(self) -> None:
        """Closes the connection at once."""
        self.free = False
        if self._wire is not None:
            self._wire.close()

    def _written(self, request: httpx.Request) -> bytes:
        target, headers = request.url.raw_path, list(request.headers.raw)
        if self.proxy is not None and self.context is None:  # a proxy of plain http reads the request itself
            target, headers = str(request.url).encode("ascii"), [*headers, *authorised(self.proxy)]
        return self._talk.written(request.method, target, headers, request.content)

    async def body(self) -> AsyncIterator[bytes]:
        """The rest of the answer."""
        assert self._wire is not None
        async for part in self._talk.body(self._wire):
            yield part

    def end(self) -> None:
        """The answer was read, or given up: the connection is kept only when nothing is left of it."""
        assert self._wire is not None
        if self._talk.over() and self._wire.rest():
            self.free, self.freed_at = True, asyncio.get_running_loop().time()
        else:
            self._wire.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, line: Line) -> None:
        self.line = line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self.line.body():
            yield part

    async def aclose(self) -> None:
        self.line.end()


async def connected(url: httpx.URL, context: ssl.SSLContext | None, proxy: httpx.Proxy | None) -> Wire:
    """A new connection to where `url` leads. Raises httpx.ConnectError, ConnectTimeout and ProxyError."""
    if url.scheme != "http" and context is None:
        raise httpx.ConnectError("https without a way to verify it")
    port = url.port or (80 if context is None else 443)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if proxy is None:
                return await opened(url.host, port, context)
            wire = await opened(proxy.url.host, proxy.url.port or (443 if proxy.ssl_context else 80), proxy.ssl_context)
            if context is None:
                return wire
            await tunnelled(wire, url.host, port, proxy)
            return await secured(wire, url.host, context)
    except TimeoutError as error:
        raise httpx.ConnectTimeout("in time") from error
    except (OSError, UnicodeError) as error:  # a name may be none that DNS knows
        raise httpx.ConnectError("refused") from error


async def tunnelled(wire: Wire, host: str, port: int, proxy: httpx.Proxy) -> None:
    """Asks the proxy for a way to `host`. Raises ProxyError with its status, ConnectError when it says none."""
    place = f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()
    talk, open_ = Talk(), False
    try:
        await wire.ask(talk.written("CONNECT", place, [(b"Host", place), *authorised(proxy)]))
        status = (await talk.head(wire)).status_code
        if not 200 <= status < 300:
            raise httpx.ProxyError(str(status))
        open_ = not talk.left and wire.rest()  # what came behind the answer would be taken for the target's
    except (httpx.NetworkError, httpx.RemoteProtocolError, Unasked) as error:
        raise httpx.ConnectError("the proxy hung up") from error
    finally:
        if not open_:
            wire.close()
    if not open_:
        raise httpx.ConnectError("the proxy said more than it was asked")


def authorised(proxy: httpx.Proxy) -> Headers:
    """The header that tells the proxy who we are; none where it asks for nothing."""
    if proxy.raw_auth is None:
        return []
    return [(b"Proxy-Authorization", b"Basic " + base64.b64encode(b":".join(proxy.raw_auth)))]
