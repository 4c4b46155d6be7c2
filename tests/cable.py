"""A way to a PostgreSQL server over TCP that can be cut: then nothing comes through, and nobody is told."""

import socket
import socketserver
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.postgres import Server


class Cable:
    """Carries connections to a server's socket."""

    def __init__(self, server: Server) -> None:
        self._mute, self._deaf, self._ended = threading.Event(), threading.Event(), threading.Event()
        address, cable = str(server.folder / ".s.PGSQL.5432"), self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.socket(socket.AF_UNIX) as there:
                    there.connect(address)
                    cable._carry(self.request, there)
                    cable._ended.wait()

        self._listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ledger(self, url: str) -> str:
        """The ledger at `url`, reached this way."""
        port, schema = self._listener.server_address[1], url.partition("&options=")[2]
        return f"postgresql://postgres@127.0.0.1:{port}/postgres?options={schema}&sslmode=disable"

    def cut(self) -> None:
        """From now on nothing comes through on any connection, in either direction."""
        self._mute.set()
        self._deaf.set()

    def lose_answers(self) -> None:
        """From now on no answer comes through on the connections that there are; those to come work."""
        self._deaf.set()
        self._deaf = threading.Event()

    def close(self) -> None:
        """Ends it."""
        self.cut()
        self._ended.set()
        self._listener.shutdown()
        self._listener.server_close()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Both directions of a connection, each until it is cut."""
        for source, sink, cut in ((client, server, self._mute), (server, client, self._deaf)):
            threading.Thread(target=_one_way, args=(source, sink, cut), daemon=True).start()


def _one_way(source: socket.socket, sink: socket.socket, cut: threading.Event) -> None:
    with suppress(OSError):
        while (part := source.recv(65536)) and not cut.is_set():
            sink.sendall(part)
