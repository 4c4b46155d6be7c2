"""SIGINT, SIGTERM, SIGHUP: before anything is sent they end the command at once, afterwards they drain the run."""

import asyncio
import signal
from types import FrameType, TracebackType
from typing import Any, Self

from jobs.engine.stops import Stops
from jobs.errors import ExitCode, MusterError

CODES = {
    signal.SIGINT: ExitCode.SIGINT,
    signal.SIGTERM: ExitCode.SIGTERM,
    signal.SIGHUP: ExitCode.SIGTERM,  # the terminal went away; ending in the middle would leave personal data behind
}


class Interrupted(MusterError):
    """A signal ended the command: before anything was sent, unless the message says otherwise."""

    def __init__(
        self, code: ExitCode, message: str = "interrupted before anything was changed", hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = code


class Signals:
    """`with Signals() as signals:` takes the signals over; leaving gives them back. `nohup` keeps its meaning."""

    def __init__(self) -> None:
        self._stops: Stops | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._early: ExitCode | None = None
        """Of a signal that came before anything was sent. Libraries that run our code may swallow the exception."""

    def __enter__(self) -> Self:
        for number in CODES:
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._early is not None and error is not None:
            raise Interrupted(self._early) from None

    def hand_over(self, stops: Stops) -> None:
        """From now on a signal asks `stops` to drain. Raises Interrupted when one came before."""
        self._stops = stops
        if self._early is not None:
            raise Interrupted(self._early)

    @property
    def came(self) -> bool:
        """Whether there was a signal."""
        return self._early is not None or (self._stops is not None and self._stops.signalled.is_set())

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets a signal wake `loop`. Python runs handlers between bytecodes only; a loop that waits runs none."""
        self._loop = loop
        for number in self._before:
            loop.add_signal_handler(number, self._came, number, None)

    def deaf(self) -> None:
        """The loop ends: signals come directly again."""
        for number in self._before:
            if self._loop is not None:
                self._loop.remove_signal_handler(number)
            signal.signal(number, self._came)
        self._loop = None

    def _came(self, number: int, _frame: FrameType | None) -> None:
        code = CODES[signal.Signals(number)]
        if self._stops is None:
            self._early = code
            raise Interrupted(code)
        self._stops.signal(code)
