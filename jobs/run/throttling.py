"""What a run makes of limits and pauses: it says who waits for how long, or ends when that is in vain.

Times are told here too: also that the clock was set while a run worked.
"""

from collections.abc import Sequence
from datetime import timedelta

from jobs.clock import Clock, Stamp
from jobs.engine.stops import Stops
from jobs.progress import Progress
from jobs.run.wiring import Hearing
from jobs.systems.messages import CallClass
from jobs.transport.limiter import Limiter, Window
from jobs.transport.pauses import MOST_REFUSED_SECONDS, Hold
from jobs.transport.quota import SharedWindow
from jobs.transport.retry import MAX_RETRY_AFTER_SECONDS

SAID_SECONDS = 60.0
"""Chosen: shorter pauses are part of a run that finds its pace, and are not worth a line."""


SET_CLOCK_MS = 10_000
"""Chosen: a clock that is corrected by less confuses nobody who reads the files of a run."""


class Throttling:
    """Hears of the pauses of one run. Until the run is under way, it only tells."""

    def __init__(self, stops: Stops, progress: Progress, clock: Clock) -> None:
        self.stops, self.progress, self.clock = stops, progress, clock
        self._limiters: Sequence[Limiter] = ()
        self._waited: dict[CallClass, list[Hold]] = {}
        self._until: dict[CallClass, float] = {}

    def begin(self, limiters: Sequence[Limiter]) -> None:
        """The run is under way, and can be ended."""
        self._limiters = limiters

    def heard(self, kind: CallClass, hold: Hold) -> None:
        """Nobody sends calls of `kind` for a while."""
        left = self.stops.seconds_left(self.clock)
        late = left is not None and hold.seconds >= max(left, SAID_SECONDS)
        if self._limiters and (hold.given_up or late):
            self._stop(kind, hold, "which is after the deadline" if late else "longer than a run waits")
        elif hold.seconds >= SAID_SECONDS and self._news(kind, hold):
            self._waited.setdefault(kind, []).append(hold)
            self.progress.note(f"{told(kind, hold)}: waiting {span(hold.seconds)}")

    def _news(self, kind: CallClass, hold: Hold) -> bool:
        """Whether it is not the pause that was told last, somewhat longer."""
        before, self._until[kind] = self._until.get(kind, float("-inf")), self.clock.monotonic() + hold.seconds
        return self._until[kind] >= before + SAID_SECONDS

    def note(self) -> None:
        """Lets the report say what was waited for."""
        for kind, holds in self._waited.items():
            longest = max(holds, key=lambda hold: hold.seconds)
            times = f"; {len(holds)} such pauses in all" if len(holds) > 1 else ""
            self.stops.note(f"{told(kind, longest)}: waited {span(longest.seconds)}{times}")

    def _stop(self, kind: CallClass, hold: Hold, why: str) -> None:
        """Ends the run: the rows are left for another one. Whoever waits for a permit must not fail a row for it."""
        if hold.given_up and (hold.asked or 0.0) <= MAX_RETRY_AFTER_SECONDS:
            why = f"and has refused every one for {span(MOST_REFUSED_SECONDS)}"
        if kind is not CallClass.WRITE:
            self.stops.unreadable = True
        self.stops.policy("throttled", f"stopped: {told(kind, hold)}, {why}")
        for limiter in self._limiters:
            limiter.close()


def tell_kept(window: Window, progress: Progress) -> None:
    """Says that the run begins below its limit, or behind calls of others, where it does."""
    if isinstance(window, SharedWindow) and window.undated:
        progress.note(
            f"{window.undated} calls were made before this machine was started, or by another one: they count as just "
            f"made, so that the first of this run may wait up to {window.rate.seconds:g} s"
        )
    if window.rate != window.most:
        most, rate = (f"{each.calls} calls in {each.seconds:g} s" for each in (window.most, window.rate))
        progress.note(f"the target has refused {most}: beginning with {rate}, as learned earlier")


def note_clock(stops: Stops, clock: Clock, began: Stamp) -> None:
    """Lets the report say that the wall clock was set while the run worked: its times jump there."""
    now = clock.stamp()
    set_by = (now.wall_ms - began.wall_ms) - (now.up_ms - began.up_ms)
    if abs(set_by) >= SET_CLOCK_MS:
        way = "forward" if set_by > 0 else "back"
        by = span(abs(set_by) / 1000)
        stops.note(f"the clock of this machine was set {way} by {by} during the run: the times in its files jump")


def saying(progress: Progress) -> Hearing:
    """For a command that only reads: tells of pauses of a minute and more."""

    def heard(kind: CallClass, hold: Hold) -> None:
        if hold.seconds >= SAID_SECONDS:
            progress.note(f"{told(kind, hold)}: waiting {span(hold.seconds)}")

    return heard


def told(kind: CallClass, hold: Hold) -> str:
    """Who asked for what, when, and until when."""
    if not hold.asked:
        return f"the target takes no {kind} calls ({hold.source}) and does not say for how long"
    until = hold.at + timedelta(seconds=hold.asked)
    whom = f" another process or an earlier one, at {hold.at:%Y-%m-%d %H:%M:%S} UTC," if hold.kept else ""
    return (
        f"the target asked{whom} for no {kind} calls for {span(hold.asked)}, "
        f"until {until:%Y-%m-%d %H:%M:%S} UTC ({hold.source})"
    )


def span(seconds: float) -> str:
    """`3 d 4 h`, `24 h`, `40 min`, `90 s`: two units at most."""
    whole = round(seconds)
    for size, name, small, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= 2 * size or whole == size:
            rest = whole % size // small
            return f"{whole // size} {name}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"
