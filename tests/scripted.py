"""A target that answers by a rule: `Sender` without a network, with latencies on the clock that it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from jobs.clock import Clock
from jobs.systems.messages import CallClass, Reply, Request

if TYPE_CHECKING:
    from jobs.transport.sender import MaybeSent, NotSent

Rule = Callable[[Request, Mapping[str, str]], "Reply | NotSent | MaybeSent | None"]
"""The answer to a request with these headers; None for the standing answers."""


def reply(clock: Clock, status: int, document: Any = None, **headers: str) -> Reply:
    """A reply with a JSON body; header names with `_` for `-`."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, b"" if document is None else orjson.dumps(document), clock.now())


@dataclass
class Scripted:
    """Logs in whoever asks with token `t1`, `t2` …, renews likewise, answers the rest with 200 and `{}`."""

    clock: Clock
    rule: Rule = lambda _request, _headers: None
    latency: float = 0.1
    life: float = 900.0
    tenant: int = 1001
    requests: list[Request] = field(default_factory=list)
    presented: list[str | None] = field(default_factory=list)
    tokens: int = 0
    under_way: int = 0
    most_under_way: int = 0

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`."""
        self.requests.append(request)
        self.presented.append(headers.get("Authorization"))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.clock.sleep(self.latency)
        finally:
            self.under_way -= 1
        answer = self.rule(request, headers)
        if isinstance(answer, Exception):
            raise answer
        return answer or self._standing(request)

    async def reach(self) -> None:
        """There is nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def count(self, operation: str) -> int:
        """How often `operation` was sent."""
        return sum(request.operation == operation for request in self.requests)

    def _standing(self, request: Request) -> Reply:
        if request.call_class is not CallClass.LOGIN:
            return reply(self.clock, 200, {})
        self.tokens += 1
        return reply(
            self.clock,
            200,
            {
                "headerName": "Authorization",
                "headerValue": f"Bearer t{self.tokens}",
                "expiresEpochSecs": self.clock.now().timestamp() + self.life,
                "tenantId": self.tenant,
            },
        )
