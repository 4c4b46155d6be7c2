"""An HTTP proxy as companies have them: it tunnels (CONNECT), forwards (absolute addresses), may want a password."""

import base64
import socket
import socketserver
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Forwarder:
    """Listens at `url`. `asked` holds the first line of every request, `carried` all bytes that clients sent.

    `password`: what `user` has to show, else 407; None: nobody is asked.
    """

    def __init__(self, password: str | None = None) -> None:
        self.asked: list[str] = []
        self.carried = b""
        wanted = None if password is None else b"basic " + base64.b64encode(f"user:{password}".encode())
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    proxy.serve(self.request, wanted)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, client: socket.socket, wanted: bytes | None) -> None:
        """One connection of a client."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := client.recv(65536)):
                return
            head += part
        method, address, _ = (line := head.split(b"\r\n")[0].decode()).split(" ")
        self.asked.append(line)
        shown = next((each for each in head.split(b"\r\n") if each.lower().startswith(b"proxy-authorization:")), b"")
        if wanted is not None and shown.partition(b": ")[2].lower() != wanted.lower():
            client.sendall(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        parts = urlsplit(address if "//" in address else f"//{address}")
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as target:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                self.carried += head
                target.sendall(head)
            back = threading.Thread(target=carry, args=(target, client), daemon=True)
            back.start()
            while part := client.recv(65536):
                self.carried += part
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
            back.join(5)


def carry(source: socket.socket, sink: socket.socket) -> None:
    """All bytes of one direction."""
    with suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
