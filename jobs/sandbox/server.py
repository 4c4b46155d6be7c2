"""Serves the sandbox: in a thread for tests, or as a process until a signal. Loopback only."""

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jobs.sandbox.application import DIALECTS, Application
from jobs.sandbox.eclipse.store import Store
from jobs.sandbox.eclipse.system import Eclipse
from jobs.sandbox.settings import Credential, Settings, changed
from jobs.sandbox.system import System
from jobs.sandbox.wire import TRANSPORT

T = TypeVar("T")

SYSTEMS = (Eclipse.name, *(dialect.name for dialect in DIALECTS))
"""Names of the systems that are served."""

STARTING_SECONDS = 10.0
"""How long a start or a call into the server's thread may take before it counts as failed (chosen)."""


class _Protocol(HttpToolsProtocol):
    """Puts the transport into the scope, so that a fault can close the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


class _Server(uvicorn.Server):
    """Says when it listens, and ends on a signal without raising it again."""

    def __init__(self, application: Application, started: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                # A call that is cut off at the end is no error worth a line; defects are logged by the application.
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
            )
        )
        self._on_start = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start(asyncio.get_running_loop())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Calls in flight are cut off: an answer that nobody gave must not be made up.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server soon, whatever is still in flight."""
        self.should_exit = self.force_exit = True


def serve(host: str, port: int, *, announce: Callable[[Mapping[str, str]], None], **settings: object) -> None:
    """Serves until SIGINT or SIGTERM, then returns.

    `announce` gets the base URL of each system by its name, Eclipse's first, once it listens.

    Port 0 takes a free one. ValueError: `host` is not loopback, or a setting is wrong. OSError: the port is taken.
    """
    application = Application(changed(Settings(), settings))
    with _listener(host, port) as listener:
        url = _url(listener)
        urls = {name: url + system.base_path for name, system in application.systems.items()}
        _Server(application, lambda _: announce(urls)).run(sockets=[listener])


class Sandbox:
    """The sandbox in a thread, for tests: `with Sandbox(token_seconds=5) as sandbox: ...`.

    Keyword arguments are the fields of `Settings`. Its methods may be called from any other thread.
    """

    def __init__(self, **settings: object) -> None:
        self._settings = changed(Settings(), settings)
        self._application = Application(self._settings)
        self._ready: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._server = _Server(self._application, self._ready.set_result)
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self.base_url = ""
        """`http://127.0.0.1:PORT` once entered."""

    def __enter__(self) -> Self:
        self._listener = _listener("127.0.0.1", 0)
        self.base_url = _url(self._listener)
        self._thread.start()
        self._loop = self._ready.result(STARTING_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join(STARTING_SECONDS)
        self._listener.close()

    @property
    def tenant(self) -> int:
        """Tenant of the operator."""
        return self._credential(onboarding=False).tenant

    @property
    def identity(self) -> str:
        """Login name of the first credential that is not ONBOARDING."""
        return self._credential(onboarding=False).identity

    @property
    def password(self) -> str:
        """Its password."""
        return self._credential(onboarding=False).password

    @property
    def onboarding_identity(self) -> str:
        """Login name of the first ONBOARDING credential; LookupError when there is none."""
        return self._credential(onboarding=True).identity

    @property
    def onboarding_password(self) -> str:
        """Its password."""
        return self._credential(onboarding=True).password

    @property
    def state(self) -> Store:
        """The live records of Eclipse: `state.customers[customer_id]`, `state.wallets[wallet_id]`. To be read only."""
        return self._application.eclipse.store

    def snapshot(self) -> dict[str, Any]:
        """What `GET /__sandbox/state` answers."""
        return self._in_thread(self._application.eclipse.snapshot)

    def of(self, name: str) -> "Standing":
        """The system `name` on this sandbox; KeyError when there is none."""
        return Standing(self._application.systems[name], self.base_url, self._in_thread)

    def reset(self) -> None:
        """Everything as right after the start, tokens too."""
        self._in_thread(self._application.reset)

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Entries of the journal with a number above `after`, oldest first."""
        return self._in_thread(lambda: self._application.bench.journal.after(after))

    def faults(self, rules: Sequence[Mapping[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Puts `rules` in force instead of the earlier ones (None: leaves those); all rules with their counters."""
        faults = self._application.bench.faults
        if rules is not None:
            self._in_thread(lambda: faults.replace(list(rules)))
        return self._in_thread(faults.as_json)

    def plant(self, **record: Any) -> int:
        """Stores a customer past all rules (see docs/sandbox.md) and returns its `customerId`."""
        return int(self._in_thread(lambda: self._application.eclipse.plant(record))["customerId"])

    def amend(self, kind: str, number: int, **changes: Any) -> None:
        """Changes, or with `deleted=True` deletes, one of `customers` or `wallets`; KeyError when there is none."""
        self._in_thread(lambda: self._application.eclipse.amend(kind, str(number), changes))

    def configure(self, **changes: object) -> None:
        """Changes settings from now on; ValueError when one is wrong."""
        self._in_thread(lambda: self._application.bench.change(changes))

    def _credential(self, *, onboarding: bool) -> Credential:
        for credential in self._settings.credentials:
            if ("ONBOARDING" in credential.positions) is onboarding:
                return credential
        raise LookupError("the sandbox has no such credential")

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except BaseException as error:  # to be raised by whoever waits for the start
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    def _in_thread(self, function: Callable[[], T]) -> T:
        """Runs `function` between two steps of the server, so that it never sees half a change."""
        outcome: concurrent.futures.Future[T] = concurrent.futures.Future()

        def run() -> None:
            try:
                outcome.set_result(function())
            except Exception as error:
                outcome.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return outcome.result(STARTING_SECONDS)


class Standing:
    """One system of a running sandbox, for tests. `base_url` is what muster is given."""

    def __init__(self, system: System, root: str, in_thread: Callable[[Callable[[], Any]], Any]) -> None:
        self._system, self._in_thread = system, in_thread
        self.base_url = root + system.base_path

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids and states, as `GET /__sandbox/state?system=NAME` answers."""
        shown: dict[str, Any] = self._in_thread(self._system.snapshot)
        return shown

    def plant(self, **record: Any) -> dict[str, Any]:
        """Stores a record past all rules and returns its ids."""
        ids: dict[str, Any] = self._in_thread(lambda: self._system.plant(record))
        return ids

    def amend(self, kind: str, name: str, **changes: Any) -> None:
        """Changes, or with `deleted=True` deletes, a stored record; KeyError when there is none."""
        self._in_thread(lambda: self._system.amend(kind, name, changes))


def _listener(host: str, port: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"the sandbox listens on loopback only, not on {host}")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
