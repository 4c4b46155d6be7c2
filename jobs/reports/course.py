"""How a run went along: throughput and errors over time, latency per step, calls against the limit.

Made from the events of the run in one pass and flat memory. It draws nothing; `chart.py` does.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from jobs.clock import from_milliseconds, iso
from jobs.model import COMPLETE, Outcome, Rate
from jobs.value import value

MOST_BUCKETS = 120
"""Chosen: more columns than this are thinner than a pen on paper."""

WIDTHS_MS = tuple(
    1000 * seconds for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)
)
"""Lengths of a bucket that people can read off a clock; shorter runs have buckets of 100 ms and more."""

UNKNOWN_LIMIT_SECONDS = 60.0
"""Chosen: calls are counted per minute where no limit is known."""

SET_BACK_MS = 10_000
"""Chosen: of calls, events are written within less of when they happened; one that is earlier than that comes of a
clock that was set back."""

CALLS = frozenset({"intent", "result"})

LONGEST_CALL_MS = 600_000
"""Chosen: no call takes so long (the longest deadline is 90 s); who seems to was under way when the clock was set."""

UNSENT = frozenset({Outcome.QUARANTINED, Outcome.NOT_ATTEMPTED})
"""Outcomes that say nothing of the target's pace."""


@value
class Timeline:
    """Counts per bucket, all series of the same length (at most `MOST_BUCKETS`); bucket 0 begins at `started_ms`."""

    started_ms: int
    width_ms: int
    complete: Sequence[int]
    """Rows that ended onboarded, or were so already."""
    pending: Sequence[int]
    attention: Sequence[int]
    """Rows that ended otherwise; those of `UNSENT` are in no series."""
    calls: Sequence[int]
    """Mutating calls sent."""
    errors: Sequence[int]
    """Of these calls, those answered with 429 or 5xx, or not at all; in the bucket of their sending."""

    @property
    def ended(self) -> list[int]:
        """Rows that ended, per bucket."""
        return [sum(counts) for counts in zip(self.complete, self.pending, self.attention, strict=True)]

    def to_document(self) -> dict[str, object]:
        """The part `timeline` of summary.json."""
        return {
            "started_at": iso(from_milliseconds(self.started_ms)),
            "bucket_seconds": self.width_ms / 1000,
            "complete": list(self.complete),
            "pending": list(self.pending),
            "attention": list(self.attention),
            "calls": list(self.calls),
            "errors": list(self.errors),
        }


@value
class Latency:
    """Milliseconds from the committed intent of a call to its result, by nearest rank over all calls of a step."""

    step: str
    calls: int
    p50_ms: int
    p90_ms: int
    p99_ms: int
    longest_ms: int


@value
class Usage:
    """Mutating calls within any `seconds`, against the limit."""

    calls: int | None
    """How many were allowed; None where no limit is known."""
    seconds: float
    peak: int
    per_bucket: Sequence[int]
    """The most calls within the window that ended in each bucket of the timeline."""

    def to_document(self) -> dict[str, object]:
        """The part `limits` of summary.json."""
        return {"calls": self.calls, "seconds": self.seconds, "peak": self.peak, "per_bucket": list(self.per_bucket)}


@value
class Course:
    """A whole run as it went along."""

    timeline: Timeline
    latency: tuple[Latency, ...]
    usage: Usage


def course(
    moments: Iterable[Sequence[Any]], *, started_ms: int, ended_ms: int, limit: Rate | None, steps: Sequence[str] = ()
) -> Course:
    """The course of a run between two times in milliseconds.

    `moments`: (at_ms, kind, key, step, attempt, verdict, http_status, detail), oldest first. Where their clock was set
    back, time goes on from there; a time outside of the run counts at its nearer end. `limit`: of mutating calls, None
    where it is not known. `steps`: their order; one that is not among them comes behind them.
    """
    tally, newest, shift = _Tally(started_ms, ended_ms, limit), started_ms, 0
    for shown_ms, kind, key, step, attempt, verdict, status, detail in moments:
        if kind in CALLS:
            if shown_ms + shift < newest - SET_BACK_MS:
                shift = newest - shown_ms
            newest = max(newest, shown_ms + shift)
        at_ms = shown_ms + shift
        bucket = min(max((at_ms - started_ms) // tally.width_ms, 0), tally.buckets - 1)
        if kind == "intent":
            tally.sent(bucket, at_ms, (key, step, attempt))
        elif kind == "result" and detail != "read":
            tally.answered(at_ms, (key, step, attempt), status)
        elif kind == "outcome" and verdict not in UNSENT:
            tally.ended(bucket, verdict)
    return tally.course(steps)


class _Tally:
    """The counts while events pass by. `open` and `window` hold calls under way or within the limit's window only."""

    def __init__(self, started_ms: int, ended_ms: int, limit: Rate | None) -> None:
        length = max(ended_ms - started_ms, 1)
        self.started_ms, self.limit, self.width_ms = started_ms, limit, _width(length)
        self.buckets = -(-length // self.width_ms)
        self.series = {name: [0] * self.buckets for name in ("complete", "pending", "attention", "calls", "errors")}
        self.peaks = [0] * self.buckets
        self.seconds = limit.seconds if limit else UNKNOWN_LIMIT_SECONDS
        self.window: deque[int] = deque()
        self.open: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.taken: dict[str, Counter[int]] = {}

    def sent(self, bucket: int, at_ms: int, call: tuple[str, str, int]) -> None:
        self.open[call] = at_ms, bucket
        self.series["calls"][bucket] += 1
        self.window.append(at_ms)
        while self.window[0] <= at_ms - 1000 * self.seconds:
            self.window.popleft()
        self.peaks[bucket] = max(self.peaks[bucket], len(self.window))

    def answered(self, at_ms: int, call: tuple[str, str, int], status: int | None) -> None:
        sent = self.open.pop(call, None)
        if sent is not None:
            since, bucket = sent
            if at_ms - since < LONGEST_CALL_MS:
                self.taken.setdefault(call[1], Counter())[max(at_ms - since, 0)] += 1
            self.series["errors"][bucket] += status is None or status == 429 or status >= 500

    def ended(self, bucket: int, outcome: str) -> None:
        kind = "complete" if outcome in COMPLETE else "pending" if outcome == Outcome.PENDING else "attention"
        self.series[kind][bucket] += 1

    def course(self, steps: Sequence[str]) -> Course:
        taken = sorted(self.taken.items(), key=lambda each: steps.index(each[0]) if each[0] in steps else len(steps))
        return Course(
            Timeline(self.started_ms, self.width_ms, **self.series),
            tuple(_latency(step, times) for step, times in taken),
            Usage(self.limit.calls if self.limit else None, self.seconds, max(self.peaks), self.peaks),
        )


def _width(length_ms: int) -> int:
    """The shortest readable bucket of which at most `MOST_BUCKETS` fill the run."""
    least = -(-length_ms // MOST_BUCKETS)
    if least <= 500:
        return -(-least // 100) * 100
    return next((width for width in WIDTHS_MS if width >= least), -(-least // 86_400_000) * 86_400_000)


def _latency(step: str, taken: Counter[int]) -> Latency:
    values = sorted(taken)
    ranks = list(accumulate(taken[value] for value in values))

    def percentile(part: int) -> int:
        return values[bisect_left(ranks, -(-ranks[-1] * part // 100))]

    return Latency(step, ranks[-1], percentile(50), percentile(90), percentile(99), values[-1])
