"""The one seam to the network: bytes out, bytes in, and an exception that says whether the target may have seen it.

Nothing else may decide what became of a request. Libraries that report a lost POST as a failed connection create
doubles; here every failure after the first byte is `MaybeSent`.
"""

import asyncio
import ssl
from collections import defaultdict, deque
from typing import Protocol, Self

from jobs import __version__
from jobs.clock import Clock
from jobs.systems.messages import Certificate, Reply, Request
from jobs.transport.address import checked_base_url
from jobs.transport.answer import Answer, Unreadable, unpacked
from jobs.transport.deadlines import Deadlines
from jobs.transport.line import Line, NoWay, Place, Way
from jobs.transport.proxy import Proxy
from jobs.transport.tls import tls
from jobs.transport.wire import Unasked
from jobs.transport.written import encoded, written

IDLE_SECONDS = 4.0
"""Below the 5 s after which common servers close an idle connection, so that a request seldom meets a closed one."""

REST_SECONDS = 0.05
"""Chosen: a connection rests so long before its next request where there is another, so that the second copy of an
answer, which mostly follows the first at its heels, comes while nobody asks."""

OURS = {"user-agent": f"muster/{__version__}", "accept": "application/json", "accept-encoding": "gzip"}
"""Headers of every request."""


class NotSent(Exception):
    """Surely nothing left: refused, no route, no TLS, no connection in time."""


class MaybeSent(Exception):
    """Perhaps applied: everything that went wrong after the request began to leave.

    `answered` when the target did answer, but not usably (too large, cut, malformed).
    """

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered


class Sender(Protocol):
    """Sends one request once. Never repeats, never follows, never remembers."""

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """The reply of whatever status. Raises NotSent or MaybeSent and nothing else."""
        ...

    async def reach(self) -> None:
        """Makes sure that a connection to the target stands, without a request. Raises NotSent."""
        ...

    async def aclose(self) -> None:
        """Closes the connections."""
        ...


class HttpSender:
    """`Sender` over connections of its own: no redirects, no cookies, nothing of the environment; one deadline a call,
    a size cap.

    Each call under way has a connection of its own. Idle ones are used in the order in which they became idle.
    """

    def __init__(
        self, base_url: str, clock: Clock, certificate: Certificate | None = None, proxy: Proxy | None = None
    ) -> None:
        self.base_url, self.clock, self.proxy = checked_base_url(base_url), clock, proxy
        self._certificate = certificate
        self._context: ssl.SSLContext | None = None
        self._ways: dict[str | None, tuple[str, Way]] = {}
        self._way(None)
        self._idle: defaultdict[Place, deque[Line]] = defaultdict(deque)
        self._busy = self._most = 0
        self._deadlines = Deadlines()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        self._deadlines.close()
        await asyncio.sleep(0)  # the loop lets go of their sockets

    async def reach(self) -> None:
        """See `Sender`. The connection waits for the first request."""
        way = self._way(None)[1]
        idle = self._idle[way.place]
        if idle:
            return
        line = Line(way, self._deadlines)
        try:
            await line.open()
        except NoWay as error:
            raise NotSent(str(error)) from None
        idle.append(line)

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`. The deadline spans connecting, sending and the last byte."""
        base, way = self._way(request.base_url)
        try:
            outgoing = self._outgoing(request, headers, base, way)
        except ValueError:
            raise NotSent("the request can't be written as HTTP") from None
        answer = Answer(head_only=request.method == "HEAD", most=request.most_bytes)
        try:
            await self._exchanged(way, outgoing, answer, request.deadline_seconds)
            body = unpacked(answer.body, answer.headers.get("content-encoding", ""), request.most_bytes)
        except TimeoutError:
            raise MaybeSent(f"no complete answer within {request.deadline_seconds:.0f} s") from None
        except NoWay as error:
            raise NotSent(str(error)) from None
        except Unreadable as error:
            raise MaybeSent(error.why, answered=answer.status is not None) from None
        except NotSent:
            raise
        except Exception as error:
            why = f"the connection was lost ({type(error).__name__})"
            raise MaybeSent(why, answered=answer.status is not None and not answer.done) from None
        assert answer.status is not None
        return Reply(answer.status, answer.headers, body, self.clock.now())

    def _way(self, base_url: str | None) -> tuple[str, Way]:
        """A base URL as it is used, and how its place is reached; None: the target's own. Raises Unusable."""
        known = self._ways.get(base_url)
        if known is None:
            base = self.base_url if base_url is None else checked_base_url(base_url)
            place = Place.of(base)
            way = Way(place, self._tls() if place.scheme == "https" else None, self.proxy, self._proxy_tls())
            known = self._ways[base_url] = base, way
        return known

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = tls(self._certificate)
        return self._context

    def _proxy_tls(self) -> ssl.SSLContext | None:
        """The proxy is verified with the target's roots, and not shown our certificate."""
        if self.proxy is None or not self.proxy.url.startswith("https"):
            return None
        return tls(self._certificate and Certificate(authorities=self._certificate.authorities))

    def _outgoing(self, request: Request, headers: dict[str, str], base: str, way: Way) -> bytes:
        """The request's bytes. Raises ValueError for what is no HTTP."""
        path = (base + request.path)[len(way.root) :]
        target = f"{path}?{encoded(request.query)}" if request.query else path
        every = {"host": way.place.shown, **OURS}
        if request.body is not None:
            every["content-type"] = "application/json"
        every.update(headers)
        every.update(request.headers)
        if way.told:
            target = f"{way.root}{target}"
            every.update(way.authorised)
        return written(request.method, target, every, request.body)

    async def _exchanged(self, way: Way, outgoing: bytes, answer: Answer, seconds: float) -> None:
        """Asks over an idle connection or a new one. A connection is given back only when it is free again."""
        idle = self._idle[way.place]
        self._busy += 1
        self._most = max(self._most, self._busy)
        try:
            while True:
                rested = self._rested(idle)
                line = rested or Line(way, self._deadlines)
                try:
                    return await line.ask(outgoing, answer, seconds)
                except Unasked:  # nothing of the request has left
                    if rested is None:
                        raise NotSent("the target spoke, or hung up, before it was asked") from None
                finally:
                    if line.free:
                        idle.append(line)
                    else:
                        line.close()
        finally:
            self._busy -= 1

    def _rested(self, idle: deque[Line]) -> Line | None:
        """The connection that was idle for the longest time; None when a new one is better.

        As many as there were calls at once may rest, so that a busy run has no more than two for each of its workers.
        """
        now = asyncio.get_running_loop().time()
        while idle and now - idle[0].freed_at > IDLE_SECONDS:
            idle.popleft().close()
        if idle and (now - idle[0].freed_at >= REST_SECONDS or len(idle) >= self._most):
            return idle.popleft()
        return None
