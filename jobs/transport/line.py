"""One connection to a target: a request leaves in one piece, and whatever arrives unasked ends the connection.

An answer that is delivered twice must never become the answer to the next request. So a connection is read all the
time, also while it is idle, and httpx's own transport is not used: it keeps a connection whose buffers hold bytes.
"""

import asyncio
import select
import socket
import ssl
from collections import Counter, deque
from collections.abc import AsyncIterator
from typing import Any, cast

import h11
import httpx

CONNECT_SECONDS = 10.0
HEAD_START_SECONDS = 0.25
"""Before the next address of a host is tried beside one that does not answer (RFC 8305's value)."""

MAX_HEADER_BYTES = 64 * 1024

READ_AHEAD_BYTES = 256 * 1024
"""Chosen: more than that is left to the system until it is asked for, so that no answer fills the memory."""

SLICE_BYTES = 64 * 1024
"""Chosen: larger requests leave in several pieces, because TLS takes any piece whole and says so late."""

MOST_INTERIM = 20
"""Chosen: so many answers of the kind 1xx are let pass before the one that counts."""

BODILESS = frozenset({401, 403, 408, 411, 413, 415, 417, 429, 431})
"""Refusals that a target may rightly give before it has the whole request; so are those from 500 on."""


class Unasked(Exception):
    """The connection ended, or bytes arrived on it, before a request; nothing of the request has left."""


class Wire(asyncio.Protocol):
    """The bytes of one connection, after TLS where there is TLS. `open` for as long as a request may be sent on it."""

    transport: asyncio.Transport
    secured: bool

    def __init__(self) -> None:
        self.open, self.asked, self.stuck = True, False, False
        self.lost: Exception | None = None
        self._ended = self._paused = False
        self._arrived: deque[bytes] = deque()
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._kernel = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol; nothing is kept back, so that what is written has left unless `stuck`."""
        self.transport = cast("asyncio.Transport", transport)
        self.secured = transport.get_extra_info("ssl_object") is not None
        self.transport.set_write_buffer_limits(int(self.secured))  # with 0 TLS would always be stuck
        self._kernel.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Keeps what an asked one says; what nobody asked for ends the connection."""
        if not self.asked:
            self.close()
            return
        self._arrived.append(bytes(data))
        self._held += len(data)
        if self._held > READ_AHEAD_BYTES and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The target says no more; the transport closes itself."""
        self.open, self._ended = False, True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever caused it."""
        self.open, self._ended, self.lost = False, True, exc
        self._wake()

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self.stuck = True

    def resume_writing(self) -> None:
        """All has left."""
        self.stuck = False
        self._wake()

    def close(self) -> None:
        """At once, whatever is under way."""
        self.open = False
        self.transport.abort()

    async def ask(self, request: bytes, *, fresh: bool) -> bool:
        """Sends the request, and tells whether all of it left before the target said anything.

        Raises Unasked before the first byte. What waits in the system counts too, but not on a `fresh` connection with
        TLS, where that is the end of the handshake (session tickets).
        """
        if not self.open or (not (fresh and self.secured) and self._kernel.poll(0)):
            self.close()
            raise Unasked
        self.asked = True
        for begin in range(0, len(request), SLICE_BYTES):
            self.transport.write(request[begin : begin + SLICE_BYTES])
            while self.stuck and not self._arrived and not self._ended:
                await self._change()
            if self.stuck:
                return False
        return True

    async def more(self) -> bytes:
        """What has arrived, at least one byte; empty at the end. Raises httpx.ReadError."""
        while not self._arrived and not self._ended:
            await self._change()
        if not self._arrived and self.lost is not None:
            raise httpx.ReadError("reset") from self.lost
        found = b"".join(self._arrived)
        self._arrived.clear()
        self._held = 0
        if self._paused and self.open:
            self._paused = False
            self.transport.resume_reading()
        return found

    def rest(self) -> bool:
        """Nobody asks any more; whether the connection can be used again."""
        if not self.open or self.stuck or self._arrived:
            self.close()
        self.asked = False
        return self.open

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Line(httpx.AsyncBaseTransport):
    """A connection for one request at a time, opened by the first. `free` when it may carry another one."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.context = context
        self.free = False
        self.freed_at = 0.0
        """The loop's time of the last answer's end."""
        self._wire: Wire | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer; its body is in `stream`. Raises httpx's errors: ConnectError and ConnectTimeout when
        there is no connection, and Unasked, when nothing has left; LocalProtocolError for what is no HTTP."""
        used, self.free = self._wire is not None, False
        outgoing = self._written(request)
        if self._wire is None:
            self._wire = await connected(request.url.host, request.url.port, self.context)
        whole = await self._wire.ask(outgoing, fresh=not used)
        head = await self._head(self._wire)
        if not whole and head.status_code not in BODILESS and head.status_code < 500:
            raise httpx.RemoteProtocolError("answered before the request had left")
        return httpx.Response(head.status_code, headers=list(head.headers.raw_items()), stream=_Body(self))

    async def aclose(self) -> None:
        """Closes the connection at once."""
        self.free = False
        if self._wire is not None:
            self._wire.close()

    def _written(self, request: httpx.Request) -> bytes:
        """The request as bytes, head and body in one."""
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        try:
            parts = [
                self._http.send(head),
                self._http.send(h11.Data(request.content)),
                self._http.send(h11.EndOfMessage()),
            ]
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError("no HTTP") from error
        return b"".join(part for part in parts if part)

    async def _head(self, wire: Wire) -> h11.Response:
        """The answer that counts, after those of the kind 1xx."""
        for _ in range(MOST_INTERIM):
            event = await self._event(wire)
            if isinstance(event, h11.Response):
                return event
        raise httpx.RemoteProtocolError("too many interim answers")

    async def _event(self, wire: Wire) -> h11.Event | type[h11.PAUSED]:
        try:
            while True:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return cast("h11.Event | type[h11.PAUSED]", event)
                self._http.receive_data(await wire.more())
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError("no HTTP") from error

    async def body(self) -> AsyncIterator[bytes]:
        """The rest of the answer. Raises httpx.ReadError, httpx.RemoteProtocolError."""
        assert self._wire is not None
        while isinstance(event := await self._event(self._wire), h11.Data):
            yield bytes(event.data)

    def end(self) -> None:
        """The answer was read, or given up: the connection is kept only when not one byte is left of it."""
        whole = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        left, _ = self._http.trailing_data
        if self._wire is None:
            return
        if whole and not left and self._wire.rest():
            self._http.start_next_cycle()
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


async def connected(host: str, port: int | None, context: ssl.SSLContext | None) -> Wire:
    """A new connection. Raises httpx.ConnectError, httpx.ConnectTimeout."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            raw = await dialled(host, port or (80 if context is None else 443))
            try:
                name = None if context is None else host
                _, wire = await loop.create_connection(Wire, sock=raw, ssl=context, server_hostname=name)
            except BaseException:
                raw.close()
                raise
    except TimeoutError as error:
        raise httpx.ConnectTimeout("in time") from error
    except (OSError, UnicodeError) as error:  # a name may be none that DNS knows
        raise httpx.ConnectError("refused") from error
    return wire


async def dialled(host: str, port: int) -> socket.socket:
    """A connected socket: the host's addresses are tried in turn, by family, and the first that answers counts.

    Raises OSError, the last one.
    """
    waiting = deque(await addresses(host, port))
    trying: set[asyncio.Task[socket.socket]] = set()
    error: BaseException | None = None
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.create_task(_dial(*waiting.popleft())))
            head_start = HEAD_START_SECONDS if waiting else None
            done, _ = await asyncio.wait(trying, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                trying.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
        raise error or OSError("the name has no address")
    finally:
        for task in trying:
            if not task.cancel() and task.exception() is None:
                task.result().close()


async def addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Family and address of each that `host` has; the first of each family before the second of any. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)  # asks nobody
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    seen: Counter[int] = Counter()
    ranked = []
    for family, _, _, _, address in found:
        ranked.append((seen[family], family, address))
        seen[family] += 1
    return [(family, address) for _, family, address in sorted(ranked, key=lambda each: each[0])]


async def _dial(family: int, address: Any) -> socket.socket:
    raw = socket.socket(family, socket.SOCK_STREAM)
    try:
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(raw, address)
    except BaseException:
        raw.close()
        raise
    return raw
