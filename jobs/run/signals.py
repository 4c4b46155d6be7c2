"""SIGINT, SIGTERM, SIGHUP: before anything is sent they end the command at once, afterwards they drain the run."""

import asyncio
import ctypes
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from jobs.engine.stops import Stops
from jobs.errors import ExitCode, MusterError

T = TypeVar("T")

APART = "apart"
"""Name of a thread that works so that the main one can hear; the program does not wait for it when it ends."""

HEARING_SECONDS = 0.1
"""A signal that comes just before the main thread falls asleep does not wake it (chosen: nobody notices so little)."""

GIVEN_UP_SECONDS = 0.5
"""How long work that was given up may take to notice (chosen); native code does not."""

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
        if threading.current_thread() is not threading.main_thread():
            return self  # Python hears signals in its main thread alone, and whoever works there has them
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


def apart(work: Callable[[], T]) -> T:
    """What `work` gives or raises, done in a thread of its own: a signal ends the wait for it at once.

    Python hears signals in its main thread, between two bytecodes: native code there, that reads from a file system
    which does not answer or takes its time, would keep it deaf. Work that is given up leaves files behind.
    """
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # whatever it is: the main thread is to hear of it
            raised.append(error)

    thread = threading.Thread(target=run, name=APART, daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(HEARING_SECONDS)
    except BaseException:  # what the signal's handler raises
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
            thread.join(GIVEN_UP_SECONDS)
        raise
    if raised:
        raise raised[0]
    return given[0]
