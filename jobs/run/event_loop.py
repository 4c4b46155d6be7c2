"""The loop on which a run waits for many answers at a time."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

YOUNG = 20_000
"""So many new objects are looked through for cycles at once: a call makes some hundred, and hardly any cycle.

With Python's own 700 that was a twentieth of a run's CPU (measured).
"""


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine on the fast loop, to its end."""
    gc.freeze()  # what was imported stays; walking it again and again was an eighth of a large stop (measured)
    before = gc.get_threshold()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
