"""The one seam to the network: bytes out, bytes in, and an exception that says whether the target may have seen it.

Nothing beyond this file knows httpx, and nothing else may decide what became of a request. Libraries that report
a lost POST as a failed connection create doubles; here every failure after the first byte is `MaybeSent`.
"""

import asyncio
import logging
import ssl
from typing import Protocol, Self
from urllib.parse import urlsplit

import httpx

from jobs import __version__
from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.systems.base import Reply, Request

MAX_BODY_BYTES = 5 * 1024 * 1024
"""Chosen: a page of customers is under 100 kB; a compressed bomb of 200 kB unpacked to 200 MB (measured)."""

MAX_HEADER_BYTES = 64 * 1024
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 4.0
"""Below the 5 s after which common servers close an idle connection, so that a request seldom meets a closed one."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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

    async def aclose(self) -> None:
        """Closes the connections."""
        ...


def checked_base_url(url: str) -> str:
    """`url` without a trailing slash. Raises Unusable for one that would leak or mislead.

    https only; plain http is for the loopback interface, where a stand-in listens.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unusable(f"--base-url is not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise Unusable("--base-url must look like https://host[:port][/path]")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Unusable("--base-url must have no user, password, query or fragment")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Unusable(f"--base-url must be https: plain http to {host} would show tokens and personal data")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


class HttpxSender:
    """`Sender` over httpx: redirects, proxies from the environment and cookies off, one deadline a call, a size cap."""

    def __init__(
        self, base_url: str, connections: int, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        silence()
        self.base_url, self.clock = checked_base_url(base_url), clock
        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=IDLE_SECONDS
        )
        self.client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            verify=tls() if self.base_url.startswith("https") else False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=limits,
            headers={"user-agent": f"muster/{__version__}", "accept": "application/json", "accept-encoding": "gzip"},
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.client.aclose()

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`. The deadline spans connecting, sending and the last byte."""
        outgoing = self.client.build_request(
            request.method,
            self.base_url + request.path,
            params=list(request.query) or None,
            content=request.body,
            headers=headers if request.body is None else {**headers, "content-type": "application/json"},
        )
        self.client.cookies.clear()
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await self._exchange(outgoing)
        except TimeoutError:
            raise MaybeSent(f"no complete answer within {request.deadline_seconds:.0f} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotSent(f"no connection ({type(error).__name__})") from None
        except (httpx.DecodingError, httpx.RemoteProtocolError) as error:
            answered = isinstance(error, httpx.DecodingError)
            raise MaybeSent(f"no usable answer ({type(error).__name__})", answered=answered) from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise MaybeSent(f"the connection was lost ({type(error).__name__})") from None

    async def _exchange(self, outgoing: httpx.Request) -> Reply:
        reply = await self.client.send(outgoing, stream=True)
        try:
            if sum(len(name) + len(value) for name, value in reply.headers.raw) > MAX_HEADER_BYTES:
                raise MaybeSent("the answer's headers are too large", answered=True)
            chunks, size = [], 0
            async for chunk in reply.aiter_bytes():
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise MaybeSent("the answer is too large", answered=True)
                chunks.append(chunk)
        finally:
            await reply.aclose()
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Reply(reply.status_code, headers, b"".join(chunks), self.clock.now())


def tls() -> ssl.SSLContext:
    """Verification against the usual roots, TLS 1.2 or newer."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def silence() -> None:
    """httpx and httpcore log whole URLs, and URLs carry identity numbers (`?identity=…`)."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("httpx.", "httpcore.")):
            logging.getLogger(name).disabled = True
