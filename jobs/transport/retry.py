"""When a thing is tried again, and how long to wait: tenacity's policies, by class of failure.

The first attempt is always bare (tenacity costs 20 µs a call, measured); these policies are entered after a failure.
"""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState
from tenacity.wait import wait_base

MAX_RETRY_AFTER_SECONDS = 3600.0
"""Chosen: nobody sleeps longer because of a target's word; a run that is asked for more ends, and leaves its rows."""

MOST_ASKED_SECONDS = 366 * 86_400.0
"""A year: whoever asks for more means for ever (chosen; a date of the year 9999 is none that one can add up with)."""

_SECONDS = re.compile(r"[0-9]{1,9}")


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


def retry_after_seconds(headers: Mapping[str, str], received_at: datetime) -> float | None:
    """Seconds that a reply's Retry-After asks for, in [0, MOST_ASKED_SECONDS].

    A date is measured against the reply's own Date header, because the server's clock may differ from ours;
    without a Date header, against `received_at`. None when there is no header or it can't be read: `²`, `-1`
    and `1.5` are no numbers of seconds (RFC 9110, 10.2.3).
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and _SECONDS.fullmatch(value):
        return min(float(value), MOST_ASKED_SECONDS)
    then = http_date(value)
    if then is None:
        return None
    base = http_date(headers.get("date", "")) or received_at
    return min(max(0.0, (then - base).total_seconds()), MOST_ASKED_SECONDS)


def http_date(value: str) -> datetime | None:
    """An HTTP date in any of its three forms, in UTC; None when it is none."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
