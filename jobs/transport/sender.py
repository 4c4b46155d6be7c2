"""The one seam to the network: bytes out, bytes in, and an exception that says whether the target may have seen it.

Nothing but this and the `Line` beneath knows httpx, and nothing else may decide what became of a request. Libraries
that report a lost POST as a failed connection create doubles; here every failure after the first byte is `MaybeSent`.
"""

import asyncio
import logging
import os
import socket
import ssl
import zlib
from collections import deque
from contextlib import suppress
from typing import Protocol, Self
from urllib.parse import urlsplit

import httpx

from jobs import __version__
from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.systems.messages import MOST_BYTES, Certificate, Reply, Request
from jobs.transport.address import checked_base_url
from jobs.transport.line import MAX_HEADER_BYTES, Line
from jobs.transport.proxy import Proxy
from jobs.transport.wire import CONNECT_SECONDS, Unasked

IDLE_SECONDS = 4.0
"""Below the 5 s after which common servers close an idle connection, so that a request seldom meets a closed one."""

REST_SECONDS = 0.05
"""Chosen: a connection rests so long before its next request where there is another, so that the second copy of an
answer, which mostly follows the first at its heels, comes while nobody asks."""


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


class HttpxSender:
    """`Sender` over httpx's requests: no redirects, no proxies from the environment, no cookies, because those live
    in httpx's client, which is left out; one deadline a call, a size cap.

    Each call under way has a connection of its own. Idle ones are used in the order in which they became idle.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        certificate: Certificate | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        silence()
        self.base_url, self.clock = checked_base_url(base_url), clock
        self._host, self._url = urlsplit(self.base_url).netloc, httpx.URL(self.base_url)
        self._certificate = certificate
        self._proxy = None if proxy is None else through(proxy, certificate)
        self._context = tls(certificate) if self.base_url.startswith("https") else None
        self._given = transport
        self._idle: dict[tuple[str, bytes], deque[Line]] = {}
        self._busy = self._most = 0
        self._headers = {
            "user-agent": f"muster/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        for idle in self._idle.values():
            while idle:
                await idle.pop().aclose()
        await asyncio.sleep(0)  # the loop lets go of their sockets

    async def reach(self) -> None:
        """See `Sender`. The connection waits for the first request."""
        if self._given is not None:
            return
        scheme, place = self._url.scheme, self._url.netloc
        idle = self._idle.setdefault((scheme, place), deque())
        if idle:
            return
        line = self._new(scheme)
        try:
            await line.open(self._url)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise unsent(error) from None
        idle.append(line)

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`. The deadline spans connecting, sending and the last byte."""
        try:
            outgoing = self._outgoing(request, headers)
        except (httpx.InvalidURL, ValueError) as error:
            raise NotSent(f"the request can't be written as HTTP ({type(error).__name__})") from None
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await self._sent(outgoing, request.most_bytes)
        except TimeoutError:
            raise MaybeSent(f"no complete answer within {request.deadline_seconds:.0f} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
            raise unsent(error) from None
        except httpx.LocalProtocolError:
            raise NotSent("the request can't be written as HTTP") from None
        except (NotSent, MaybeSent):
            raise
        except Exception as error:
            raise MaybeSent(f"the connection was lost ({type(error).__name__})") from None

    def _outgoing(self, request: Request, headers: dict[str, str]) -> httpx.Request:
        base, host = self.base_url, self._host
        if request.base_url is not None:
            base = checked_base_url(request.base_url)
            host = urlsplit(base).netloc
        if base.startswith("https") and self._context is None:
            self._context = tls(self._certificate)
        url = httpx.URL(base + request.path)
        kind = {"host": host}
        if request.body is not None:
            kind["content-type"] = "application/json"
        return httpx.Request(
            request.method,
            url.copy_merge_params(list(request.query)) if request.query else url,
            content=request.body,
            headers={**self._headers, **kind, **headers, **dict(request.headers)},
        )

    async def _sent(self, outgoing: httpx.Request, most: int) -> Reply:
        """The reply, over an idle connection or a new one. A connection is given back only when it is free again."""
        if self._given is not None:
            return await self._exchange(self._given, outgoing, most)
        idle = self._idle.setdefault((outgoing.url.scheme, outgoing.url.netloc), deque())
        self._busy += 1
        self._most = max(self._most, self._busy)
        try:
            while (line := await self._rested(idle)) is not None:
                with suppress(Unasked):  # nothing of the request has left
                    return await self._over(line, idle, outgoing, most)
            try:
                return await self._over(self._new(outgoing.url.scheme), idle, outgoing, most)
            except Unasked:
                raise NotSent("the target spoke, or hung up, before it was asked") from None
        finally:
            self._busy -= 1

    async def _over(self, line: Line, idle: deque[Line], outgoing: httpx.Request, most: int) -> Reply:
        try:
            return await self._exchange(line, outgoing, most)
        finally:
            if line.free:
                idle.append(line)
            else:
                await line.aclose()

    async def _rested(self, idle: deque[Line]) -> Line | None:
        """The connection that was idle for the longest time; None when a new one is better.

        As many as there were calls at once may rest, so that a busy run has no more than two for each of its workers.
        """
        now = asyncio.get_running_loop().time()
        while idle and now - idle[0].freed_at > IDLE_SECONDS:
            await idle.popleft().aclose()
        if idle and (now - idle[0].freed_at >= REST_SECONDS or len(idle) >= self._most):
            return idle.popleft()
        return None

    def _new(self, scheme: str) -> Line:
        return Line(self._context if scheme == "https" else None, self._proxy)

    async def _exchange(self, transport: httpx.AsyncBaseTransport, outgoing: httpx.Request, most: int) -> Reply:
        reply = await transport.handle_async_request(outgoing)
        try:
            if sum(len(name) + len(value) for name, value in reply.headers.raw) > MAX_HEADER_BYTES:
                raise MaybeSent("the answer's headers are too large", answered=True)
            body = unpacked(await _body(reply, most), reply.headers.get("content-encoding", "identity"), most)
        except (httpx.HTTPError, OSError) as error:
            raise MaybeSent(f"the answer was cut ({type(error).__name__})", answered=True) from None
        finally:
            await reply.aclose()
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Reply(reply.status_code, headers, body, self.clock.now())


def unsent(error: httpx.HTTPError) -> NotSent:
    """That no connection was made, with the cause in the system's words; the error's own may quote the request."""
    if isinstance(error, httpx.ProxyError):  # its answer to CONNECT, before which nothing for the target leaves
        return NotSent(f"the proxy made no connection ({str(error)[:3]})")
    if isinstance(error, httpx.ConnectTimeout):
        return NotSent(f"no connection within {CONNECT_SECONDS:.0f} s")
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    match cause:
        case ssl.SSLCertVerificationError():
            return NotSent(f"no connection (TLS: {cause.verify_message.rstrip('.')})")
        case ssl.SSLError():
            return NotSent(f"no connection (TLS: {(cause.reason or 'failed').replace('_', ' ').lower()})")
        case socket.gaierror():
            return NotSent("no connection (the name of the host is not known)")
        case OSError(errno=number) if number is not None:
            return NotSent(f"no connection ({os.strerror(number).lower()})")
    return NotSent(f"no connection ({type(cause).__name__})")


async def _body(reply: httpx.Response, most: int) -> bytes:
    """The body as it came over the wire. Raises MaybeSent when it has more than `most` bytes."""
    chunks, size = [], 0
    async for chunk in reply.aiter_raw():
        size += len(chunk)
        if size > most:
            raise MaybeSent("the answer is too large", answered=True)
        chunks.append(chunk)
    return b"".join(chunks)


def unpacked(body: bytes, encoding: str, most: int = MOST_BYTES) -> bytes:
    """`body` without its content coding, never grown beyond `most`: a bomb grows a thousandfold. Raises MaybeSent."""
    coding = encoding.strip().lower()
    if coding in {"", "identity"} or not body:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise MaybeSent("the answer is packed in a way that was not asked for", answered=True)
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise MaybeSent("the answer is not the gzip that it says it is", answered=True) from None
    if len(plain) > most:
        raise MaybeSent("the answer is too large", answered=True)
    if not unpacking.eof:
        raise MaybeSent("the answer was cut (gzip)", answered=True)
    return plain


def tls(certificate: Certificate | None = None) -> ssl.SSLContext:
    """Verification against the usual roots or those given, TLS 1.2 or newer; with our own certificate if there is one.

    Raises Unusable when a file can't be used.
    """
    given = certificate or Certificate()
    if not given.authorities:
        context = httpx.create_ssl_context(trust_env=False)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for roots in given.authorities:
        try:
            context.load_verify_locations(roots)
        except (OSError, ValueError) as error:
            raise Unusable(f"the roots of the target can't be used ({type(error).__name__}): {roots}") from None
    if given.chain is not None:
        try:
            # An empty pass phrase, so that OpenSSL does not ask for one at the terminal.
            context.load_cert_chain(given.chain, given.key, password=b"")
        except (OSError, ValueError) as error:
            raise Unusable(f"the client certificate can't be used ({type(error).__name__}): {given.chain}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def through(proxy: Proxy, certificate: Certificate | None) -> httpx.Proxy:
    """The proxy as httpx takes it; verified with the target's roots, and not shown our certificate."""
    roots = Certificate(authorities=certificate.authorities) if certificate else None
    context = tls(roots) if proxy.url.startswith("https") else None
    return httpx.Proxy(proxy.url, ssl_context=context, auth=proxy.credentials)


def silence() -> None:
    """httpx and httpcore log whole URLs, and URLs carry identity numbers (`?identity=…`)."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("httpx.", "httpcore.")):
            logging.getLogger(name).disabled = True
