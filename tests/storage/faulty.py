"""What stands between muster and the server, and does with chosen requests what a test says."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


@dataclass
class Fault:
    """`what` the `nth` request whose line begins with `method` and has `part` meets.

    A status: it is answered so, and goes no further. `lost`: it is done, and not answered. `kill`: it is done, and then
    the process `pid` is killed.
    """

    method: str
    part: str
    what: int | str
    nth: int = 1
    always: bool = False
    pid: int = 0
    met: int = 0

    def meets(self, line: str) -> bool:
        """Whether this request is the one."""
        if not line.startswith(f"{self.method} ") or self.part not in line:
            return False
        self.met += 1
        return self.met == self.nth or (self.always and self.met > self.nth)


@dataclass
class Faulty:
    """`url` leads to the server behind it; `lines`: the first line of each request."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@contextmanager
def standing_before(server: str) -> Iterator[Faulty]:
    """The address of something that stands before `server`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            line = f"{self.command} {self.path}"
            found.lines.append(line)
            fault = next((each for each in found.faults if each.meets(line)), None)
            if fault is not None and isinstance(fault.what, int):
                return self.answer(fault.what, {}, b"<Error><Code>AccessDenied</Code></Error>")
            connection = http.client.HTTPConnection(urlsplit(server).netloc)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            connection.close()
            if fault is not None:
                if fault.what == "kill":
                    os.kill(fault.pid, signal.SIGKILL)
                self.close_connection = True
                return None
            return self.answer(reply.status, dict(reply.getheaders()), content)

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                    self.send_header(name, value)
            length = headers.get("Content-Length", headers.get("content-length", "0"))
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = forward  # noqa: N815 - the names that the library asks for

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Says nothing of clients that were killed."""

    listening = Quiet(("127.0.0.1", 0), Handler)
    found = Faulty(f"http://127.0.0.1:{listening.server_port}")
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
