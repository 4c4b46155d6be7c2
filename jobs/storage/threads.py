"""Requests that are on their way at once, for libraries that wait for an answer."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

WIDTH = 8
"""How many (chosen)."""

S = TypeVar("S")
T = TypeVar("T")


def each_of(work: Callable[[S], T], subjects: Iterable[S]) -> list[T]:
    """What `work` gives for each, in their order. Raises what one raises; those not begun by then never are."""
    with ThreadPoolExecutor(WIDTH) as pool:
        try:
            return [done.result() for done in [pool.submit(work, each) for each in subjects]]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
