"""The order in which ready tasks go on: any that the seed chooses, and the same for the same seed."""

import asyncio
from random import Random

import pytest

from tests.virtual import VirtualLoop

Steps = list[tuple[int, int]]


def steps(seed: int | None) -> Steps:
    """What three tasks do that could always go on."""
    done: Steps = []

    async def goes_on(number: int) -> None:
        for step in range(4):
            done.append((number, step))
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(goes_on(number) for number in range(3)))

    loop = VirtualLoop(None if seed is None else Random(seed))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(all_of_them())
    return done


def test_without_a_seed_who_could_first_goes_first() -> None:
    assert steps(None) == [(number, step) for step in range(4) for number in range(3)]


def test_the_seed_chooses_who_goes_first() -> None:
    orders = {tuple(steps(seed)) for seed in range(20)}
    assert len(orders) > 10
    assert {order[0][0] for order in orders} == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_order(seed: int) -> None:
    assert steps(seed) == steps(seed)


@pytest.mark.parametrize("seed", range(5))
def test_each_task_keeps_its_own_order(seed: int) -> None:
    done = steps(seed)
    for task in range(3):
        assert [step for number, step in done if number == task] == [0, 1, 2, 3]


def test_who_waits_for_a_lock_gets_it_in_turn_whatever_the_order() -> None:
    async def turns() -> list[int]:
        lock, had = asyncio.Lock(), list[int]()

        async def has(number: int) -> None:
            async with lock:
                had.append(number)
                await asyncio.sleep(0)

        async with lock:
            tasks = []
            for number in range(4):
                tasks.append(asyncio.create_task(has(number)))
                await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return had

    for seed in range(10):
        loop = VirtualLoop(Random(seed))
        with asyncio.Runner(loop_factory=lambda loop=loop: loop) as runner:  # type: ignore[misc]
            assert runner.run(turns()) == [0, 1, 2, 3]
