"""How work that goes on is shown in a few lines, at any width. Text only; nothing is read, and no time is told."""

from collections import deque
from collections.abc import Mapping

from jobs.model import COMPLETE, Outcome, Rate
from jobs.value import value

PACE_SECONDS = 60.0
"""Chosen: the time left follows the pace of the last minute, because rows that are done already pass in an instant."""

BURST_SECONDS = 3.0
"""Chosen: what passes in the first seconds of a stage was settled before, and says nothing of the pace."""

FULL, EMPTY = "━", "─"
SHORTEST_BAR, LONGEST_BAR = 10, 40
"""Characters (chosen)."""

FIRST_SAID = (Outcome.IN_DOUBT, Outcome.FAILED)
"""Outcomes that stand first where there is not room for all."""


@value
class Glance:
    """What goes on at a moment beside the rows that have ended."""

    under_way: int = 0
    """Rows in the hands of a worker."""
    parked: int = 0
    """Rows that wait for a decision."""
    calls: int = 0
    """Mutating calls that count in the window now."""
    allowed: Rate | None = None
    """How many may; None: no limit is known."""
    per_second: float | None = None
    """The pace that was found by trying; None where there is a limit."""
    limited_by: str = ""
    """What keeps the work from going faster; empty: nothing is known to."""
    stopping: bool = False


class Tally:
    """Rows that went by, their outcomes, and the pace of the last minute."""

    def __init__(self, name: str, total: int | None, now: float) -> None:
        self.name, self.total, self.began = name, total, now
        self.rows = self.worked = 0
        self.outcomes: dict[str, int] = {}
        self._marks: deque[tuple[float, int]] = deque([(now, 0)])

    def add(self, rows: int, outcome: str | None, now: float) -> None:
        """`rows` more have ended; those that were not attempted are counted, and are no progress.

        Refused rows are all there at once, and say nothing of the pace.
        """
        if outcome:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + rows
        if outcome == Outcome.NOT_ATTEMPTED:
            return
        self.rows += rows
        self.worked += 0 if outcome == Outcome.QUARANTINED else rows
        if now - self.began < BURST_SECONDS:
            self._marks = deque([(now, self.worked)])
        elif now - self._marks[-1][0] >= 1:
            self._marks.append((now, self.worked))
        while now - self._marks[0][0] > PACE_SECONDS and len(self._marks) > 1:
            self._marks.popleft()

    def per_second(self, now: float) -> float:
        """Rows a second within the last minute."""
        since, rows = self._marks[0] if now - self.began >= BURST_SECONDS else (self.began, 0)
        return (self.worked - rows) / max(0.5, now - since)

    def left(self, now: float) -> float | None:
        """Seconds until all rows have ended at this pace; None when that can't be told."""
        pace = self.per_second(now) if now - self.began >= BURST_SECONDS else 0
        return None if self.total is None or not pace else max(0, self.total - self.rows) / pace


def face(tally: Tally, glance: Glance | None, width: int, now: float) -> list[str]:
    """Two or three lines of at most `width` characters: how far, what goes on, and the outcomes beneath."""
    lines = [_how_far(tally, width, now)]
    if glance is not None:
        lines.append(_fitting(_goes_on(glance), width))
    if tally.outcomes:
        lines.append(_outcomes(tally.outcomes, width))
    return lines


def one_line(tally: Tally, glance: Glance | None, now: float) -> str:
    """The same for a log, on one line."""
    of = f" of {tally.total:,}" if tally.total else ""
    left = tally.left(now)
    parts = [f"{tally.name}: {tally.rows:,}{of} rows", f"{tally.per_second(now):,.1f}/s"]
    parts += [f"{span(left)} left"] if left else []
    parts += _goes_on(glance) if glance is not None else []
    return ", ".join(parts) + "".join(f"  {name} {rows:,}" for name, rows in most(tally.outcomes))


def most(outcomes: Mapping[str, int]) -> list[tuple[str, int]]:
    """The outcomes that occur, the most frequent first."""
    return sorted(outcomes.items(), key=lambda each: -each[1])


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def window(rate: Rate) -> str:
    """`60 in 3 min`: a limit as people say it."""
    return f"{rate.calls:,} in {span(rate.seconds) if rate.seconds >= 90 else f'{rate.seconds:g} s'}"


def _how_far(tally: Tally, width: int, now: float) -> str:
    pace = f"{tally.per_second(now):,.1f}/s"
    if not tally.total:
        return _fitting([f"{tally.name}  {tally.rows:,} rows", pace], width)
    left = tally.left(now)
    share = min(100, 100 * tally.rows // tally.total)
    words = [f"{tally.rows:,}/{tally.total:,}", f"{share} %", pace, f"{span(left)} left" if left is not None else ""]
    text = "  ".join(word for word in words if word)
    room = min(LONGEST_BAR, width - len(tally.name) - len(text) - 4)
    if room < SHORTEST_BAR:
        return f"{tally.name}  {text}"[:width]
    full = min(room, room * tally.rows // tally.total)
    return f"{tally.name}  {FULL * full}{EMPTY * (room - full)}  {text}"


def _goes_on(glance: Glance) -> list[str]:
    """What goes on, the most important first."""
    if glance.stopping:
        return [f"stopping: {glance.under_way:,} under way", "what is done is saved"]
    parts: list[str] = []
    if glance.allowed is not None:
        parts.append(f"{glance.calls:,} of {window(glance.allowed)}")
    elif glance.per_second is not None:
        parts.append(f"pace {glance.per_second:,.1f} calls/s")
    parts += [f"waits for {glance.limited_by}"] if glance.limited_by else []
    parts.append(f"{glance.under_way:,} under way")
    return [*parts, f"{glance.parked:,} parked"] if glance.parked else parts


def _outcomes(outcomes: Mapping[str, int], width: int) -> str:
    """Every outcome where there is room; else those that are complete together, and the doubtful ones first."""
    ordered = {name.value: outcomes[name] for name in Outcome if outcomes.get(name)}
    whole = [f"{name} {rows:,}" for name, rows in ordered.items()]
    if len("  ".join(whole)) <= width:
        return "  ".join(whole)
    done = sum(rows for name, rows in ordered.items() if name in COMPLETE)
    first = [f"complete {done:,}", *(f"{name} {ordered[name]:,}" for name in FIRST_SAID if name in ordered)]
    rest = {name: rows for name, rows in ordered.items() if name not in {*COMPLETE, *FIRST_SAID}}
    return _fitting([*first, *(f"{name} {rows:,}" for name, rows in most(rest))], width, "  ")


def _fitting(parts: list[str], width: int, between: str = " · ") -> str:
    """As many of `parts` as `width` has room for; an ellipsis stands for the rest."""
    for shown in range(len(parts), 0, -1):
        text = between.join(parts[:shown]) + ("" if shown == len(parts) else " …")
        if len(text) <= width:
            return text
    return parts[0][:width]
