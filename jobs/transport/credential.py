"""A credential and its token: one login at a time, renewal in good time, and a stop before an account is locked."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from jobs.clock import Clock
from jobs.errors import NotPermitted
from jobs.model import Secrets
from jobs.systems.contract import System
from jobs.systems.messages import ReadFailed, Reply, Request, Token
from jobs.systems.optional import Challenging

RENEW_BELOW_SECONDS = 300.0
"""The vendor: "Renew proactively if within 5 minutes of expiry"."""

RENEW_BELOW_SHARE = 0.2
"""For tokens that live shorter than 25 minutes, a fifth of their life: else they would be renewed with every call."""

SHORTEST_USE_SECONDS = 1.0
"""Chosen: a token that came with no time left is tried all the same, not replaced before every call."""

MOST_FAILED_LOGINS = 3
"""Chosen: fewer than the usual five after which an account is locked."""


T = TypeVar("T")


class Exchange(Protocol):
    """Sends a login or renewal, limited, and retried for as long as an outage may last."""

    async def __call__(self, request: Request, token: Token | None, take: Callable[[Reply], T]) -> T:
        """What `take` makes of the reply; `token`, of a renewal, is presented.

        Raises Unreachable, ReadFailed for a renewal, and NotPermitted.
        """
        ...


class Credential:
    """Hands out the current token and replaces it in time; all workers share one."""

    def __init__(self, system: System, secrets: Secrets, tenant: str, exchange: Exchange, clock: Clock) -> None:
        self.system, self.secrets, self.tenant, self.exchange, self.clock = system, secrets, tenant, exchange, clock
        self.logins = 0
        self._token: Token | None = None
        self._renew_at = 0.0
        self._refused = 0
        self._single = asyncio.Lock()

    async def token(self) -> Token:
        """A token with time left. Raises NotPermitted, Unreachable."""
        if self._token is None or self.clock.monotonic() >= self._renew_at:
            async with self._single:
                if self._token is None or self.clock.monotonic() >= self._renew_at:
                    await self._replace()
        assert self._token is not None
        return self._token

    async def refused(self, token: Token) -> Token:
        """A token other than `token`, which the target answered with 401. One login for a whole wave of these."""
        async with self._single:
            if self._token is token:
                self._token = None
            if self._token is None:  # also when the worker before found that no login is possible
                await self._replace()
        assert self._token is not None
        return self._token

    async def _replace(self) -> None:
        """Renews the current token, or logs in. The caller holds the lock."""
        if self.secrets.token is not None:
            self._accept(self._own(self._given(self.secrets.token)))
            return
        renewed = await self._renewed() if self._token is not None else None
        self._accept(renewed or await self._login())

    def _given(self, value: str) -> Token:
        if self._refused:
            raise NotPermitted("the target refuses the given token", hint="give a fresh MUSTER_TOKEN")
        self._refused += 1
        return self.system.given(value)

    async def _renewed(self) -> Token | None:
        assert self._token is not None
        request = self.system.renewal(self._token)
        if request is None:
            return None
        try:
            return self._own(await self.exchange(request, self._token, self.system.token_of))
        except (NotPermitted, ReadFailed):
            return None  # a renewal that fails is followed by a login

    async def _login(self) -> Token:
        if self._refused >= MOST_FAILED_LOGINS:
            raise NotPermitted(f"{self._refused} logins were refused; stopped before the account is locked")
        request = await self._login_request()
        if request is None:
            return self.system.given("")
        self.logins += 1
        try:
            return self._own(await self.exchange(request, None, self.system.token_of))
        except NotPermitted:
            self._refused += 1
            raise

    async def _login_request(self) -> Request | None:
        """With a password, or a signed challenge where the system is set to that; None where it takes nothing."""
        identity, password, key = self.secrets.identity, self.secrets.password, self.secrets.private_key
        if isinstance(self.system, Challenging) and (challenge := self.system.challenge(identity or "")) is not None:
            if identity is None or key is None:
                raise NotPermitted("no key to log in with", hint="set MUSTER_IDENTITY and MUSTER_PRIVATE_KEY_FILE")
            answer = self.system.answer
            return await self.exchange(challenge, None, lambda reply: answer(identity, reply, key))
        if identity is not None and password is not None:
            return self.system.login(identity, password)
        if "nothing" in self.system.capabilities.takes:
            return None
        raise NotPermitted("no credential", hint="set MUSTER_IDENTITY and MUSTER_PASSWORD, or MUSTER_TOKEN")

    def _own(self, token: Token) -> Token:
        """`token`, when it is for the configured tenant."""
        if token.tenant is not None and token.tenant != self.tenant:
            raise NotPermitted(
                f"the credential belongs to tenant {token.tenant}, not to {self.tenant}; nothing was sent",
                hint="check --tenant and the credential",
            )
        return token

    def _accept(self, token: Token) -> None:
        self._token = token
        if token.successor is not None:
            self.secrets = self.secrets.succeeded(token.successor)
        margin = min(RENEW_BELOW_SECONDS, token.life_seconds * RENEW_BELOW_SHARE)
        self._renew_at = self.clock.monotonic() + max(SHORTEST_USE_SECONDS, token.life_seconds - margin)
