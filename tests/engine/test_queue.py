"""What is worked on next: due cases first, each once; and nobody waits for ever, whenever it is closed."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from virtual import VirtualClock, virtually

from jobs.engine.queue import WorkQueue
from tests.examples import some

if TYPE_CHECKING:
    from jobs.engine.case import Case


async def numbered(count: int, clock: VirtualClock, pause: float = 0.0) -> AsyncIterator[Any]:
    """Stand-ins for cases: the agenda never looks into one."""
    for number in range(count):
        await clock.sleep(pause)
        yield number


async def taken_all(
    agenda: WorkQueue, workers: int, parks: dict[int, float], seconds: float
) -> list[tuple[int, float]]:
    """What `workers` took and when; a case in `parks` is parked once for so long."""
    taken: list[tuple[int, float]] = []

    async def work() -> None:
        while (case := await agenda.take()) is not None:
            number: Any = case
            taken.append((number, agenda.clock.monotonic() - 1000))
            await agenda.clock.sleep(seconds)
            if number in parks:
                agenda.park(case, agenda.clock.monotonic() + parks.pop(number))
            agenda.done()

    await asyncio.gather(*(work() for _ in range(workers)))
    return taken


@settings(max_examples=some(50), deadline=None)
@given(
    st.integers(0, 12),
    st.integers(1, 6),
    st.dictionaries(st.integers(0, 11), st.floats(0, 100), max_size=8),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.sampled_from([0.0, 2.0]),
)
@example(8, 5, {6: 53.3, 5: 1.5e-208, 2: 1.7466414544702064e-12, 0: 1.8e-31}, 0.0, 0.0)
def test_each_case_is_handed_out_once_and_once_more_when_it_was_parked(
    count: int, workers: int, parks: dict[int, float], seconds: float, pause: float
) -> None:
    parks = {number: due for number, due in parks.items() if number < count}
    expected = sorted([*range(count), *parks])

    async def work() -> list[tuple[int, float]]:
        clock = VirtualClock()
        return await taken_all(WorkQueue(numbered(count, clock, pause), clock), workers, dict(parks), seconds)

    assert sorted(number for number, _ in virtually(work)) == expected


def test_a_due_case_comes_before_the_next_row_of_the_file() -> None:
    async def work() -> list[tuple[int, float]]:
        clock = VirtualClock()
        return await taken_all(WorkQueue(numbered(4, clock), clock), 1, {0: 1.5}, 1.0)

    assert [number for number, _ in virtually(work)] == [0, 1, 2, 0, 3]


def test_a_parked_case_is_not_taken_before_its_time_and_not_much_later() -> None:
    async def work() -> list[tuple[int, float]]:
        clock = VirtualClock()
        return await taken_all(WorkQueue(numbered(3, clock), clock), 2, {0: 30.0, 2: 45.0}, 0.0)

    taken = virtually(work)

    assert [number for number, _ in taken] == [0, 1, 2, 0, 2]
    assert [when for _, when in taken[3:]] == pytest.approx([30.0, 45.0])


@pytest.mark.parametrize("parked", [0, 1, 5])
def test_closing_ends_all_workers_at_once_whatever_they_wait_for(parked: int) -> None:
    async def work() -> tuple[float, int]:
        clock = VirtualClock()
        agenda = WorkQueue(numbered(parked + 1, clock, 10.0), clock)
        workers = asyncio.create_task(taken_all(agenda, 4, dict.fromkeys(range(parked), 3600.0), 0.0))
        await clock.sleep(10.0 * parked + 5)  # all but the last one are parked; one worker reads, three wait for it
        agenda.close()
        began = clock.monotonic()
        await workers
        return clock.monotonic() - began, len(agenda.leave())

    seconds, left = virtually(work)

    assert seconds <= 5.0 + 1e-6
    assert left == parked


def test_a_file_that_ends_while_the_agenda_is_closed_holds_nobody() -> None:
    async def work() -> float:
        clock = VirtualClock()

        async def rows() -> AsyncIterator[Any]:
            yield 0
            await clock.sleep(10)

        agenda = WorkQueue(rows(), clock)
        workers = asyncio.create_task(taken_all(agenda, 3, {0: 3600.0}, 0.0))
        await clock.sleep(5)
        agenda.close()
        await workers
        return clock.monotonic() - 1000

    assert virtually(work) == pytest.approx(10.0)


def test_what_is_left_is_what_was_parked() -> None:
    async def work() -> list[Any]:
        clock = VirtualClock()
        agenda = WorkQueue(numbered(0, clock), clock)
        for number in (3, 1, 2):
            agenda.park(number, 5000.0 + number)  # type: ignore[arg-type]
        return list(agenda.leave())

    assert sorted(virtually(work)) == [1, 2, 3]


def test_many_parked_cases_are_taken_up_at_the_given_spacing_and_none_after_its_latest() -> None:
    async def work() -> list[tuple[int, float]]:
        clock = VirtualClock()
        agenda = WorkQueue(numbered(0, clock), clock, spacing=2.0)
        begun = clock.monotonic()
        for number in range(100):
            agenda.park(cast("Case", number), begun + 10.0, latest=begun + 150.0)
        return await taken_all(agenda, 4, {}, 0.0)

    times = [when for _, when in virtually(work)]

    assert times == pytest.approx([min(max(10.0, 2.0 * place), 150.0) for place in range(100)])


def test_cases_that_are_always_due_leave_every_other_turn_to_the_file() -> None:
    async def work() -> list[int]:
        clock = VirtualClock()
        agenda, taken = WorkQueue(numbered(10, clock), clock), list[int]()
        while len(taken) < 20 and (case := await agenda.take()) is not None:
            taken.append(cast("int", case))
            agenda.park(case, clock.monotonic())
            agenda.done()
        return taken

    assert sorted(set(virtually(work))) == list(range(10))


def test_no_more_cases_are_parked_than_there_is_room_for() -> None:
    async def work() -> tuple[list[bool], int]:
        clock = VirtualClock()
        agenda = WorkQueue(numbered(0, clock), clock, most=2)
        places = [agenda.park(cast("Case", number), 2000.0 + number) for number in range(3)]
        return places, len(agenda.leave())

    assert virtually(work) == ([True, True, False], 2)
