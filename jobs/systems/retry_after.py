"""How long a reply asks us to wait: Retry-After, and the dates of HTTP."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_ASKED_SECONDS = 366 * 86_400.0
"""A year: whoever asks for more means for ever (chosen; a date of the year 9999 is none that one can add up with)."""

_SECONDS = re.compile(r"[0-9]{1,9}")


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
