"""A stand-in of the made-up system of docs/systems.md: people with a unique key, in memory, behind a socket."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Acme(BaseHTTPRequestHandler):
    """POST /people with Idempotency-Key and a token; GET /people?key=."""

    protocol_version = "HTTP/1.1"
    people: dict[str, dict[str, str]]
    arrived: list[dict[str, Any]]

    def do_GET(self) -> None:
        """Whoever has the key."""
        key = parse_qs(urlsplit(self.path).query)["key"][0]
        self.answer("find_people", 200, [self.people[key]] if key in self.people else [])

    def do_POST(self) -> None:
        """Makes a person, unless the key is taken."""
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers["idempotency-key"]
        if key in self.people:
            return self.answer("create_person", 409, {})
        self.people[key] = {"id": f"P{len(self.people) + 1}", "email": sent["email"]}
        return self.answer("create_person", 201, self.people[key])

    def answer(self, operation: str, status: int, body: object) -> None:
        """Puts the call down and answers it; without the token 401."""
        status = status if self.headers["authorization"] == "Bearer acme-token" else 401
        told = {"operation": operation, "method": self.command, "status": status, "monotonic": time.monotonic()}
        self.arrived.append(told)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the library
        """Says nothing."""


class Served:
    """The stand-in as a target of the battery."""

    def __init__(self, address: str, people: dict[str, dict[str, str]], arrived: list[dict[str, Any]]) -> None:
        self.base_url, self.people, self.arrived = address, people, arrived

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """What arrived."""
        return self.arrived[after:]

    def snapshot(self) -> dict[str, Any]:
        """Customers and doubles."""
        emails = {person["email"] for person in self.people.values()}
        return {"counts": {"customers": len(self.people), "doubles": len(self.people) - len(emails)}}

    def plant(self, **record: Any) -> object:
        """Nothing need be there."""
        raise NotImplementedError

    def amend(self, kind: str, name: str, **changes: Any) -> None:
        """Changes the person with this id."""
        next(each for each in self.people.values() if each["id"] == name).update(changes)


@contextmanager
def served() -> Iterator[Served]:
    """Acme on a free port."""
    people: dict[str, dict[str, str]] = {}
    arrived: list[dict[str, Any]] = []
    kind = type("Acme", (Acme,), {"people": people, "arrived": arrived})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(f"http://127.0.0.1:{server.server_port}", people, arrived)
        server.shutdown()
        thread.join()
