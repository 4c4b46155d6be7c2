"""Shapes of the report's pictures: lengths and paths only. Colours are the style sheet's, words are the template's."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest

from jobs.clock import from_milliseconds
from jobs.reports.bar import SLIVER, WIDTH
from jobs.reports.course import Course, Latency, Timeline, Usage
from jobs.reports.funnel import Stage
from jobs.value import value

HEIGHT = 100
"""Units of a chart's height."""

STEP, COLUMN = 10, 9
"""Units from one column to the next, and of its width: a gap stays between neighbours."""

LOWEST = 2.0
"""Chosen: the least height of what is not zero, so that one error in a thousand rows is still seen."""


FEWEST, SPIKE = 10, 4
"""Chosen: among ten values and more, one of four times what nine in ten stay below is a spike, and is cut off."""


@value
class Columns:
    """Stacked columns, one per bucket, in a drawing of `width` by `HEIGHT` units."""

    width: int
    top: int
    """The value at the upper edge."""
    paths: Mapping[str, str]
    """A path for each series that is not zero everywhere."""
    line: float | None = None
    """The height at which a limit is drawn, from above; None for none."""
    cuts: str = ""
    """A path over the columns that are higher than the upper edge, and cut there."""
    highest: int | None = None
    """The value of the tallest of these, which stands at bucket `highest_at`; None: none is cut."""
    highest_at: int = 0


def columns(series: Mapping[str, Sequence[int]], limit: int | None = None) -> Columns:
    """The columns of `series` (equally long), the first one lowest. `limit`: a value to be drawn as a line."""
    sums = [sum(each) for each in zip(*series.values(), strict=True)]
    top = rounded_up(max(sums, default=0) if limit else readable(sums))
    top = max(top, rounded_up(limit or 0))
    scales = [HEIGHT / max(top, whole) for whole in sums]
    base = [float(HEIGHT)] * len(sums)
    paths = {}
    for name, values in series.items():
        pieces = []
        for place, height in enumerate(values):
            if height:
                height = max(LOWEST, height * scales[place])
                base[place] = max(0.0, base[place] - height)
                pieces.append(f"M{STEP * place} {base[place]:.4g}h{COLUMN}v{height:.4g}h-{COLUMN}z")
        if pieces:
            paths[name] = "".join(pieces)
    line = None if limit is None else round(HEIGHT - limit * HEIGHT / top, 2)
    cut = [place for place, whole in enumerate(sums) if whole > top]
    highest_at = max(cut, key=lambda place: sums[place], default=0)
    return Columns(
        width=max(STEP * len(sums), 1),
        top=top,
        paths=paths,
        line=line,
        cuts="".join(f"M{STEP * place} 14l{COLUMN} -6v4l-{COLUMN} 6z" for place in cut),
        highest=sums[highest_at] if cut else None,
        highest_at=highest_at,
    )


def readable(values: Sequence[int]) -> int:
    """The value up to which a chart of `values` reaches: the greatest, unless a few spikes would flatten the rest."""
    some = sorted(value for value in values if value)
    usual = some[len(some) * 9 // 10 - 1] if len(some) >= FEWEST else 0
    return some[-1] if some and (not usual or some[-1] <= SPIKE * usual) else 2 * usual


def rounded_up(value: int) -> int:
    """The next of 2, 4, 6, 8, 10, 12, 16, 20, 30, 40, 60, 80, 100, 120 ...: its half is a whole number too."""
    if value <= 8:
        return max(2, value + value % 2)
    scale = 1
    while value > 100 * scale:
        scale *= 10
    return next(factor * scale for factor in (10, 12, 16, 20, 30, 40, 60, 80, 100) if factor * scale >= value)


def times(line: Timeline) -> tuple[str, str, str]:
    """What stands under a chart of `line`: its start, middle and end, in UTC, with the day for runs over midnight."""
    start = from_milliseconds(line.started_ms)
    length = timedelta(milliseconds=line.width_ms * len(line.calls))
    moments = (start, start + length / 2, start + length)
    form = "%H:%M:%S" if start.date() == moments[2].date() else "%d %b %H:%M"
    first, middle, last = (f"{moment:{form}}" for moment in moments)
    return first, middle, last


def moments(line: Timeline) -> list[str]:
    """When each bucket began: time of day in UTC, with tenths where buckets are shorter than a second."""
    starts = [from_milliseconds(line.started_ms + place * line.width_ms) for place in range(len(line.calls))]
    if line.width_ms < 1000:
        return [f"{start:%H:%M:%S}.{start.microsecond // 100_000}" for start in starts]
    return [f"{start:%Y-%m-%d %H:%M:%S}" for start in starts]


def duration(milliseconds: float) -> str:
    """`47 ms`, `1.3 s`, `2 min 5 s`, `3 h 20 min`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@value
class Level:
    """A stage of the funnel as drawn: pieces (fill, start, width) end to end, then a band that narrows to the next."""

    stage: Stage
    pieces: tuple[tuple[str, float, float], ...]
    band: str
    """The points of the band; empty after the last stage."""


def levels(stages: Sequence[Stage]) -> tuple[Level, ...]:
    """The funnel over `WIDTH` units: every stage begins at the left; what leaves is at its right."""
    total = max((stage.rows for stage in stages), default=0) or 1
    found = []
    for stage, after in zip_longest(stages, stages[1:]):
        whole, on = WIDTH * stage.rows / total, WIDTH * stage.passed / total
        counts = {"passed" if after else stage.name: stage.passed, **stage.exits}
        band = f"0,0 {whole:.4g},0 {on:.4g},{HEIGHT} 0,{HEIGHT}" if after else ""
        found.append(Level(stage, _pieces(counts, whole), band))
    return tuple(found)


def _pieces(counts: Mapping[str, int], whole: float) -> tuple[tuple[str, float, float], ...]:
    """`counts` over `whole` units; none is thinner than a sliver, the widest gives way."""
    total = sum(counts.values())
    widths = {name: max(float(SLIVER), whole * count / total) for name, count in counts.items() if count}
    if widths:
        widest = max(widths, key=lambda name: widths[name])
        widths[widest] = max(float(SLIVER), widths[widest] - (sum(widths.values()) - whole))
    pieces, start = [], 0.0
    for name, width in widths.items():
        pieces.append((name, round(start, 2), round(max(1.0, width - 2), 2)))
        start += width
    return tuple(pieces)


@value
class Pictures:
    """Everything that the page draws of a run's course."""

    line: Timeline
    rows: Columns
    calls: Columns
    usage: Usage
    used: Columns
    latency: tuple[Latency, ...]
    slowest_ms: int
    """Where bars of time end; a longer one is cut off there."""
    times: tuple[str, str, str]
    moments: list[str]

    def wide(self, milliseconds: int) -> float:
        """The length of a bar of time, of `WIDTH` units."""
        return round(min(WIDTH, WIDTH * milliseconds / self.slowest_ms), 1)

    @classmethod
    def of(cls, course: Course) -> "Pictures":
        """The pictures of `course`."""
        line, usage = course.timeline, course.usage
        good = [sent - errors for sent, errors in zip(line.calls, line.errors, strict=True)]
        return cls(
            line=line,
            rows=columns({"complete": line.complete, "pending": line.pending, "attention": line.attention}),
            calls=columns({"errors": line.errors, "calls": good}),
            usage=usage,
            used=columns({"used": usage.per_bucket}, usage.calls),
            latency=course.latency,
            slowest_ms=slowest([each.p99_ms for each in course.latency]),
            times=times(line),
            moments=moments(line),
        )


def slowest(times_ms: Sequence[int]) -> int:
    """Where bars of these times end: with the longest, unless it would flatten the next one."""
    longest, second = (*sorted(times_ms, reverse=True), 0, 0)[:2]
    return max(1, 2 * second if second and longest > SPIKE * second else longest)
