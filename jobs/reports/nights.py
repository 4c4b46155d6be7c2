"""The runs of a tenant, one after the other: what each of them did, for a trend. Counts and names of files, no rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jobs.clock import from_milliseconds
from jobs.model import ATTENTION, COMPLETE, Outcome
from jobs.reports.chart import STEP, Columns, columns
from jobs.value import value

MOST_NIGHTS = 30
"""Chosen: a month of nights; more columns than that no page of paper shows beside a table."""


NARROWEST = 16 * STEP
"""Chosen: a drawing has room for sixteen runs, so that two of them are columns and no fields."""


@value
class Night:
    """One run. Times in milliseconds; `took_ms` and `exit_code` are None while it is open."""

    run_id: str
    command: str
    file: str
    started_ms: int
    rows: int
    outcomes: Mapping[str, int]
    took_ms: int | None = None
    exit_code: int | None = None
    differences: int = 0
    """Lines of the fresh read that did not agree with the target."""
    limits: Mapping[str, Any] | None = None
    """`calls`, `seconds` and `peak` of summary.json; None where the run made none."""

    @property
    def began(self) -> str:
        """When it began, in UTC: `2026-11-21 02:15`."""
        return f"{from_milliseconds(self.started_ms):%Y-%m-%d %H:%M}"

    @property
    def complete(self) -> int:
        """Rows that have all that was to be made for them."""
        return sum(self.outcomes.get(outcome, 0) for outcome in COMPLETE)

    @property
    def pending(self) -> int:
        """Rows whose end is still open at the target."""
        return self.outcomes.get(Outcome.PENDING, 0)

    @property
    def attention(self) -> int:
        """Rows that a person has to look at."""
        return sum(self.outcomes.get(outcome, 0) for outcome in ATTENTION)

    @property
    def used(self) -> str:
        """Calls in the busiest window, and how many were allowed where that was known: `34 of 60`."""
        if not self.limits or not self.limits.get("peak"):
            return "–"
        allowed = self.limits.get("calls")
        return f"{self.limits['peak']:,}" + (f" of {allowed:,}" if allowed else "")

    @property
    def used_percent(self) -> int:
        """The same in per cent of those allowed; 0 where that is not known."""
        allowed = self.limits.get("calls") if self.limits else None
        return round(100 * self.limits["peak"] / allowed) if self.limits and allowed else 0


@value
class Nights:
    """Runs as a page shows them, the oldest first."""

    nights: Sequence[Night]
    drawn: Columns
    ends: tuple[str, ...]
    """When the first and, where the drawing is full, the last of them began."""


def trend(nights: Sequence[Night], most: int = MOST_NIGHTS, *, fewest: int = 2) -> Nights | None:
    """The last `most` of `nights` (the oldest first); None where there are fewer than `fewest`."""
    shown = nights[-most:]
    if len(shown) < fewest:
        return None
    series = {
        "complete": [night.complete for night in shown],
        "pending": [night.pending for night in shown],
        "attention": [night.attention for night in shown],
    }
    drawn = columns(series)
    ends = (shown[0].began, shown[-1].began) if drawn.width >= NARROWEST else (shown[0].began,)
    return Nights(shown, replace(drawn, width=max(drawn.width, NARROWEST)), ends)
