"""Ends of many calls on one timer: each is told its own, and nobody another's."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from jobs.transport.deadlines import Deadlines

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Waiting:
    """Stands for a wire; notes when it was given up."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told, self.over = name, told, asyncio.Event()

    def expire(self) -> None:
        """See Wire."""
        self.told.append(self.name)
        self.over.set()


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return LOOPS[request.param]


def test_each_is_given_up_in_the_order_of_its_own_end_and_who_was_answered_never(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def play() -> list[str]:
        told, deadlines = list[str](), Deadlines()
        late, early, answered, latest = wires = [
            Waiting(name, told) for name in ("late", "early", "answered", "latest")
        ]
        now = asyncio.get_running_loop().time()
        for wire, seconds in zip(wires, (0.04, 0.02, 0.01, 0.06), strict=True):
            deadlines.hold(as_wire(wire), now + seconds)
        deadlines.let_go(as_wire(answered))
        for wire in (late, early, latest):
            await wire.over.wait()
        again = Waiting("again", told)  # when the timer has rung for the last one
        deadlines.hold(as_wire(again), asyncio.get_running_loop().time())
        await again.over.wait()
        return told

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(play()) == ["early", "late", "latest", "again"]


def test_who_is_answered_when_the_timer_was_set_for_him_leaves_it_to_the_others(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def play() -> list[str]:
        told, deadlines = list[str](), Deadlines()
        first, second = Waiting("first", told), Waiting("second", told)
        now = asyncio.get_running_loop().time()
        deadlines.hold(as_wire(first), now + 0.01)
        deadlines.hold(as_wire(second), now + 0.02)
        deadlines.let_go(as_wire(first))
        await second.over.wait()
        deadlines.hold(as_wire(first), now + 3600)
        deadlines.close()
        return told

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(play()) == ["second"]


def as_wire(waiting: Waiting) -> Any:
    """What takes the place of a connection here."""
    return waiting
