"""What the answer to a login, a challenge or a renewal means: a token, a refusal, or trouble that may pass."""

from collections.abc import Callable
from typing import TypeVar

from jobs.errors import NotPermitted
from jobs.systems.contract import System
from jobs.systems.messages import Reply, Request
from jobs.systems.retry_after import retry_after_seconds
from jobs.transport.credential import MOST_FAILED_LOGINS
from jobs.transport.outage import Trouble

T = TypeVar("T")

MOST_UNUSABLE = 5
"""Chosen, as for reads: so many successes that bring no token are one too many."""

NO_LOGIN_THERE = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
"""Answers to a login that are about the address, not about the credential."""

PASSING = frozenset({408, 421, 425})
"""Beside 429 and 5xx: a login that is answered so may succeed a moment later."""


class Unusable(Exception):
    """A login was answered with what is neither a token nor a refusal. `worth`: how often it may be tried in all."""

    def __init__(self, why: str, worth: int) -> None:
        super().__init__(why)
        self.worth = worth


def taken(system: System, request: Request, reply: Reply, take: Callable[[Reply], T]) -> T | Trouble:
    """What `take` makes of the reply, or why it may be another one in a moment.

    Raises Unusable where `take` can't use it (ValueError), and NotPermitted like `take`.
    """
    status = system.status_of(reply)
    if status >= 500 or status in PASSING or system.throttled(reply):
        asked = retry_after_seconds(reply.headers, reply.received_at) or 0.0
        return Trouble(f"the {request.operation} was answered with HTTP {status}", asked=asked)
    if status in NO_LOGIN_THERE:
        raise NotPermitted(f"the target has no such {request.operation} (HTTP {status})", hint="check --base-url")
    try:
        return take(reply)
    except ValueError as error:
        worth = MOST_UNUSABLE if reply.ok else MOST_FAILED_LOGINS  # it might be a refusal all the same
        raise Unusable(f"the answer to the {request.operation} can't be used: {error}", worth) from None
