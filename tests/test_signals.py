"""A signal ends a command at once while nothing was sent, and drains it afterwards; handlers are given back."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.engine.stops import Stops
from jobs.errors import ExitCode
from jobs.run.signals import Interrupted, Signals

BOTH = [(signal.SIGINT, ExitCode.SIGINT), (signal.SIGTERM, ExitCode.SIGTERM)]


@pytest.mark.parametrize(("number", "code"), BOTH)
def test_before_anything_was_sent_a_signal_ends_the_command(number: signal.Signals, code: ExitCode) -> None:
    with pytest.raises(Interrupted) as caught, Signals():
        signal.raise_signal(number)

    assert caught.value.exit_code == code


@pytest.mark.parametrize(("number", "code"), BOTH)
def test_afterwards_a_first_signal_drains_and_a_second_one_stops_at_once(
    number: signal.Signals, code: ExitCode
) -> None:
    async def work() -> Stops:
        stops = Stops()
        with Signals() as signals:
            signals.hand_over(stops)
            signals.listen(asyncio.get_running_loop())
            os.kill(os.getpid(), number)
            await asyncio.wait_for(stops.requested.wait(), 5)  # a loop that only waits wakes up
            assert not stops.at_once.is_set()
            os.kill(os.getpid(), number)
            await asyncio.wait_for(stops.at_once.wait(), 5)
            signals.deaf()
        return stops

    assert asyncio.run(work()).codes == {code}


def test_handlers_are_given_back_whatever_happened() -> None:
    before = [signal.getsignal(number) for number, _ in BOTH]

    with Signals() as signals:
        signals.hand_over(Stops())
    with pytest.raises(ZeroDivisionError), Signals():
        raise ZeroDivisionError

    assert [signal.getsignal(number) for number, _ in BOTH] == before


def test_between_the_loop_and_the_end_a_signal_is_still_heard() -> None:
    async def work(signals: Signals) -> None:
        signals.listen(asyncio.get_running_loop())
        signals.deaf()

    stops = Stops()
    with Signals() as signals:
        signals.hand_over(stops)
        asyncio.run(work(signals))
        os.kill(os.getpid(), signal.SIGTERM)
        assert stops.codes == {ExitCode.SIGTERM}


SWALLOWED = """
import contextlib, os, signal, sys, time, weakref
import jobs.__main__ as program
from jobs.run.signals import Signals

class Thing: pass

def status(arguments):
    with Signals() if arguments == ["taken over"] else contextlib.nullcontext():
        thing = Thing()
        reference = weakref.ref(thing, lambda _: (os.kill(os.getpid(), NUMBER), time.sleep(0.01)))
        del thing  # what is raised in the callback, Python reports and forgets
        print("it went on", flush=True)
        time.sleep(5)
    return 0

program.status = status
program.main()
"""


@pytest.mark.parametrize(
    ("number", "taken"), [(signal.SIGINT, "not yet"), (signal.SIGINT, "taken over"), (signal.SIGTERM, "taken over")]
)
def test_a_signal_that_python_swallows_is_told_again(number: signal.Signals, taken: str) -> None:
    code = SWALLOWED.replace("NUMBER", str(int(number)))
    done = subprocess.run(
        [sys.executable, "-c", code, taken], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=20
    )

    assert done.stdout == "it went on\n"
    assert done.returncode != 0
    assert "Exception ignored" not in done.stderr
