"""A proxy that loses, delays and cuts what it carries, the same way for the same seed."""

import random
import socket
import socketserver
import threading
import time
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

FAULTS = ("reset before", "close before", "reset after", "close after", "half reply", "trickle", "delay", "refuse")
"""Before or after: whether the target has the request by then."""

REFUSING_SECONDS = 0.3
TRICKLING_BYTES = 40
"""How many bytes of a reply trickle, one every 20 ms; then the rest follows."""


class FaultyProxy:
    """Carries HTTP/1.1 to `target`, one request at a time on a connection; one in `every` meets a fault (None: none).

    `met` counts the faults that happened. `url` is where it listens.
    """

    def __init__(self, target: str, seed: int, every: int | None = 5) -> None:
        parts = urlsplit(target)
        self.address = (parts.hostname or "", parts.port or 0)
        self.dice, self.every = random.Random(seed), every
        self.met: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._refusing_until = 0.0
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    proxy.carry(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def carry(self, client: socket.socket) -> None:
        """One connection of the client's, with a connection of its own to the target."""
        if time.monotonic() < self._refusing_until:
            return abort(client)
        with socket.create_connection(self.address) as target:
            while request := message(client):
                fault = self._fault()
                if fault in {"reset before", "close before", "refuse"}:
                    return None if fault == "close before" else abort(client)
                if fault == "delay":
                    time.sleep(0.5)
                target.sendall(request)
                reply = message(target)
                if not self._answered(client, reply, fault):
                    return None
        return None

    def _answered(self, client: socket.socket, reply: bytes, fault: str | None) -> bool:
        """Gives the reply back as `fault` has it; whether the connection goes on."""
        if fault == "reset after":
            abort(client)
        elif fault == "half reply":
            client.sendall(reply[: len(reply) // 2])
        elif fault == "trickle":
            for place in range(TRICKLING_BYTES):
                client.sendall(reply[place : place + 1])
                time.sleep(0.02)
            client.sendall(reply[TRICKLING_BYTES:])
        elif fault != "close after":
            client.sendall(reply)
        return fault in {None, "trickle", "delay"}

    def _fault(self) -> str | None:
        with self._lock:
            if self.every is None or self.dice.randrange(self.every):
                return None
            fault = self.dice.choice(FAULTS)
            self.met[fault] += 1
            if fault == "refuse":
                self._refusing_until = time.monotonic() + REFUSING_SECONDS
            return fault


def abort(connection: socket.socket) -> None:
    """Ends a connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def message(source: socket.socket) -> bytes:
    """One message with a head and, where the head tells its length, a body; empty at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = source.recv(65536)
        if not part:
            return b""
        received += part
    head = received.split(b"\r\n\r\n")[0]
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(received) < len(head) + 4 + length:
        part = source.recv(65536)
        if not part:
            return b""
        received += part
    return received
