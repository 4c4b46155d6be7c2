"""A TCP server on the loopback interface that does with each connection what a test says, and keeps the bytes."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Play = Callable[["Connection"], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Connection:
    """One accepted connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[bytes]

    async def hear(self) -> bytes:
        """One whole request (head and body by content-length); empty when the client went away."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await self.reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        self.heard.append(head + body)
        return head + body

    async def say(self, *parts: bytes, pause: float = 0) -> None:
        """Writes `parts`, with `pause` seconds after each."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(pause)

    def reset(self) -> None:
        """The connection ends with RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass
class RawServer:
    """A server that listens."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"


def answering(*answers: bytes) -> Play:
    """Answers the requests of one connection with these bytes, one after the other, and again from the first."""

    async def play(connection: Connection) -> None:
        number = 0
        while await connection.hear():
            await connection.say(answers[number % len(answers)])
            number += 1

    return play


@asynccontextmanager
async def served(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """The server for a block; `play` is run for each connection, which is closed after it."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await play(Connection(reader, writer, running.heard))
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    running = RawServer(listening.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
