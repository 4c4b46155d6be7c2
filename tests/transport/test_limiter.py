"""Permits on a virtual clock: never too many in any window, hardly ever too few, first come first served."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual import VirtualClock, virtually

from jobs.model import Rate
from jobs.transport.limiter import SLOWEST_PACE, STARTING_PACE, Closed, Limiter, Pace, Window
from jobs.transport.pauses import LONGEST_PAUSE, Hold, Pauses, Shut
from jobs.transport.retry import MAX_RETRY_AFTER_SECONDS
from tests.examples import some

TINY = 1e-6
"""Floating-point dust: two times closer than this are the same moment."""


@dataclass(frozen=True)
class Call:
    """When it was sent and answered; it arrived at the target somewhere between."""

    sent: float
    answered: float


async def worked(limiter: Limiter, latencies: list[float], workers: int) -> list[Call]:
    """Calls of these latencies through `limiter`, by `workers` at a time."""
    calls: list[Call] = []
    left = iter(latencies)

    async def work() -> None:
        for latency in left:
            async with limiter.permit():
                sent = limiter.clock.monotonic()
                await limiter.clock.sleep(latency)
                calls.append(Call(sent, limiter.clock.monotonic()))

    await asyncio.gather(*(work() for _ in range(workers)))
    return calls


def most_arrivals(calls: list[Call], seconds: float) -> int:
    """The most calls that can have arrived in one window: those whose way overlaps it, for the worst window."""
    return max(
        sum(call.answered >= begin.answered and call.sent < begin.answered + seconds - TINY for call in calls)
        for begin in calls
    )


def window(calls: int, seconds: float) -> Limiter:
    clock = VirtualClock()
    return Limiter(clock, window=Window(Rate(calls, seconds), clock))


@settings(max_examples=some(50), deadline=None)
@given(
    st.integers(1, 8),
    st.floats(0.1, 200),
    st.lists(st.one_of(st.just(0.0), st.floats(0, 90)), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_no_window_ever_sees_more_than_the_limit_wherever_calls_arrive(
    most: int, seconds: float, latencies: list[float], workers: int
) -> None:
    async def work() -> list[Call]:
        return await worked(window(most, seconds), latencies, workers)

    calls = virtually(work)

    assert len(calls) == len(latencies)
    assert most_arrivals(calls, seconds) <= most


@pytest.mark.parametrize(("most", "seconds"), [(60, 180.0), (10, 60.0), (1, 0.1), (7, 0.3), (60, 1.8)])
def test_ten_windows_of_instant_calls_use_what_is_permitted(most: int, seconds: float) -> None:
    async def work() -> list[Call]:
        return await worked(window(most, seconds), [0.0] * most * 11, 16)

    calls = virtually(work)

    began = calls[0].sent
    used = sum(call.sent - began < 10 * seconds - TINY for call in calls)
    assert 0.97 * most * 10 <= used <= most * 10
    assert most_arrivals(calls, seconds) <= most


def test_calls_of_200_milliseconds_use_97_percent_of_60_in_180_seconds() -> None:
    async def work() -> list[Call]:
        return await worked(window(60, 180), [0.2] * 660, 16)

    calls = virtually(work)

    assert sum(call.sent - calls[0].sent < 1800 for call in calls) >= 0.97 * 600


@pytest.mark.parametrize("answered_at", [0.1, 1 / 3, 1000.7, 123456.789, 1e7 / 3])
def test_a_place_is_free_exactly_a_window_after_the_answer_in_floating_point_too(answered_at: float) -> None:
    async def work() -> float:
        limiter = window(1, 0.3)
        await limiter.clock.sleep(answered_at)
        for _ in range(50):
            async with limiter.permit():
                pass
        return limiter.clock.monotonic()

    assert virtually(work) == pytest.approx(1000 + answered_at + 49 * 0.3)


def test_permits_are_given_in_the_order_of_asking() -> None:
    async def work() -> list[int]:
        limiter, order = window(2, 10), list[int]()

        async def one(number: int) -> None:
            async with limiter.permit():
                order.append(number)

        tasks = []
        for number in range(9):
            tasks.append(asyncio.create_task(one(number)))
            await limiter.clock.sleep(0.01 * (number % 3))
        await asyncio.gather(*tasks)
        return order

    assert virtually(work) == list(range(9))


def test_a_call_under_way_keeps_its_place_until_a_window_after_its_answer() -> None:
    async def work() -> list[Call]:
        return await worked(window(1, 10), [50.0, 0.0], 2)

    slow, next_one = virtually(work)

    assert next_one.sent == pytest.approx(slow.answered + 10)


def test_a_waiter_that_is_cancelled_takes_no_place() -> None:
    async def work() -> float:
        limiter = window(1, 10)
        async with limiter.permit():
            waiter = asyncio.create_task(limiter.permit().__aenter__())
            await limiter.clock.sleep(1)
            waiter.cancel()
        async with limiter.permit():
            return limiter.clock.monotonic()

    assert virtually(work) == pytest.approx(1011)


@pytest.mark.parametrize("under_way", [True, False])
def test_closing_ends_the_waiting_with_closed(under_way: bool) -> None:
    async def work() -> list[object]:
        limiter = window(1, 100)
        first = limiter.permit()
        await first.__aenter__()
        if not under_way:
            await first.__aexit__(None, None, None)
        waiting = [asyncio.create_task(limiter.permit().__aenter__()) for _ in range(5)]
        await limiter.clock.sleep(1)
        limiter.close()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert limiter.clock.monotonic() == pytest.approx(1001)
        return [type(each) for each in found]

    assert virtually(work) == [Closed] * 5


def test_closing_ends_the_waiting_for_a_pause_and_for_a_slot() -> None:
    async def work() -> list[object]:
        clock = VirtualClock()
        paused, paced = Limiter(clock), Limiter(clock, pace=Pace(clock, SLOWEST_PACE))
        paused.refused(3600)
        async with paced.permit():
            pass
        waiting = [asyncio.create_task(each.permit().__aenter__()) for each in (paused, paced)]
        await clock.sleep(1)
        paused.close()
        paced.close()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        return [type(each) for each in found]

    assert virtually(work) == [Closed, Closed]


def test_who_gives_up_waiting_takes_no_slot_of_the_pace() -> None:
    """Of a target that refused everything for long, others would otherwise wait for slots that nobody uses."""

    async def work() -> tuple[list[object], float]:
        clock = VirtualClock()
        limiter = Limiter(clock, pace=Pace(clock, SLOWEST_PACE))
        async with limiter.permit():
            pass
        waiting = [asyncio.create_task(limiter.permit().__aenter__()) for _ in range(300)]
        await clock.sleep(1)
        limiter.refused(2 * MAX_RETRY_AFTER_SECONDS)  # nobody waits for the end of that
        found = await asyncio.gather(*waiting, return_exceptions=True)
        await clock.sleep(MAX_RETRY_AFTER_SECONDS)
        began = clock.monotonic()
        async with limiter.permit():
            return [type(each) for each in found], clock.monotonic() - began

    given_up, waited = virtually(work)

    assert given_up == [Shut] * 300
    assert waited <= 1 / SLOWEST_PACE


def test_the_pace_begins_at_two_a_second_and_grows_while_answers_are_quick() -> None:
    async def work() -> tuple[float, float]:
        clock = VirtualClock()
        limiter, began = Limiter(clock, pace=Pace(clock)), clock.monotonic()
        sent = []
        while clock.monotonic() - began < 20:
            async with limiter.permit():
                sent.append(clock.monotonic() - began)
                await clock.sleep(0.01)
            limiter.answered(0.01)
        return sum(at < 1 for at in sent) / 1, sum(19 <= at < 20 for at in sent) / 1

    first, last = virtually(work)

    assert first == STARTING_PACE
    assert last > 40


def test_the_pace_shrinks_when_answers_become_slow() -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        pace, seen = Pace(clock, 10.0), list[float]()
        for latency in [0.1] * 5 + [2.0] * 60:
            for _ in range(10):
                await clock.sleep(0.1)
                pace.answered(latency)
            seen.append(pace.per_second)
        return seen

    seen = virtually(work)

    assert seen[4] > seen[0]
    assert seen[-1] < seen[30] < max(seen)


def test_a_minute_after_a_stall_the_pace_is_what_it_was() -> None:
    async def work() -> tuple[float, float]:
        clock = VirtualClock()
        pace = Pace(clock, 4.0, limit=4.0)

        async def quick(seconds: float) -> float:
            began = clock.monotonic()
            while clock.monotonic() - began < seconds:
                await clock.sleep(1 / pace.per_second)
                pace.answered(0.05)
            return pace.per_second

        before = await quick(10)
        await clock.sleep(25)
        for _ in range(64):  # all that were under way
            pace.answered(25.0)
        return before, await quick(60)

    before, after = virtually(work)

    assert after >= before


def test_a_refusal_halves_the_pace_and_a_wave_of_them_halves_it_once() -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        pace, seen = Pace(clock, 16.0), list[float]()
        for _ in range(16):
            pace.refused()
        seen.append(pace.per_second)
        for _ in range(30):
            await clock.sleep(2)
            pace.refused()
            seen.append(pace.per_second)
        return seen

    seen = virtually(work)

    assert seen[:3] == [8.0, 4.0, 2.0]
    assert seen[-1] == SLOWEST_PACE


def test_a_pace_that_nobody_keeps_up_with_does_not_grow() -> None:
    async def work() -> float:
        clock = VirtualClock()
        pace = Pace(clock)
        for _ in range(7200):
            await clock.sleep(1)
            pace.answered(0.1)
        return pace.per_second

    assert virtually(work) <= 2 * STARTING_PACE


def test_a_refused_pace_comes_back_at_once_to_a_tenth_below_and_then_step_by_step() -> None:
    async def work() -> tuple[float, list[float]]:
        clock = VirtualClock()
        pace, seen = Pace(clock, 16.0), list[float]()
        pace.refused()
        halved = pace.per_second
        for _ in range(34):
            for _ in range(20):
                await clock.sleep(0.05)
                pace.answered(0.01)
            seen.append(round(pace.per_second, 1))
        return halved, seen

    halved, seen = virtually(work)

    assert halved == 8
    assert set(seen[3:9]) == {14.4}
    assert list(dict.fromkeys(seen[3:])) == [14.4, 16.0, 17.8, 19.8]


def test_a_target_that_is_shut_says_nothing_of_how_much_it_takes() -> None:
    async def work() -> list[int]:
        clock = VirtualClock()
        limiter, seen = Limiter(clock, window=Window(Rate(100, 1.0), clock)), list[int]()
        assert limiter.window is not None
        for answered in (False, False, False, True, False):
            await clock.sleep(600)
            if answered:
                limiter.answered(0.1)
            limiter.refused(1)
            seen.append(limiter.window.rate.calls)
        return seen

    assert virtually(work) == [90, 90, 90, 81, 81]


@pytest.mark.parametrize("paced", [True, False])
def test_stragglers_that_are_refused_during_a_pause_teach_nothing(paced: bool) -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        pace, window = Pace(clock, 100.0), Window(Rate(100, 1.0), clock)
        limiter, seen = Limiter(clock, pace=pace) if paced else Limiter(clock, window=window), list[float]()
        for seconds in (0, 1.5, 1.5, 8.5):  # the pause is 10 s, counted from the last straggler
            await clock.sleep(seconds)
            limiter.refused(10 if seconds < 8 else 0)
            seen.append(pace.limit if paced else window.rate.calls)
        return seen

    assert virtually(work) == [90, 90, 90, 90]


@pytest.mark.parametrize("paced", [True, False])
def test_nobody_sends_during_a_pause_not_even_who_waited_before_it_began(paced: bool) -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        limiter, sent = Limiter(clock, pace=Pace(clock) if paced else None), list[float]()

        async def one() -> None:
            async with limiter.permit():
                sent.append(clock.monotonic() - 1000)

        if paced:
            await limiter.permit().__aenter__()  # the others wait for their slots
        else:
            limiter.refused(0.2)
        tasks = [asyncio.create_task(one()) for _ in range(8)]
        await clock.sleep(0.1)
        limiter.refused(30)
        await asyncio.gather(*tasks)
        return sent

    sent = virtually(work)

    assert min(sent) >= 30.1 - TINY
    if paced:
        assert min(after - before for before, after in pairwise(sorted(sent))) >= 0.9


@pytest.mark.parametrize("asked", [None, 0.0])
def test_pauses_that_are_not_asked_for_double_by_wave_and_end_at_a_minute(asked: float | None) -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        limiter, pauses = Limiter(clock), list[float]()
        for _ in range(9):
            for _ in range(16):  # all that were under way are refused together
                limiter.refused(asked)
            before = clock.monotonic()
            async with limiter.permit():
                pauses.append(clock.monotonic() - before)
        return pauses

    assert virtually(work) == pytest.approx([1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE])


def test_a_pause_that_is_asked_for_is_kept_in_full_and_made_longer_when_it_was_too_short_again_and_again() -> None:
    async def work() -> list[float]:
        clock = VirtualClock()
        limiter, pauses = Limiter(clock), list[float]()
        for asked in (0, 7, 7, 7, 7, 7, 300):
            limiter.refused(asked)
            before = clock.monotonic()
            async with limiter.permit():
                pauses.append(clock.monotonic() - before)
        return pauses

    assert virtually(work) == pytest.approx([1, 7, 7, 8, 16, 32, 300])


def shut(*refusals: tuple[float, float | None]) -> tuple[int, list[Hold]]:
    """How many of 8 calls that wait were told to wait no longer, when the target refused so: (seconds after, asked)."""

    async def work() -> tuple[int, list[Hold]]:
        clock, held = VirtualClock(), list[Hold]()
        limiter = Limiter(clock, pauses=Pauses(clock, held.append))
        limiter.refused(30)
        waiting = [asyncio.create_task(limiter.permit().__aenter__()) for _ in range(8)]
        for seconds, asked in refusals:
            await clock.sleep(seconds)
            limiter.refused(asked)
        await clock.sleep(1)
        ended = [task for task in waiting if task.done()]
        found = [type(task.exception()) for task in ended]
        for task in waiting:
            task.cancel()
        return found.count(Shut), held

    return virtually(work)


def test_nobody_waits_any_longer_when_the_target_asks_for_a_day() -> None:
    ended, held = shut((5, 86_400))

    assert ended == 8
    assert [(hold.asked, hold.seconds, hold.given_up) for hold in held] == [
        (30, 30, False),
        (86_400, MAX_RETRY_AFTER_SECONDS, True),
    ]


def test_all_wait_for_an_hour_that_the_target_asks_for() -> None:
    ended, held = shut((5, MAX_RETRY_AFTER_SECONDS))

    assert ended == 0
    assert not any(hold.given_up for hold in held)


def test_refusals_of_calls_that_were_under_way_are_one_pause() -> None:
    _, held = shut((0.1, 30), (0.1, 30), (0.1, 30), (10, 31))

    assert [hold.asked for hold in held] == [30, 31]


def test_a_class_of_which_all_was_refused_for_an_hour_is_given_up_and_an_answer_begins_the_hour_anew() -> None:
    async def work() -> tuple[float, float]:
        clock = VirtualClock()
        limiter, began = Limiter(clock), clock.monotonic()
        with suppress(Shut):
            while True:
                async with limiter.permit():
                    limiter.answered(0.1) if clock.monotonic() < began + 1800 else limiter.refused(30)
                    await clock.sleep(30)
        given_up = clock.monotonic() - began
        await clock.sleep(LONGEST_PAUSE)
        async with limiter.permit():
            limiter.answered(0.1)
        async with limiter.permit():
            return given_up, clock.monotonic() - began - given_up

    given_up, after = virtually(work)

    assert given_up == pytest.approx(1800 + 3600, abs=60)
    assert after == LONGEST_PAUSE


def test_a_good_answer_forgets_the_refusals() -> None:
    async def work() -> float:
        clock = VirtualClock()
        limiter = Limiter(clock)
        for _ in range(5):
            limiter.refused(None)
            async with limiter.permit():
                limiter.answered(0.1)
        before = clock.monotonic()
        limiter.refused(None)
        async with limiter.permit():
            return clock.monotonic() - before

    assert virtually(work) == pytest.approx(1.0)
