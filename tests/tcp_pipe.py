"""Carries connections to another address: `python -m tests.tcp_pipe HOST PORT TO`, TO being HOST:PORT or a socket.

For programs in network namespaces, which reach this machine's loopback only so.
"""

import asyncio
import sys
from contextlib import suppress

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """All bytes of one direction."""
    with suppress(OSError):
        while part := await source.read(65536):
            sink.write(part)
            await sink.drain()
    sink.close()


async def opened(target: str) -> Stream:
    """A connection to HOST:PORT, or to the socket of that path."""
    if target.startswith("/"):
        return await asyncio.open_unix_connection(target)
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def serve(host: str, port: int, target: str) -> None:
    """Listens for ever."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, there = await opened(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there), carry(back, writer))

    server = await asyncio.start_server(one, host, port)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
