"""Receives what a target tells by itself: one path, one method, proven, bounded, each once, into the ledger.

Nothing else is listened to and nothing is ever sent from here. What came is on the disk before it is acknowledged.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import signal
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import field
from typing import Any

import orjson
import uvicorn

from jobs.clock import Clock, milliseconds
from jobs.errors import Unusable
from jobs.ledger.notices import Kept, keep_notice
from jobs.ledger.store import Store
from jobs.run.wiring import system_of
from jobs.settings.secrets import secret
from jobs.settings.settings import Settings
from jobs.systems.json_reply import Unreadable
from jobs.systems.optional import NotAuthentic, Notified
from jobs.value import value

MOST_BYTES = 64 * 1024
"""Of one notification (chosen): an id and a state are some 100."""

BODY_SECONDS = 10.0
"""How long a notification may take to arrive (chosen)."""

MOST_CONNECTIONS = 50
"""At the same time (chosen); more are answered with 503."""

RECEIVED = 200
WORDS = {
    RECEIVED: "received",
    400: "it names no customer",
    401: "it is not proven",
    404: "there is nothing here",
    405: "POST alone",
    408: "it took too long",
    409: "it was received before",
    413: "it is too large",
}
"""What each answer says; nothing of it is about the secret."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


@value
class Receiver:
    """The ASGI application of one (system, tenant)."""

    system: Notified
    store: Store
    space_id: int
    secret: str = field(repr=False)
    path: str
    clock: Clock
    told: Callable[[int, str], None] = lambda _status, _customer: None
    """Hears of each answer, with the customer's id where one was received."""
    counts: Counter[int] = field(default_factory=Counter)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """One call, answered."""
        if scope["type"] != "http":
            return
        status, customer = await self.answered(scope, receive)
        self.counts[status] += 1
        self.told(status, customer)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps({"message": WORDS[status]})})

    async def answered(self, scope: Mapping[str, Any], receive: Receive) -> tuple[int, str]:
        """The status of the answer, and the customer's id of what was received."""
        if scope["path"] != self.path:
            return 404, ""
        if scope["method"] != "POST":
            return 405, ""
        try:
            body = await asyncio.wait_for(bounded(receive), BODY_SECONDS)
        except TimeoutError:
            return 408, ""
        if body is None:
            return 413, ""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        return await asyncio.to_thread(self.kept, headers, body)

    def kept(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Checks what came and puts it on the disk."""
        now = self.clock.now()
        try:
            notice = self.system.notice(headers, body, self.secret, now)
        except NotAuthentic:
            return 401, ""
        except Unreadable:
            return 400, ""
        kept = Kept(hashlib.sha256(notice.identity).hexdigest(), notice.customer_id, notice.state)
        fresh = keep_notice(self.store, self.space_id, kept, milliseconds(now))
        return (200, notice.customer_id) if fresh else (409, "")


async def bounded(receive: Receive) -> bytes | None:
    """The body; None when it is too large, or its sender went away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return body


class Server(uvicorn.Server):
    """Ends on SIGINT and SIGTERM without raising them again; calls under way are answered."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Hears the two signals while it serves, in the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)


def server(receiver: Receiver) -> Server:
    """A server for the application alone: no logs, no other protocol, few connections."""
    config = uvicorn.Config(
        receiver,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
        h11_max_incomplete_event_size=16 * 1024,
    )
    return Server(config)


def receiver_of(settings: Settings, store: Store, path: str, clock: Clock) -> Receiver:
    """The receiver of the configured system. Raises Unusable where nothing can be received, or no secret is given."""
    system = system_of(settings, reading=True)
    if not isinstance(system, Notified):
        raise Unusable(f"{system.capabilities.title} tells nothing by itself that is documented")
    given = secret("webhook_secret")
    if not given:
        hint = "set MUSTER_WEBHOOK_SECRET or MUSTER_WEBHOOK_SECRET_FILE"
        raise Unusable("there is no secret to prove notifications with", hint=hint)
    with contextlib.suppress(NotAuthentic, Unreadable):
        system.notice({}, b"", given, clock.now())  # raises Unusable when the settings say no form
    if not path.startswith("/"):
        raise Unusable("--path begins with /")
    space_id = store.space(settings.job_name.ledger_system, settings.need("tenant"))
    return Receiver(system, store, space_id, given, path, clock)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises Unusable."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
    except ValueError:
        raise Unusable(f"--host: {host[:60]!r} is no IP address", hint="--host 127.0.0.1") from None
    except OSError as error:
        raise Unusable(f"port {port} can't be used: {error.strerror}", hint="--port 0 takes a free one") from error
