"""Why a run stops before its end: signals, the deadline, the error budget, a refused credential."""

import asyncio
from dataclasses import dataclass, field

from jobs.errors import ExitCode, MusterError


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """How many rows may need attention before the run stops itself: more than `rows` stop it."""

    rows: float

    @classmethod
    def of(cls, text: str, accepted: int) -> "ErrorBudget":
        """From `N` or `P%` of the `accepted` rows. Raises ValueError."""
        if text.endswith("%"):
            share = float(text[:-1])
            if not 0 <= share <= 100:
                raise ValueError(text)
            return cls(accepted * share / 100)
        return cls(int(text))


@dataclass(slots=True)
class Stops:
    """Set once; the first reason wins, but a refused credential and a signal raise the exit code."""

    budget: ErrorBudget | None = None
    requested: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = "interrupted"
    """Reason code of the rows that were not attempted."""
    codes: set[ExitCode] = field(default_factory=set)
    error: MusterError | None = None

    def signal(self, code: ExitCode) -> None:
        """A first signal drains; a second one stops at once."""
        if code in self.codes or self.codes & {ExitCode.SIGINT, ExitCode.SIGTERM}:
            self.at_once.set()
        self._stop("interrupted", code)

    def deadline(self) -> None:
        """The time given by --deadline has come."""
        self._stop("deadline", ExitCode.POLICY)

    def limit(self) -> None:
        """--limit rows were handed out."""
        self.codes.add(ExitCode.POLICY)

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
