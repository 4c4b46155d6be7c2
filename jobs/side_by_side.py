"""Work on many things at the same time, and never on more than so many."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def side_by_side(work: Callable[[T], Awaitable[R]], items: Sequence[T], most: int) -> list[R]:
    """Gives the results of `work` on each of `items`, in their order; at most `most` are worked on at a time.

    Raises what the first one raises: the others are given up then, and have ended.
    """
    results: dict[int, R] = {}
    waiting = iter(enumerate(items))

    async def worker() -> None:
        for place, item in waiting:
            results[place] = await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(most, len(items))):
                tasks.create_task(worker())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [results[place] for place in range(len(items))]
