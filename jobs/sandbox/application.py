"""The ASGI application: one exchange from arrival to the last byte. Knows no vendor's rules.

arrival -> body -> who and what -> faults before -> answer and commit, one step -> faults after -> wire
"""

import asyncio
import hashlib
import ipaddress
import logging
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.types import Receive, Scope, Send

from jobs.sandbox import control, effects
from jobs.sandbox.azakaw.system import Azakaw
from jobs.sandbox.banklingo.system import BankLingo
from jobs.sandbox.bench import Bench
from jobs.sandbox.blink.system import Blink
from jobs.sandbox.call import Call
from jobs.sandbox.clock import http_date
from jobs.sandbox.eclipse.system import Eclipse
from jobs.sandbox.omnumi.system import Omnumi
from jobs.sandbox.reply import SILENT, Delivery, Reply, empty_reply
from jobs.sandbox.settings import Settings
from jobs.sandbox.system import Dialect, System
from jobs.sandbox.wire import deliver

log = logging.getLogger(__name__)

DIALECTS: tuple[type[Dialect], ...] = (Omnumi, Azakaw, Blink, BankLingo)
"""The systems beside Eclipse, each one file; a new one is one entry here."""


class Application:
    """All systems on one port, each below its prefix; the control paths below `/__sandbox/`."""

    def __init__(self, settings: Settings) -> None:
        self.bench = Bench(settings)
        self.eclipse = Eclipse(self.bench)
        self.systems: dict[str, System] = {self.eclipse.name: self.eclipse}
        for dialect in DIALECTS:
            self.systems[dialect.name] = dialect(self.bench)
        self.answers: dict[tuple[str, str], Reply] = {}
        """The newest answer of each system's operations, before faults."""
        self.bench.checks.append(self._known_systems)
        self.bench.change({})

    def reset(self) -> None:
        """Everything as right after the start."""
        self.bench.reset()
        self.answers.clear()
        for system in self.systems.values():
            system.reset()

    def _known_systems(self, settings: Settings) -> None:
        for name in settings.switches:
            if name not in self.systems:
                raise ValueError(f"switches: no system {name!r}; known: {', '.join(sorted(self.systems))}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if not local(scope):
            refused = Reply(
                403, b"the sandbox answers to this machine's own names only", (("content-type", "text/plain"),)
            )
            await deliver(refused, http_date(self.bench.clock.now()), scope, receive, send)
            return
        if path.startswith(control.PREFIX):
            reply = control.answer(self, scope["method"], path, dict(_pairs(scope)), await _body(receive) or b"")
            await deliver(reply, http_date(self.bench.clock.now()), scope, receive, send)
            return
        for system in self.systems.values():
            if path.startswith(system.prefix + "/"):
                await self._exchange(system, scope, receive, send)
                return
        await deliver(empty_reply(404), http_date(self.bench.clock.now()), scope, receive, send)

    async def _exchange(self, system: System, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._arrival(system, scope)
        body = await _body(receive)
        if body is None:
            call.entry.delivered = "none"
            return
        call.body = body
        call.entry.body_sha256 = hashlib.sha256(body).hexdigest() if body else None
        reply = await self._reply(system, call)
        # Status first: whoever reads the journal after the reply finds it there.
        call.entry.status = None if reply.delivery in SILENT else reply.status
        call.entry.delivered = await deliver(reply, http_date(self.bench.clock.now()), scope, receive, send)

    def _arrival(self, system: System, scope: Scope) -> Call:
        pairs = _pairs(scope)
        query = dict(pairs)
        journal = self.bench.journal
        entry = journal.arrival(scope["method"], system.name, sorted(query))
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        segments = [unquote(part) for part in raw.decode("latin-1")[len(system.prefix) + 1 :].split("/")]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        address = (scope.get("client") or ("in-process", 0))[0]
        return Call(scope["method"], segments, query, headers, b"", address, entry, journal, pairs)

    async def _reply(self, system: System, call: Call) -> Reply:
        entry, bench = call.entry, self.bench
        subject = system.identify(call)
        entry.operation, entry.credential = subject.operation, subject.credential
        entry.customer_id, entry.external_unique_id = subject.customer_id, subject.sent_key or subject.customer_key
        faults = bench.faults.reach(subject)
        entry.faults = tuple(fault.kind for fault in faults)
        if bench.settings.latency_ms:
            await asyncio.sleep(bench.settings.latency_ms / 1000)
        reply = await effects.before(faults, system, bench.clock)
        if reply is None:
            reply = self._answer(system, call)
        operation = (system.name, entry.operation)
        previous, self.answers[operation] = self.answers.get(operation), reply
        return await effects.after(faults, reply, system, previous)

    def _answer(self, system: System, call: Call) -> Reply:
        if call.journal is not self.bench.journal:
            return Reply(0, delivery=Delivery.NONE)  # it arrived before a reset and must not change what came after
        try:
            return system.answer(call)
        except Exception:
            # A defect of the sandbox itself must not look like a fault of the client.
            log.exception("the sandbox failed in %s", call.entry.operation)
            return system.error(500)


def local(scope: Scope) -> bool:
    """Whether the request names this machine as its host: a page in a browser may name another that leads here."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "localhost")
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _pairs(scope: Scope) -> tuple[tuple[str, str], ...]:
    text = scope["query_string"].decode("latin-1")
    return tuple(parse_qsl(text, keep_blank_values=True)) if text else ()


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away before it was sent."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
