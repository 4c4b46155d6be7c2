"""Sliding windows over arrivals. A refused call does not use up the window (chosen; no page says)."""

from collections import deque

from jobs.sandbox.settings import Limit


class Windows:
    """One window for each key (a credential, an address)."""

    def __init__(self) -> None:
        self._admitted: dict[str, deque[float]] = {}

    def wait(self, key: str, limit: Limit, now: float) -> float | None:
        """Admits a call at `now` (monotonic seconds): None, or the seconds until one would be admitted."""
        admitted = self._admitted.setdefault(key, deque())
        while admitted and admitted[0] <= now - limit.seconds:
            admitted.popleft()
        if len(admitted) < limit.calls:
            admitted.append(now)
            return None
        return admitted[-limit.calls] + limit.seconds - now
