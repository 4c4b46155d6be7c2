"""How long so many calls take: what the limit allows, or what replies and rows at a time allow, whichever is less."""

import math

from jobs.model import Rate
from jobs.value import value

LATENCIES = (0.05, 0.2, 1.0)
"""Seconds a reply for which a plan says how long its file takes (chosen: a near, a far and a slow target)."""


@value
class Capacity:
    """A file's calls and what they have to fit into. `rate` None: mutating calls have no limit that is known."""

    rows: int
    """Those for which something is sent."""
    writes: int
    reads: int
    rate: Rate | None
    at_once: int

    def limited(self) -> float:
        """Seconds from the first to the last mutating call as the limit allows them; 0 without one."""
        if self.rate is None or not self.writes:
            return 0.0
        return (math.ceil(self.writes / self.rate.calls) - 1) * self.rate.seconds

    def answered(self, latency: float) -> float:
        """Seconds that the replies take, each `latency` seconds, to as many rows at once."""
        return (self.writes + self.reads) * latency / min(self.at_once, max(1, self.rows))

    def seconds(self, latency: float) -> float:
        """What the whole takes at least, the machine's own time aside."""
        return max(self.limited(), self.answered(latency))

    def rows_an_hour(self, latency: float) -> int:
        """Rows of that kind in an hour of many: at the limit in the long run, not in its first window."""
        a_row = (self.writes + self.reads) / max(1, self.rows) * latency / self.at_once
        if self.rate is not None:
            a_row = max(a_row, self.writes / max(1, self.rows) * self.rate.seconds / self.rate.calls)
        return int(3600 / a_row) if a_row else 0

    def bound(self, latency: float) -> str:
        """What makes it take so long, in a word."""
        return "limit" if self.limited() >= self.answered(latency) else "replies"
