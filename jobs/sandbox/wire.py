"""Puts a reply on the wire, also in the ways in which networks and servers break.

Dropping a connection needs the transport, which `server` puts into the ASGI scope. Without a server (an in-process
client) a drop is a `ConnectionResetError` out of the application.
"""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope, Send

from jobs.sandbox.reply import SILENT, Delivery, Reply

TRANSPORT = "sandbox.transport"
"""Key of the scope under which the server puts the connection's transport."""

PIECE = 64 * 1024


async def deliver(reply: Reply, date: str, scope: Scope, receive: Receive, send: Send) -> str:
    """Sends `reply`; how much was handed to an open socket: `full`, `part` or `none`."""
    transport: asyncio.Transport | None = scope.get(TRANSPORT)
    if reply.delivery in SILENT:
        await _hang_up(transport, receive, reset=reply.delivery is Delivery.RESET)
        return "none"
    if _closed(transport):
        return "none"
    await send(_head(reply, date))
    if reply.delivery is Delivery.HALF:
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        await _hang_up(transport, receive)
        return "part"
    whole = await _send_body(reply, send, transport)
    if reply.delivery is Delivery.CLOSE and transport is not None:
        transport.close()
    return "full" if whole else "part"


def _head(reply: Reply, date: str) -> dict[str, object]:
    headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in reply.headers]
    headers.append((b"date", date.encode()))
    if reply.status not in (204, 304):
        headers.append((b"content-length", str(len(reply.body) + reply.padding).encode()))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _send_body(reply: Reply, send: Send, transport: asyncio.Transport | None) -> bool:
    """Sends the body at its pace, then the padding; False when the client went away on the way."""
    if reply.delivery is Delivery.SLOW:
        for byte in reply.body:
            await asyncio.sleep(1 / reply.pace)
            if _closed(transport):
                return False
            await send({"type": "http.response.body", "body": bytes((byte,)), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return True
    left = reply.padding
    await send({"type": "http.response.body", "body": reply.body, "more_body": left > 0})
    while left > 0:
        if _closed(transport):
            return False
        piece = min(left, PIECE)
        left -= piece
        await send({"type": "http.response.body", "body": b" " * piece, "more_body": left > 0})
    return True


def _closed(transport: asyncio.Transport | None) -> bool:
    return transport is not None and transport.is_closing()


async def _hang_up(transport: asyncio.Transport | None, receive: Receive, *, reset: bool = False) -> None:
    if transport is None:
        raise ConnectionResetError("the sandbox dropped the connection")
    if reset:
        _linger_zero(transport)
        transport.abort()
    else:
        transport.close()
    # Returning before the server has noticed would make it answer 500 on its own.
    while (await receive())["type"] != "http.disconnect":
        pass


def _linger_zero(transport: asyncio.Transport) -> None:
    """Makes the close a TCP reset instead of an orderly end."""
    connection = transport.get_extra_info("socket")
    twin = socket.socket(fileno=socket.dup(connection.fileno()))
    with twin:
        twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
