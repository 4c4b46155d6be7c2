"""How long nobody of a class of call sends after the target refused one because of a limit."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from jobs.clock import Clock
from jobs.transport.retry import MAX_RETRY_AFTER_SECONDS
from jobs.value import value

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds to pause after a refusal at least: the first, doubled with each further one in a row, up to the second
(chosen). So a target that asks for no pause at all, or for one that is over, is not called in a loop."""

MOST_REFUSED_SECONDS = MAX_RETRY_AFTER_SECONDS
"""Chosen: a class of call of which everything was refused for so long is not waited for any longer."""

SAID_AGAIN_SECONDS = 1.0
"""A pause that refusals of calls under way make longer by less is the same pause (chosen)."""


@value
class Hold:
    """Nobody of a class of call sends for `seconds` from now on; `given_up`: nobody waits for its end either."""

    seconds: float
    asked: float | None
    """Seconds that the target asked for, at `at`; None: it did not say."""
    at: datetime
    """The wall clock's time, for people."""
    source: str
    """With what it refused, such as `HTTP 429`."""
    given_up: bool = False
    kept: bool = False
    """Whether another process was told so, or an earlier one."""


Hear = Callable[[Hold], None]


class Shut(Exception):
    """The target refuses this class of call for longer than anybody waits: nothing was sent."""


def nobody(_: Hold) -> None:
    """Hears nothing."""


class Pauses:
    """Holds the pauses of one class of call of one process. `hear` is told of each pause as it begins."""

    def __init__(self, clock: Clock, hear: Hear = nobody) -> None:
        self.clock, self.hear = clock, hear
        self.open_at = clock.monotonic()
        """The monotonic time before which nobody sends."""
        self.ring = asyncio.Event()
        """Set for those who wait for `open_at` when they should wait no longer."""
        self.refusals = 0
        """In a row, waves of calls that were under way together counted once."""
        self._refused_since: float | None = None
        self._shut_until = float("-inf")
        self._source = ""

    def refused(self, asked: float | None, source: str) -> bool:
        """The target refused a call. Whether that says anything new: it was sent when no pause was on.

        `asked`: seconds that it asked for; None: it did not say.
        """
        now, before = self.clock.monotonic(), self.open_at
        fresh = now >= before
        self.refusals += fresh
        self._refused_since = now if self._refused_since is None else self._refused_since
        least = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(0, self.refusals - 1), 30))
        seconds = max(least, min(asked or 0.0, MAX_RETRY_AFTER_SECONDS))
        self.open_at, self._source = max(before, now + seconds), source
        given_up = (asked or 0.0) > MAX_RETRY_AFTER_SECONDS or now - self._refused_since >= MOST_REFUSED_SECONDS
        if given_up:
            self._shut_until = self.open_at
            self.ring.set()
        if fresh or self.open_at >= before + SAID_AGAIN_SECONDS:
            self.begin(Hold(seconds, asked, self.clock.now(), source, given_up))
        return fresh

    def begin(self, hold: Hold) -> None:
        """A pause has begun, or became longer."""
        self.hear(hold)

    def answered(self) -> None:
        """The target took a call."""
        self.refusals, self._refused_since = 0, None

    def check(self) -> None:
        """Raises Shut when nobody waits for the end of the pause."""
        left = self._shut_until - self.clock.monotonic()
        if left > 0:
            raise Shut(f"refused because of a limit ({self._source}), and not tried for another {left:,.0f} s")
        self.ring.clear()

    def behind(self, now: float) -> bool:  # noqa: ARG002 - for who keeps them
        """Whether there is something to tell a ledger, or to hear of it; `now` is monotonic."""
        return False

    async def keep(self) -> None:
        """Brings a ledger up to date, and learns from it; this one is kept nowhere."""
