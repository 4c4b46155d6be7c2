"""Calls to one system with one credential: a permit, a token, one sending; reads are retried here, writes never.

A write is sent at most once per call of `write`; what becomes of it is decided in the engine's `driver.py` alone.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from jobs.clock import Clock
from jobs.errors import NotPermitted, Unreachable
from jobs.model import Secrets
from jobs.systems.contract import System
from jobs.systems.messages import CallClass, ReadFailed, Reply, Request, Token, Trace
from jobs.systems.retry_after import retry_after_seconds
from jobs.transport.credential import Credential
from jobs.transport.echo import Ours
from jobs.transport.gate import Gate
from jobs.transport.limiter import Closed, Limiter
from jobs.transport.login import Unusable, taken
from jobs.transport.outage import ANYTHING, Outage, Trouble
from jobs.transport.pauses import Shut
from jobs.transport.retry import FullJitter
from jobs.transport.sender import MaybeSent, NotSent, Sender

AnyToken = TypeVar("AnyToken", Token, Token | None)
T = TypeVar("T")

READ_ATTEMPTS = 5
"""The contract's default of 5 attempts a step."""

NOT_OFFERED = 501
"""A read that the target does not offer; asking again would change nothing."""

READS = frozenset({"GET", "HEAD"})

READING = frozenset({CallClass.READ, CallClass.DOWNLOAD})

MOST_THROTTLES = 20
"""Chosen: a read that is refused so often in a row is given up, so that a run always ends."""


LONGEST_WAIT = 60.0
"""Seconds between two attempts of a read, whatever the target asks for (chosen: rows can be parked for longer)."""


class _Passing(Exception):
    """A read failed in a way that may pass. `seconds`: the wait that the target asked for."""

    def __init__(
        self,
        reason: str,
        trace: Trace | None = None,
        seconds: float | None = None,
        *,
        unsent: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.trace, self.seconds = reason, trace, min(seconds or 0.0, LONGEST_WAIT)
        self.unsent = unsent
        self.answered = answered
        """Whether the target is there all the same: no sign of an outage."""


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
        outage: Outage | None = None,
    ) -> None:
        self.gate = Gate(most_calls, clock)
        self.outage = outage or Outage(clock, "the target")
        self.closed = asyncio.Event()
        self.system, self.sender, self.limiters, self.clock = system, sender, limiters, clock
        self.given = secrets
        self.credential = Credential(system, secrets, tenant, self._login_call, clock)
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.repeated_writes = 0
        """Writes sent once more after a 401, within one attempt."""
        self.jitter = FullJitter(clock.random)
        self._ours: tuple[Token | None, Secrets, Ours] | None = None
        """What was presented last, by whom."""

    def close(self) -> None:
        """The run stops: whoever waits gets Closed; calls under way go on."""
        self.closed.set()
        self.outage.wake()
        for limiter in self.limiters.values():
            limiter.close()

    async def reach(self) -> None:
        """Makes sure that there is a way to the target. Raises Unreachable."""
        since = self.clock.monotonic()
        while True:
            try:
                await self.sender.reach()
            except NotSent as error:
                await self.outage.rest(Trouble(str(error), unsent=True), since, self.closed)
            else:
                self.outage.reached = True
                return self.outage.answered()

    async def read(self, request: Request) -> Reply:
        """The reply to a read, of any status but 401, 429 and 5xx; a 2xx is readable.

        Raises ReadFailed, NotPermitted, Unreachable, and Closed when the run stops while it waits.

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

        After a 401 (which means: not processed) it is sent once more with a fresh token. One that did not leave is not:
        its intent may be of a lease that was lost meanwhile. Raises NotSent, MaybeSent, NotPermitted, whatever `before`
        raises, and before that Unreachable and Closed.
        """
        intended = False

        async def once() -> None:
            nonlocal intended
            await before()
            intended = True

        try:
            reply = await self._authorised(request, once)
        except (Unreachable, Closed):
            if intended:  # what was sent was refused for its token
                raise NotSent("it was not sent again before the run stopped") from None
            raise
        except Shut as error:
            raise NotSent(str(error)) from None
        except NotSent as error:
            if intended:
                self.outage.failed(request, Trouble(str(error), unsent=True))
            raise
        except MaybeSent as error:
            if not error.answered:
                self.outage.failed(request, Trouble(error.reason))
            raise
        status = self.system.status_of(reply)
        if status >= 500 and status != NOT_OFFERED:
            self.outage.failed(request, Trouble(f"HTTP {status}"))
        else:
            self.outage.answered()
        return self._checked(request, reply)

    async def _rest(self, limiter: Limiter, seconds: float) -> None:
        """Waits between two attempts of a read. Raises Closed when the run stops meanwhile."""
        if await self.clock.pause(seconds, limiter.closed):
            raise Closed

    def _wait(self, failed: RetryCallState) -> float:
        """Seconds until the next attempt of a read: the jitter, or longer when the target said so."""
        error = failed.outcome.exception() if failed.outcome else None
        return max(self.jitter(failed), error.seconds if isinstance(error, _Passing) else 0.0)

    async def _read_once(self, request: Request) -> Reply:
        """One attempt of a read; what falls into an outage is none, and is made up for when that is over."""
        while True:
            try:
                reply = await self._attempt(request)
            except _Passing as error:
                if error.answered:
                    raise
                self.outage.failed(request, Trouble(error.reason, error.unsent, error.seconds))
                if not await self.outage.passage(request, self._asked, self.closed):
                    raise
            else:
                self.outage.answered(request)
                return reply

    async def _attempt(self, request: Request) -> Reply:
        for _ in range(MOST_THROTTLES):
            try:
                reply = await self._authorised(request, None)
            except NotSent as error:
                raise _Passing(str(error), unsent=True) from None
            except MaybeSent as error:
                raise _Passing(str(error), answered=error.answered) from None
            except Shut as error:
                raise ReadFailed(f"{request.operation}: {error}") from None
            if self.system.throttled(reply):
                continue
            status = self.system.status_of(reply)
            if status >= 500 and status != NOT_OFFERED:
                asked = retry_after_seconds(reply.headers, reply.received_at)
                raise _Passing(f"HTTP {status}", self.system.trace_of(reply), asked)
            if reply.ok and request.method != "HEAD" and not self.system.readable(reply):
                raise _Passing(f"HTTP {reply.status} with an unusable body of {len(reply.body)} bytes")
            return self._checked(request, reply)
        why = "refused again and again because of a limit"
        raise _Passing(why, self.system.trace_of(reply), answered=True)

    async def _authorised(self, request: Request, before: Callable[[], Awaitable[None]] | None) -> Reply:
        """One sending with the current token; after a 401 once more with a fresh one."""
        reply, token = await self._permitted(request, self.credential.token, before)
        if self.system.status_of(reply) != 401 or request.anonymous:
            return reply
        await self.credential.refused(token)
        self.repeated_writes += before is not None
        return (await self._permitted(request, self.credential.token, None))[0]

    async def _login_call(self, request: Request, token: Token | None, take: Callable[[Reply], T]) -> T:
        """What `take` makes of the answer to a login, a challenge or (with `token`) a renewal.

        It is tried again for as long as an outage may last; a few times only where `take` can't use the answer
        (ValueError), and for a renewal. Raises Unreachable, ReadFailed for a renewal, and NotPermitted like `take`.
        """
        since = self.clock.monotonic()
        for attempt in count(1):
            if self.outage.ended is not None:
                raise self.outage.ended
            try:
                trouble = await self._logged_in(request, token, take)
            except Unusable as error:
                if token is None and attempt >= error.worth:
                    raise self.outage.unreachable(str(error)) from None
                trouble = Trouble(str(error))
            if not isinstance(trouble, Trouble):
                self.outage.answered()
                return trouble
            if token is None:
                await self.outage.rest(trouble, since, self.closed)
            elif attempt == READ_ATTEMPTS:
                raise ReadFailed(f"{request.operation}: {trouble.why}")
            else:
                await self._rest(self.limiters[CallClass.LOGIN], self.jitter.seconds(attempt))
        raise AssertionError

    async def _logged_in(self, request: Request, token: Token | None, take: Callable[[Reply], T]) -> T | Trouble:
        async def given() -> Token | None:
            return token

        seconds = min(request.deadline_seconds, max(1.0, self.outage.left))
        try:
            reply, _ = await self._permitted(replace(request, deadline_seconds=seconds), given, None)
        except (NotSent, MaybeSent, Shut) as error:
            return Trouble(str(error), unsent=isinstance(error, NotSent))
        return taken(self.system, request, reply, take)

    async def _permitted(
        self,
        request: Request,
        present: Callable[[], Awaitable[AnyToken]],
        before: Callable[[], Awaitable[None]] | None,
        *,
        probing: bool = False,
    ) -> tuple[Reply, AnyToken]:
        """The reply, and the token that was presented: asked for when the permit is held, for permits can take long.

        Waits while there is an outage, but for logins, which have a way of their own, and probes.
        """
        limiter = self.limiters[request.call_class]
        free = probing or request.call_class is CallClass.LOGIN
        while True:
            if self.outage.lasts and not free:
                await self.outage.passage(request, self._asked, self.closed)
            async with limiter.permit():
                token = await present()
                if self.outage.lasts and not free:  # it began meanwhile
                    continue
                return await self._timed(request, limiter, token, before), token

    async def _timed(
        self, request: Request, limiter: Limiter, token: Token | None, before: Callable[[], Awaitable[None]] | None
    ) -> Reply:
        """One sending, from which limiter and gate learn."""
        headers = dict(self.system.headers(self._fresh_id))
        if token is not None and not request.anonymous:
            if token.header_name:
                headers[token.header_name] = token.header_value
            if request.call_class is CallClass.LOGIN:
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
        return reply

    async def _asked(self, request: Request) -> Trouble | None:
        """One sending of a probe; None when it was answered as it should be."""
        seconds = min(request.deadline_seconds, max(1.0, self.outage.left))
        try:
            reply, _ = await self._permitted(
                replace(request, deadline_seconds=seconds), self.credential.token, None, probing=True
            )
        except (NotSent, MaybeSent, Shut) as error:
            return Trouble(str(error), unsent=isinstance(error, NotSent))
        status = self.system.status_of(reply)
        if status >= 500 and status != NOT_OFFERED:
            return Trouble(f"HTTP {status}")
        if reply.ok and request is not ANYTHING and request.method != "HEAD" and not self.system.readable(reply):
            return Trouble(f"HTTP {reply.status} with an unusable body of {len(reply.body)} bytes")
        return None

    def _without_secrets(self, request: Request, token: Token | None, reply: Reply) -> Reply:
        """The reply without what we presented; a login that succeeds may give the same again."""
        fine = 200 <= self.system.status_of(reply) < 300
        if fine and request.call_class is CallClass.LOGIN:
            return reply
        secrets, known = self.credential.secrets, self._ours
        if known is None or known[0] is not token or known[1] is not secrets:
            known = self._ours = token, secrets, Ours.presented(token, self.given, secrets)
        return known[2].without(reply, refused=not fine)

    async def _counted(self, request: Request, headers: dict[str, str]) -> Reply:
        status = "maybe_sent"  # also when it is cancelled under way
        try:
            reply = await self.sender.send(request, headers)
            status, self.outage.reached = str(reply.status), True
        except NotSent:
            status = "not_sent"
            raise
        finally:
            self.calls[request.operation, self._method(request), status] += 1
        return reply

    def _fresh_id(self) -> str:
        return f"{self.clock.random.getrandbits(128):032x}"

    def _method(self, request: Request) -> str:
        """Names the method under which a call is counted: a read that is sent with POST is no mutating call."""
        asks = request.method not in READS and request.call_class in READING
        return f"{request.method} (read)" if asks else request.method

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
