"""Calls to one system with one credential: a permit, a token, one sending; reads are retried here, writes never.

A write is sent at most once per call of `write`; what becomes of it is decided in `onboard.py` alone.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from jobs.clock import Clock
from jobs.errors import NotPermitted
from jobs.model import Secrets
from jobs.systems.base import System
from jobs.systems.exchange import CallClass, ReadFailed, Reply, Request, Token, Trace
from jobs.transport.credential import Credential
from jobs.transport.echo import Ours
from jobs.transport.gate import Gate
from jobs.transport.limiter import Closed, Limiter
from jobs.transport.retry import FullJitter, retry_after_seconds
from jobs.transport.sender import MaybeSent, NotSent, Sender

AnyToken = TypeVar("AnyToken", Token, Token | None)

READ_ATTEMPTS = 5
"""The contract's default of 5 attempts a step."""

NOT_OFFERED = 501
"""A read that the target does not offer; asking again would change nothing."""

READS = frozenset({"GET", "HEAD"})

MOST_THROTTLES = 20
"""Chosen: a read that is refused so often in a row is given up, so that a run always ends."""


LONGEST_WAIT = 60.0
"""Seconds between two attempts of a read, whatever the target asks for (chosen: rows can be parked for longer)."""


class _Passing(Exception):
    """A read failed in a way that may pass. `seconds`: the wait that the target asked for."""

    def __init__(self, reason: str, trace: Trace | None = None, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.trace, self.seconds = reason, trace, min(seconds or 0.0, LONGEST_WAIT)


class Client:
    """All calls of a run go through one of these. `calls` counts them by (operation, method, status)."""

    def __init__(
        self,
        system: System,
        sender: Sender,
        secrets: Secrets,
        *,
        tenant: str,
        limiters: dict[CallClass, Limiter],
        clock: Clock,
        most_calls: int = 1024,
    ) -> None:
        self.gate = Gate(most_calls, clock)
        self.system, self.sender, self.limiters, self.clock = system, sender, limiters, clock
        self.given = secrets
        self.credential = Credential(system, secrets, tenant, self._login_call, clock)
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.repeated_writes = 0
        """Writes sent once more after a 401, within one attempt."""
        self.jitter = FullJitter(clock.random)

    async def read(self, request: Request) -> Reply:
        """The reply to a read, of any status but 401, 429 and 5xx; a 2xx is readable.

        Raises ReadFailed, NotPermitted, and Closed when the run stops while it waits.

        The first attempt is bare; tenacity is entered only after a failure.
        """
        try:
            return await self._read_once(request)
        except _Passing as error:
            asked = error.seconds
        retrying = AsyncRetrying(
            stop=stop_after_attempt(READ_ATTEMPTS - 1),
            wait=self._wait,
            retry=retry_if_exception_type(_Passing),
            sleep=partial(self._rest, self.limiters[request.call_class]),
            reraise=True,
        )
        await self._rest(self.limiters[request.call_class], max(asked, self.jitter.seconds(1)))
        try:
            return await retrying(self._read_once, request)
        except _Passing as error:
            raise ReadFailed(f"{request.operation}: {error.reason}", error.trace) from None

    async def write(self, request: Request, before: Callable[[], Awaitable[None]]) -> Reply:
        """Sends a write once; `before` is awaited when the permit is held and nothing but the sending is left.

        After a 401 (which means: not processed) it is sent once more with a fresh token. Raises NotSent,
        MaybeSent, NotPermitted, and whatever `before` raises.
        """
        return self._checked(request, await self._authorised(request, before))

    async def _rest(self, limiter: Limiter, seconds: float) -> None:
        """Waits between two attempts of a read. Raises Closed when the run stops meanwhile."""
        if await self.clock.pause(seconds, limiter.closed):
            raise Closed

    def _wait(self, failed: RetryCallState) -> float:
        """Seconds until the next attempt of a read: the jitter, or longer when the target said so."""
        error = failed.outcome.exception() if failed.outcome else None
        return max(self.jitter(failed), error.seconds if isinstance(error, _Passing) else 0.0)

    async def _read_once(self, request: Request) -> Reply:
        for _ in range(MOST_THROTTLES):
            try:
                reply = await self._authorised(request, None)
            except (NotSent, MaybeSent) as error:
                raise _Passing(str(error)) from None
            if self.system.throttled(reply):
                continue
            status = self.system.status_of(reply)
            if status >= 500 and status != NOT_OFFERED:
                asked = retry_after_seconds(reply.headers, reply.received_at)
                raise _Passing(f"HTTP {status}", self.system.trace_of(reply), asked)
            if reply.ok and request.method != "HEAD" and not self.system.readable(reply):
                raise _Passing(f"HTTP {reply.status} with an unusable body of {len(reply.body)} bytes")
            return self._checked(request, reply)
        raise _Passing("refused again and again because of a limit", self.system.trace_of(reply))

    async def _authorised(self, request: Request, before: Callable[[], Awaitable[None]] | None) -> Reply:
        """One sending with the current token; after a 401 once more with a fresh one."""
        reply, token = await self._permitted(request, self.credential.token, before)
        if self.system.status_of(reply) != 401 or request.anonymous:
            return reply
        await self.credential.refused(token)
        self.repeated_writes += before is not None
        return (await self._permitted(request, self.credential.token, None))[0]

    async def _login_call(self, request: Request, token: Token | None) -> Reply:
        async def given() -> Token | None:
            return token

        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                reply, _ = await self._permitted(request, given, None)
            except (NotSent, MaybeSent) as error:
                problem = str(error)
            else:
                if self.system.status_of(reply) < 500 and not self.system.throttled(reply):
                    return reply
                problem = f"HTTP {self.system.status_of(reply)}"
            if attempt < READ_ATTEMPTS:
                await self.clock.sleep(self.jitter.seconds(attempt))
        raise NotPermitted(f"no {request.operation} after {READ_ATTEMPTS} attempts: {problem}", hint="check --base-url")

    async def _permitted(
        self,
        request: Request,
        present: Callable[[], Awaitable[AnyToken]],
        before: Callable[[], Awaitable[None]] | None,
    ) -> tuple[Reply, AnyToken]:
        """The reply, and the token that was presented: asked for when the permit is held, for permits can take long."""
        limiter = self.limiters[request.call_class]
        async with limiter.permit():
            token = await present()
            headers = dict(self.system.headers(self._fresh_id))
            if token is not None and not request.anonymous and token.header_name:
                headers[token.header_name] = token.header_value
            if token is not None and request.call_class is CallClass.LOGIN and not request.anonymous:
                headers |= dict(token.renewal)
            async with self.gate.place():
                if before is not None:
                    await before()
                started = self.clock.monotonic()
                reply = self._without_secrets(request, token, await self._counted(request, headers))
        latency = self.clock.monotonic() - started
        if self.system.throttled(reply):
            limiter.refused(retry_after_seconds(reply.headers, reply.received_at), f"HTTP {reply.status}")
            self.gate.refused()
        elif reply.status < 500:
            limiter.answered(latency)
            self.gate.answered(request.operation, latency)
        return reply, token

    def _without_secrets(self, request: Request, token: Token | None, reply: Reply) -> Reply:
        """The reply without what we presented; a login that succeeds may give the same again."""
        fine = 200 <= self.system.status_of(reply) < 300
        if fine and request.call_class is CallClass.LOGIN:
            return reply
        return Ours.presented(token, self.given, self.credential.secrets).without(reply, refused=not fine)

    async def _counted(self, request: Request, headers: dict[str, str]) -> Reply:
        status = "maybe_sent"  # also when it is cancelled under way
        try:
            reply = await self.sender.send(request, headers)
            status = str(reply.status)
        except NotSent:
            status = "not_sent"
            raise
        finally:
            self.calls[request.operation, self._method(request), status] += 1
        return reply

    def _fresh_id(self) -> str:
        return f"{self.clock.random.getrandbits(128):032x}"

    def _method(self, request: Request) -> str:
        """As calls are counted: a read that is sent with POST is no mutating call."""
        reading = request.call_class in {CallClass.READ, CallClass.DOWNLOAD} and request.method not in READS
        return f"{request.method} (read)" if reading else request.method

    def _checked(self, request: Request, reply: Reply) -> Reply:
        """Stops the job on what no retry can cure. Raises NotPermitted."""
        if request.anonymous:
            return reply
        if self.system.status_of(reply) == 401:
            raise NotPermitted(f"the target refuses a fresh token for {request.operation}")
        if reply.status == 403 and "sca" in reply.headers:
            raise NotPermitted(
                f"{request.operation} needs a step-up (strong customer authentication), which a person must do",
                hint="use a credential that needs none",
            )
        return reply
