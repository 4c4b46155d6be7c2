"""Why a run stops before its end: signals, the deadline, the error budget, a refused credential."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from jobs.clock import Clock
from jobs.errors import ExitCode, MusterError


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """How many rows may need attention before the run stops itself: more than `rows` stop it."""

    rows: float

    @classmethod
    def given(cls, text: str | None, accepted: int) -> "ErrorBudget | None":
        """From `N`, or `P%` of the `accepted` rows; None when nothing was given."""
        if text is None:
            return None
        return cls(accepted * float(text[:-1]) / 100 if text.endswith("%") else int(text))


@dataclass(slots=True)
class Stops:
    """Set once; the first reason wins, but a refused credential and a signal raise the exit code."""

    budget: ErrorBudget | None = None
    requested: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    signalled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a signal, whatever asked for a stop before."""
    reason: str = "interrupted"
    """Reason code of the rows that were not attempted."""
    codes: set[ExitCode] = field(default_factory=set)
    error: MusterError | None = None

    def signal(self, code: ExitCode) -> None:
        """A first signal drains; a second one stops at once."""
        if code in self.codes or self.codes & {ExitCode.SIGINT, ExitCode.SIGTERM}:
            self.at_once.set()
        self.signalled.set()
        self._stop("interrupted", code)

    def deadline(self) -> None:
        """The time given by --deadline has come."""
        self._stop("deadline", ExitCode.POLICY)

    def limited(self) -> None:
        """--limit rows were handed out, and there are more."""
        self.codes.add(ExitCode.POLICY)

    @contextmanager
    def at(self, deadline: time | None, clock: Clock) -> Iterator[None]:
        """Stops when the local time `deadline` comes next; None: never."""
        if deadline is None:
            yield
            return
        timer = asyncio.get_running_loop().call_later(seconds_until(deadline, clock.now()), self.deadline)
        try:
            yield
        finally:
            timer.cancel()

    @property
    def target_is_closed(self) -> bool:
        """Whether nothing more is to be read either: a signal, or a refused credential."""
        return bool(self.codes & {ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.PERMISSION})

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report says about the stop."""
        return () if self.error is None else (self.error.message,)

    def block(self, error: MusterError) -> None:
        """The credential was refused: nothing else can succeed."""
        self.error = self.error or error
        self._stop("not_permitted", error.exit_code)

    def check(self, errors: int) -> None:
        """Stops when the error budget is used up."""
        if self.budget is not None and errors > self.budget.rows:
            self._stop("max_errors", ExitCode.POLICY)

    def _stop(self, reason: str, code: ExitCode) -> None:
        if not self.requested.is_set():
            self.reason = reason
        self.codes.add(code)
        self.requested.set()


def seconds_until(deadline: time, now: datetime) -> float:
    """Seconds from `now` until the local clock next shows `deadline`."""
    local = now.astimezone()
    then = local.replace(hour=deadline.hour, minute=deadline.minute, second=0, microsecond=0)
    if then <= local:
        then += timedelta(days=1)
    return (then - local).total_seconds()
