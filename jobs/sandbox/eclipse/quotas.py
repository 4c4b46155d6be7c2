"""How much a user and a tenant may still ask for: windows over calls, and calls in flight."""

from collections.abc import Sequence

from jobs.sandbox.journal import Entry
from jobs.sandbox.limits import Windows
from jobs.sandbox.settings import Limit

Claim = tuple[str, Limit]
"""The key of a window (a user, a tenant, an address) and its limit."""


class Quotas(Windows):
    """Windows of which a call may need several: it is counted in all of them or in none."""

    def take(self, claims: Sequence[Claim], now: float) -> float | None:
        """Counts a call at `now` (monotonic seconds): None, or the seconds until all windows would admit it."""
        if all(self.left(key, limit, now) for key, limit in claims):
            for key, limit in claims:
                self.wait(key, limit, now)
            return None
        # A full window answers with its wait and counts nothing; the others must not be asked.
        waits = [self.wait(key, limit, now) or 0.0 for key, limit in claims if not self.left(key, limit, now)]
        return max(waits)

    def left(self, key: str, limit: Limit, now: float) -> int:
        """Calls that the window would still admit at `now`."""
        admitted = self._admitted.get(key)
        while admitted and admitted[0] <= now - limit.seconds:
            admitted.popleft()
        return max(0, limit.calls - len(admitted or ()))


class Flights:
    """Calls of each user between their arrival and the end of their reply. Refused calls don't count (chosen)."""

    def __init__(self) -> None:
        self._open: dict[str, list[Entry]] = {}
        self._refused: set[int] = set()

    def arrive(self, user: str, entry: Entry, limit: int) -> None:
        """A call of `user` arrives; one that finds `limit` others in flight is to be refused."""
        flying = [other for other in self._open.get(user, ()) if other.delivered is None]
        if len(flying) < limit:
            flying.append(entry)
        else:
            self._refused.add(entry.n)
        self._open[user] = flying

    def refused(self, entry: Entry) -> bool:
        """Did the call arrive while too many others were in flight?"""
        return entry.n in self._refused
