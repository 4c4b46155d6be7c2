"""One process: a clock of its own, and seams at which it may die. Not a real process: its tasks are ended instead."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from jobs.clock import Clock
from jobs.ledger.rows import Transition
from tests.virtual import BEGAN


class SimulatedClock(Clock):
    """The virtual loop's time. `monotonic` begins anywhere in each boot, as it does on real machines."""

    def __init__(self, seed: int, began: float) -> None:
        super().__init__(Random(seed))
        self.began = began

    def boot(self) -> str:
        """Processes of one count are of one boot."""
        return f"boot-{self.began}"

    def monotonic(self) -> float:
        """Seconds of this process's own count."""
        return asyncio.get_running_loop().time() + self.began

    def now(self) -> datetime:
        """The wall clock, which all share."""
        return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())


class Life:
    """One process: it dies at its `dies_at`-th crossing of a seam; None: it lives to its end."""

    def __init__(self, dies_at: int | None, log: Callable[[str], None]) -> None:
        self.dies_at, self.log = dies_at, log
        self.crossings = 0
        self.died = asyncio.Event()
        self.where = ""
        self.robbed_at: int | None = None
        self.rob: Callable[[], None] = lambda: None

    async def cross(self, seam: str) -> None:
        """A place between two things that the world can see."""
        self.crossings += 1
        if self.crossings == self.robbed_at:
            self.rob()
        if self.crossings == self.dies_at:
            self.where = seam
            self.log(f"{asyncio.get_running_loop().time():.3f} dies {seam}")
            self.died.set()
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()

    async def offload(self, function: Callable[..., Any], *given: Any) -> Any:
        """Runs a blocking call of the ledger in place; a process may die before it, or before it learns the result."""
        name = function.__name__
        if name == "known":
            return function(*given)
        await self.cross(f"before {name}")
        result = function(*given)
        if name == "apply":
            for transition in given[-1]:
                self.log(f"{asyncio.get_running_loop().time():.3f} ledger {told(transition)}")
        await self.cross(f"after {name}")
        return result


def told(transition: Transition) -> str:
    """One committed change, for the log."""
    event, step = transition.event, transition.step
    if event is None:
        return "nothing"
    status = "" if step is None else f" -> {step.status} doubts={step.doubts}"
    said = " ".join(str(part) for part in (event.key, event.kind, event.step, event.verdict, event.detail) if part)
    return said + status


async def bury() -> None:
    """Ends all tasks of a dead process; what they still try reaches nobody."""
    mine = asyncio.current_task()
    tasks = sorted((task for task in asyncio.all_tasks() if task is not mine), key=lambda task: task.get_name())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
