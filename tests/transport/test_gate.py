"""How many calls are under way at once: never more than the gate lets in, in order, and nobody is forgotten."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual import VirtualClock, virtually

from jobs.transport.gate import Gate
from tests.examples import some


@settings(max_examples=some(40), deadline=None)
@given(st.integers(1, 6), st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3), st.booleans()), max_size=25))
def test_never_too_many_and_all_come_through_whoever_is_cancelled(
    most: int, calls: list[tuple[float, float, bool]]
) -> None:
    async def work() -> tuple[int, int]:
        clock, inside, peak, through = VirtualClock(), 0, 0, 0
        gate = Gate(most, clock)

        async def call(begin: float, length: float) -> None:
            nonlocal inside, peak, through
            await clock.sleep(begin)
            async with gate.place():
                inside += 1
                peak = max(peak, inside)
                try:
                    await clock.sleep(length)
                finally:
                    inside -= 1
                through += 1

        tasks = [asyncio.create_task(call(begin, length)) for begin, length, _ in calls]
        for task, (begin, length, cancelled) in zip(tasks, calls, strict=True):
            if cancelled:
                asyncio.get_running_loop().call_later(begin + length / 2, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        return peak, through

    peak, through = virtually(work)

    assert peak <= most
    assert through >= sum(not cancelled for _, _, cancelled in calls)


def test_places_are_given_in_the_order_of_arrival() -> None:
    async def work() -> list[int]:
        clock, order = VirtualClock(), list[int]()
        gate = Gate(2, clock)

        async def call(number: int) -> None:
            async with gate.place():
                order.append(number)
                await clock.sleep(1)

        await asyncio.gather(*(call(number) for number in range(12)))
        return order

    assert virtually(work) == list(range(12))


def test_who_is_cancelled_just_when_let_in_passes_the_place_on() -> None:
    async def work() -> bool:
        clock = VirtualClock()
        gate = Gate(1, clock)
        first = gate.place()
        await first.__aenter__()
        places = gate.place(), gate.place()
        second, third = (asyncio.create_task(place.__aenter__()) for place in places)
        await clock.sleep(1)
        await first.__aexit__(None, None, None)  # the second is let in, and has not run yet
        second.cancel()
        await asyncio.wait_for(third, 1)
        return second.cancelled()

    assert virtually(work)


def test_a_wave_of_refusals_halves_the_gate_once_and_never_closes_it() -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        gate, seen = Gate(16, clock), list[float]()
        for _ in range(6):
            await clock.sleep(2)
            for _ in range(16):
                gate.refused()
            seen.append(gate.capacity)
        return seen

    assert virtually(work) == [8, 4, 2, 1, 1, 1]


def test_good_answers_open_the_gate_again_and_let_in_who_waits() -> None:
    async def work() -> tuple[float, int]:
        clock = VirtualClock()
        gate = Gate(8, clock)
        await clock.sleep(2)
        for _ in range(4):
            gate.refused()
            await clock.sleep(2)
        places = [gate.place() for _ in range(8)]
        let_in = [asyncio.create_task(place.__aenter__()) for place in places]
        await clock.sleep(1)
        before = sum(task.done() for task in let_in)
        for _ in range(40):
            gate.answered("find", 0.1)
        await clock.sleep(1)
        assert before == 1
        return gate.capacity, sum(task.done() for task in let_in)

    assert virtually(work) == (8.0, 8)


@pytest.mark.parametrize(("latency", "shrinks"), [(0.2, False), (2.0, True)])
def test_slowness_is_relative_to_the_operation_and_never_below_a_quarter_second(latency: float, shrinks: bool) -> None:
    async def work() -> float:
        clock = VirtualClock()
        gate = Gate(16, clock)
        gate.answered("find", 0.01)
        for _ in range(30):
            await clock.sleep(1)
            gate.answered("find", latency)
            gate.answered("create", latency)
        return gate.capacity

    assert (virtually(work) < 12) is shrinks
