"""What the work shows while it goes on: nothing by default, a few lines on a terminal, one now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from jobs.face import Glance, Tally, face, one_line
from jobs.printable import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LINE_EVERY_SECONDS = 30.0
"""Chosen: a cron mail of an hour's run stays under 120 lines."""

DRAWN_A_SECOND = 4
"""Chosen: numbers that can still be read."""

Look = Callable[[], Glance]


class Count(Protocol):
    """One stage's rows going by."""

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """`rows` more are done."""
        ...

    def watch(self, look: Look) -> None:
        """`look` tells from now on what goes on beside; it may be called at any time, from another thread."""
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

    def watch(self, look: Look) -> None:
        """Looks at nothing."""


class Lines(Progress):
    """One plain line on stderr when a stage begins, every half minute, and none when it ends quickly."""

    def note(self, sentence: str) -> None:
        """One line."""
        print(f"muster: {printable(sentence)}", file=sys.stderr, flush=True)  # noqa: T201 - the edge to people

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Count]:
        """See Progress."""
        yield _Line(self, name, total)


class _Line:
    def __init__(self, lines: Lines, name: str, total: int | None) -> None:
        self.lines, self.shown = lines, time.monotonic()
        self.tally = Tally(name, total, self.shown)
        self.look: Look | None = None

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """See Count."""
        now = time.monotonic()
        self.tally.add(rows, outcome, now)
        if now - self.shown >= LINE_EVERY_SECONDS:
            self.shown = now
            self.lines.note(one_line(self.tally, self.look and self.look(), now))

    def watch(self, look: Look) -> None:
        """See Count."""
        self.look = look


class Terminal(Progress):
    """A few lines on stderr that are drawn anew four times a second, and vanish at the end of a stage."""

    def __init__(self) -> None:
        self._console: Console | None = None

    @property
    def console(self) -> "Console":
        """The one console: what is noted goes above the lines that are drawn anew."""
        from rich.console import Console

        self._console = self._console or Console(stderr=True)
        return self._console

    def note(self, sentence: str) -> None:
        """One line above."""
        self.console.print(printable(sentence), markup=False, highlight=False)

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Count]:
        """See Progress."""
        from rich.live import Live

        drawn = _Drawn(self.console, name, total)
        with Live(get_renderable=drawn.now, console=self.console, refresh_per_second=DRAWN_A_SECOND, transient=True):
            yield drawn


class _Drawn:
    def __init__(self, console: "Console", name: str, total: int | None) -> None:
        self.console, self.tally = console, Tally(name, total, time.monotonic())
        self.look: Look | None = None

    def advance(self, rows: int = 1, outcome: str | None = None) -> None:
        """See Count."""
        self.tally.add(rows, outcome, time.monotonic())

    def watch(self, look: Look) -> None:
        """See Count."""
        self.look = look

    def now(self) -> "Text":
        """The lines as they stand, none of them wrapped."""
        from rich.text import Text

        lines = face(self.tally, self.look and self.look(), self.console.width - 1, time.monotonic())
        return Text("\n".join(lines), no_wrap=True, overflow="crop")
