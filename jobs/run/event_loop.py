"""The loop on which a run waits for many answers at a time."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine on the fast loop, to its end."""
    gc.freeze()  # what was imported stays; walking it again and again was an eighth of a large stop (measured)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.unfreeze()
