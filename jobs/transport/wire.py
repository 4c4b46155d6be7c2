"""The bytes of one connection: read all the time, and ended by whatever arrives unasked.

An answer that is delivered twice must never become the answer to the next request. Libraries keep a connection whose
buffers hold bytes, and wait with reading until somebody asks.
"""

import asyncio
import select
import socket
import ssl
from collections import Counter, deque
from typing import Any, cast

CONNECT_SECONDS = 10.0
HEAD_START_SECONDS = 0.25
"""Before the next address of a host is tried beside one that does not answer (RFC 8305's value)."""

READ_AHEAD_BYTES = 256 * 1024
"""Chosen: more than that is left to the system until it is asked for, so that no answer fills the memory."""

SLICE_BYTES = 64 * 1024
"""Chosen: larger requests leave in several pieces, because TLS takes any piece whole and says so late."""


class Unasked(Exception):
    """The connection ended, or bytes arrived on it, before a request; nothing of the request has left."""


class Wire(asyncio.Protocol):
    """The bytes of one connection, after TLS where there is TLS. `open` for as long as a request may be sent on it."""

    transport: asyncio.Transport
    _shaking: bool

    def __init__(self) -> None:
        self.open, self.asked, self.stuck = True, False, False
        self.lost: Exception | None = None
        self._ended = self._paused = self._expired = False
        self._arrived: deque[bytes] = deque()
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._kernel = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol; nothing is kept back, so that what is written has left unless `stuck`."""
        self.transport = cast("asyncio.Transport", transport)
        self._shaking = transport.get_extra_info("ssl_object") is not None
        self.transport.set_write_buffer_limits(int(self._shaking))  # with 0 TLS would always be stuck
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

    def expire(self) -> None:
        """Nobody waits for it any longer: whoever does gets TimeoutError, and it carries no other request."""
        self.open, self._ended, self._expired = False, True, True
        self._wake()

    def close(self) -> None:
        """At once, whatever is under way."""
        self.open = False
        self.transport.abort()

    async def ask(self, request: bytes) -> bool:
        """Sends the request, and tells whether all of it left before the target said anything.

        Raises Unasked before the first byte. What waits in the system counts too, but not before the first request
        under TLS, where that is the end of the handshake (session tickets).
        """
        if not self.open or (not self._shaking and self._kernel.poll(0)):
            self.close()
            raise Unasked
        self.asked, self._shaking = True, False
        for begin in range(0, len(request), SLICE_BYTES):
            self.transport.write(request[begin : begin + SLICE_BYTES])
            while self.stuck and not self._arrived and not self._ended:
                await self._change()
            if self.stuck:
                return False
        return True

    async def more(self) -> bytes:
        """What has arrived, at least one byte; empty at the end. Raises OSError, TimeoutError once it is expired."""
        arrived = self._arrived
        while not arrived and not self._ended:
            await self._change()
        if not arrived and self._expired:
            raise TimeoutError
        if not arrived and self.lost is not None:
            raise ConnectionResetError from self.lost
        found = arrived[0] if len(arrived) == 1 else b"".join(arrived)
        arrived.clear()
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

    def _change(self) -> asyncio.Future[None]:
        """Done when something happened; to be awaited at once."""
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def opened(host: str, port: int, context: ssl.SSLContext | None) -> Wire:
    """A new connection, with TLS where there is a `context`. Raises OSError, and UnicodeError for what is no name."""
    raw = await dialled(host, port)
    try:
        name = None if context is None else host
        _, wire = await asyncio.get_running_loop().create_connection(Wire, sock=raw, ssl=context, server_hostname=name)
    except BaseException:
        raw.close()
        raise
    return wire


async def secured(wire: Wire, host: str, context: ssl.SSLContext) -> Wire:
    """TLS with `host` inside a connection that is there. Raises OSError."""
    inner, loop = Wire(), asyncio.get_running_loop()
    try:
        transport = await loop.start_tls(wire.transport, inner, context, server_hostname=host)
    except BaseException:
        wire.close()
        raise
    assert transport is not None
    inner.connection_made(transport)
    return inner


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
