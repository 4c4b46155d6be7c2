"""The sandbox's own time. Windows use the monotonic clock, everything that is shown to a client the wall clock."""

import time
from datetime import UTC, datetime
from email.utils import formatdate


class Clock:
    """Real time, with a wall clock that may be wrong by `offset` seconds (a server whose clock is off)."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Seconds since the epoch on the server's clock."""
        return time.time() + self.offset

    def monotonic(self) -> float:
        """Seconds that never go backwards; comparable within one machine and one boot."""
        return time.monotonic()


def iso(seconds: float) -> str:
    """UTC with milliseconds and a `Z`, as the vendors write it: `2026-05-19T08:30:00.000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def http_date(seconds: float) -> str:
    """The form of `Date` and `Retry-After` headers: `Tue, 19 May 2026 08:30:00 GMT`."""
    return formatdate(seconds, usegmt=True)
