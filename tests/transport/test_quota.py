"""A window that holds over restarts and between processes, on virtual time over a real ledger."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from books import url_of
from virtual import VirtualClock, virtually

from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.transport.limiter import Closed, Limiter
from jobs.transport.quota import SharedWindow

POOL = "pool"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.opened(url_of(tmp_path)) as opened:
        yield opened


async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Virtual time does not wait for threads."""
    return function(*arguments)


def shared(store: Store, rate: Rate, clock: VirtualClock) -> Limiter:
    return Limiter(clock, window=SharedWindow(rate, clock, store, POOL, at_once))


async def sent(limiter: Limiter, calls: int, latency: float, workers: int = 8) -> list[tuple[float, float]]:
    """When each of so many calls was sent and answered."""
    times, left = list[tuple[float, float]](), iter(range(calls))

    async def work() -> None:
        for _ in left:
            async with limiter.permit():
                began = limiter.clock.monotonic()
                await limiter.clock.sleep(latency)
                times.append((began, limiter.clock.monotonic()))

    await asyncio.gather(*(work() for _ in range(workers)))
    return times


def most_arrivals(times: list[tuple[float, float]], seconds: float) -> int:
    """The most calls whose way overlaps one window, for the worst window."""
    return max(sum(answered >= end and began < end + seconds - 1e-6 for began, answered in times) for _, end in times)


async def close(limiter: Limiter) -> None:
    assert isinstance(limiter.window, SharedWindow)
    await limiter.window.aclose()


@pytest.mark.parametrize("latency", [0.0, 0.2])
def test_ten_windows_use_what_is_permitted_and_no_more(store: Store, latency: float) -> None:
    async def work() -> list[tuple[float, float]]:
        return await sent(shared(store, Rate(60, 180), VirtualClock()), 660, latency)

    times = virtually(work)

    assert sum(began - times[0][0] < 1800 for began, _ in times) >= 0.97 * 600
    assert most_arrivals(times, 180) <= 60


def test_processes_on_one_ledger_share_one_window(store: Store) -> None:
    async def work() -> list[tuple[float, float]]:
        clock = VirtualClock()
        limiters = [shared(store, Rate(20, 30), clock) for _ in range(3)]
        found = await asyncio.gather(*(sent(limiter, 40, 0.3, 4) for limiter in limiters))
        return [call for calls in found for call in calls]

    times = virtually(work)

    assert len(times) == 120
    assert most_arrivals(times, 30) <= 20


@pytest.mark.parametrize("orderly", [True, False])
def test_the_next_run_counts_the_calls_of_the_one_before(store: Store, orderly: bool) -> None:
    async def work() -> list[tuple[float, float]]:
        clock = VirtualClock()
        first = shared(store, Rate(10, 60), clock)
        times = await sent(first, 10, 1.0)
        if orderly:
            await close(first)
        return times + await sent(shared(store, Rate(10, 60), clock), 15, 1.0)

    assert most_arrivals(virtually(work), 60) <= 10


def test_permits_that_were_not_used_are_free_at_once_for_the_next_run(store: Store) -> None:
    async def work() -> float:
        clock = VirtualClock()
        first = shared(store, Rate(100, 600), clock)
        await sent(first, 1, 0.0)
        await close(first)
        await sent(shared(store, Rate(100, 600), clock), 99, 0.0)
        return clock.monotonic() - 1000

    assert virtually(work) < 1


def test_closing_ends_the_waiting_for_the_ledgers_window_too(store: Store) -> None:
    async def work() -> list[type]:
        clock = VirtualClock()
        limiter = shared(store, Rate(1, 600), clock)
        await sent(limiter, 1, 0.0)
        waiting = [asyncio.create_task(sent(limiter, 1, 0.0, 1)) for _ in range(3)]
        await clock.sleep(5)
        limiter.close()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert clock.monotonic() - 1000 < 6
        return [type(each) for each in found]

    assert virtually(work) == [Closed] * 3
