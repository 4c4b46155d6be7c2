"""One process: a clock of its own, and seams at which it may die. Not a real process: its tasks are ended instead."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from jobs.clock import Clock
from jobs.ledger.rows import Transition
from tests.virtual import BEGAN


class SimulatedClock(Clock):
    """The virtual loop's time. `monotonic` begins anywhere in each boot, as it does on real machines.

    `wall` gives by how many seconds the wall clock is off just now: it may be set while a process runs.
    """

    def __init__(self, random: Random, began: float, wall: Callable[[], float]) -> None:
        super().__init__(random)
        self.began, self.wall = began, wall

    def boot(self) -> str:
        """Processes of one count are of one boot."""
        return f"boot-{self.began}"

    def monotonic(self) -> float:
        """Seconds of this process's own count."""
        return asyncio.get_running_loop().time() + self.began

    def now(self) -> datetime:
        """The wall clock, which all processes share."""
        return BEGAN + timedelta(seconds=asyncio.get_running_loop().time() + self.wall())


class Life:
    """One process: it dies at its `dies_at`-th crossing of a seam, or at the place of that name; None: at its end."""

    def __init__(self, dies_at: int | str | None, log: Callable[[str], None]) -> None:
        self.dies_at, self.log = dies_at, log
        self.crossings = 0
        self.died = asyncio.Event()
        self.where = ""
        """The seam at which it died."""
        self.place = ""
        """The same, as no other crossing of this process is called."""
        self.robbed_at: int | None = None
        self.rob: Callable[[], None] = lambda: None
        self.committed: Callable[[Transition], None] = lambda _: None
        """Hears of each change of the ledger."""
        self.crossed_at = asyncio.get_running_loop().time()
        self.longest_silence = 0.0
        """Seconds in which nothing happened, at most."""
        self._places: Counter[str] = Counter()

    async def cross(self, seam: str, site: str = "") -> None:
        """A place between two things that the world can see."""
        now = asyncio.get_running_loop().time()
        self.crossed_at, self.longest_silence = now, max(self.longest_silence, now - self.crossed_at)
        self.crossings += 1
        if self.crossings == self.robbed_at:
            self.rob()
        name = "-".join(filter(None, (*seam.split(), site)))
        self._places[name] += 1
        place = f"{name}#{self._places[name]}"
        if self.dies_at in (self.crossings, place):
            self.where, self.place = seam, place
            self.log(f"{now:.3f} dies {place}")
            self.died.set()
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()

    async def offload(self, function: Callable[..., Any], *given: Any) -> Any:
        """Runs a blocking call of the ledger in place; a process may die before it, or before it learns the result."""
        name = function.__name__
        if name == "known":
            return function(*given)
        event = given[-1][0].event if name == "apply" else None
        site = "" if event is None else f"{event.source_row}/{event.kind}/{event.step}"
        await self.cross(f"before {name}", site)
        result = function(*given)
        if name == "apply":
            for transition in given[-1]:
                self.log(f"{asyncio.get_running_loop().time():.3f} ledger {told(transition)}")
                self.committed(transition)
        await self.cross(f"after {name}", site)
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
    living = (task for task in asyncio.all_tasks() if task is not mine)
    tasks = sorted(living, key=lambda task: (len(task.get_name()), task.get_name()))  # in the order of their numbers
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
