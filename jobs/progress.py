"""What the work shows while it goes on: nothing by default, bars on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY_SECONDS = 30.0
"""Chosen: a cron mail of an hour's run stays under 120 lines."""


class Count(Protocol):
    """One stage's rows going by."""

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """`rows` more are done."""
        ...


class Progress:
    """Silence; the base of the others."""

    stop: "Callable[[], bool] | None" = None
    """Asked while rows are sent: True drains the run as a signal would. None: nobody is asked."""

    def note(self, sentence: str) -> None:
        """Something the operator should read now."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Count]:  # noqa: ARG002 - silence
        """A stage of `total` rows; None: not known."""
        yield _Silent()


class _Silent:
    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """Shows nothing."""


class Lines(Progress):
    """One plain line on stderr when a stage begins, every half minute, and none when it ends quickly."""

    def note(self, sentence: str) -> None:
        """One line."""
        print(f"muster: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the edge to people

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Count]:
        """See Progress."""
        yield _Line(self, name, total)


class _Line:
    def __init__(self, lines: Lines, name: str, total: int | None) -> None:
        self.lines, self.name, self.total = lines, name, total
        self.rows, self.began, self.shown = 0, time.monotonic(), time.monotonic()
        self.outcomes: Counter[str] = Counter()

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """See Count."""
        self.rows += rows
        if outcome:
            self.outcomes[outcome] += rows
        now = time.monotonic()
        if now - self.shown < LINE_EVERY_SECONDS:
            return
        self.shown = now
        rate = self.rows / (now - self.began)
        left = f", {(self.total - self.rows) / rate / 60:.0f} min left" if self.total and rate else ""
        of = f" of {self.total:,}" if self.total else ""
        self.lines.note(f"{self.name}: {self.rows:,}{of} rows, {rate:,.1f}/s{left}{_shown(self.outcomes)}")


class Terminal(Progress):
    """rich bars on stderr: rate, outcome counts and time left."""

    def note(self, sentence: str) -> None:
        """One line above the bars."""
        from rich.console import Console

        Console(stderr=True).print(sentence, markup=False, highlight=False)

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Count]:
        """See Progress."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            yield _Bar(bars, bars.add_task(name, total=total, rate="", counts=""))


class _Bar:
    def __init__(self, bars: "Bars", task: "TaskID") -> None:
        self.bars, self.task = bars, task
        self.outcomes: Counter[str] = Counter()
        self.began = time.monotonic()
        self.rows = 0

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """See Count."""
        self.rows += rows
        if outcome:
            self.outcomes[outcome] += rows
        rate = self.rows / max(0.001, time.monotonic() - self.began)
        self.bars.update(self.task, advance=rows, rate=f"{rate:,.0f}/s", counts=_shown(self.outcomes))


def _shown(outcomes: Counter[str]) -> str:
    return "".join(f"  {name} {count:,}" for name, count in outcomes.most_common(5))
