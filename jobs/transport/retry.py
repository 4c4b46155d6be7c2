"""When a thing is tried again, and how long to wait: tenacity's policies, by class of failure.

The first attempt is always bare (tenacity costs 20 µs a call, measured); these policies are entered after a failure.
"""

import random

from tenacity import RetryCallState
from tenacity.wait import wait_base

MAX_RETRY_AFTER_SECONDS = 3600.0
"""Chosen: nobody sleeps longer because of a target's word; a run that is asked for more ends, and leaves its rows."""


class FullJitter(wait_base):
    """Exponential back-off with full jitter: uniform in [floor, min(cap, first * 2**(n-1))] seconds.

    Jitter keeps workers that failed together from coming back together. Randomness is handed in, so that a
    simulation can repeat itself.
    """

    def __init__(self, source: random.Random, *, first: float = 0.5, cap: float = 30.0, floor: float = 0.1) -> None:
        self.source, self.first, self.cap, self.floor = source, first, cap, floor

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds to wait after attempt `retry_state.attempt_number`."""
        return self.seconds(retry_state.attempt_number)

    def seconds(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` (from 1)."""
        top = min(self.cap, self.first * 2.0 ** min(max(1, attempt) - 1, 60))
        return self.source.uniform(min(self.floor, top), top)
