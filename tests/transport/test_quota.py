"""A window that holds over restarts and between processes, on virtual time over a real ledger."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from books import url_of
from virtual import BEGAN, VirtualClock, virtually

from jobs.clock import Stamp, milliseconds
from jobs.ledger.learned import Learned, learned, teach
from jobs.ledger.permits import Reservation
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.transport.limiter import STARTING_PACE, Closed, Limiter
from jobs.transport.quota import FIRST_SHARE, MOST_SHARE, KeptPace, SharedWindow

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
    sent, answered = sorted(began for began, _ in times), sorted(end for _, end in times)
    return max(bisect_left(sent, end + seconds - 1e-6) - bisect_left(answered, end) for end in answered)


async def close(limiter: Limiter) -> None:
    assert isinstance(limiter.window, SharedWindow)
    await limiter.window.aclose()


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("rate", "latency"),
    [
        (Rate(60, 180), 0.0),
        (Rate(60, 180), 0.2),
        (Rate(20, 2), 0.015),
        pytest.param(Rate(1000, 1), 0.005, marks=pytest.mark.slow),
    ],
)
def test_ten_windows_use_what_is_permitted_and_no_more(store: Store, rate: Rate, latency: float) -> None:
    """Each transaction of the ledger takes 5 ms: where it is asked for few permits at a time, their sum is lost."""
    transactions = 0

    async def work() -> list[tuple[float, float]]:
        clock = VirtualClock()

        async def slowly(function: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal transactions
            transactions += 1
            await clock.sleep(0.005)
            return function(*arguments)

        limiter = Limiter(clock, window=SharedWindow(rate, clock, store, POOL, slowly))
        return await sent(limiter, 11 * rate.calls, latency, workers=64)

    times = virtually(work)

    assert sum(began - times[0][0] < 10 * rate.seconds for began, _ in times) >= 0.98 * 10 * rate.calls
    assert most_arrivals(times, rate.seconds) <= rate.calls
    assert transactions < 15 * 11


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


class Strict:
    """A target that takes `most` calls in any `seconds`, and refuses the others."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self.taken, self.refused = list[float](), list[float]()

    def takes(self, now: float) -> bool:
        if sum(now - at < self.seconds for at in self.taken) >= self.most:
            self.refused.append(now)
            return False
        self.taken.append(now)
        return True


async def worked(limiter: Limiter, target: Strict, calls: int, workers: int = 4) -> None:
    """So many calls that the target took; what it refuses is sent again."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            taken = False
            while not taken:
                async with limiter.permit():
                    await limiter.clock.sleep(0.01)
                    taken = target.takes(limiter.clock.monotonic())
                if taken:
                    limiter.answered(0.01)
                else:
                    limiter.refused(1, "HTTP 429")

    await asyncio.gather(*(work() for _ in range(workers)))


def test_what_one_run_learned_the_next_one_knows_also_when_the_first_was_killed(store: Store, tmp_path: Path) -> None:
    async def work() -> tuple[int, int, int]:
        clock, target = VirtualClock(), Strict(6, 10)
        await worked(shared(store, Rate(12, 10), clock), target, 60)
        refused = len(target.refused)
        await clock.sleep(3)
        with Store.opened(url_of(tmp_path)) as another:
            second = shared(another, Rate(12, 10), clock)
            await worked(second, target, 24)
        assert second.window is not None
        return refused, len(target.refused) - refused, second.window.rate.calls

    first, second, calls = virtually(work)

    assert first >= 5
    assert second <= 1  # what was learned is tried one step higher now and then
    assert calls <= 7


def test_processes_on_one_ledger_learn_from_each_other(store: Store, tmp_path: Path) -> None:
    async def work() -> list[int]:
        clock = VirtualClock()
        with Store.opened(url_of(tmp_path)) as another:
            taught, learning = shared(store, Rate(40, 60), clock), shared(another, Rate(40, 60), clock)
            await sent(learning, 1, 0.0)
            taught.refused(0)
            await sent(taught, 1, 0.0)
            await sent(learning, 8, 0.0)
            await close(taught)
            await close(learning)
        assert taught.window is not None
        assert learning.window is not None
        return [taught.window.rate.calls, learning.window.rate.calls]

    assert virtually(work) == [36, 36]


@pytest.mark.slow
def test_a_limit_that_was_raised_at_the_target_is_found_in_steps(store: Store) -> None:
    async def work() -> tuple[int, int, float]:
        clock, target = VirtualClock(), Strict(6, 10)
        limiter = shared(store, Rate(12, 10), clock)
        await worked(limiter, target, 60)
        target.most, before, began = 100, len(target.refused), clock.monotonic()
        await worked(limiter, target, 500)
        assert limiter.window is not None
        return len(target.refused) - before, limiter.window.rate.calls, clock.monotonic() - began

    refused, calls, seconds = virtually(work)

    assert (refused, calls, learned(store, POOL)) == (0, 12, {})
    assert seconds < 800


@pytest.mark.slow
def test_a_real_limit_is_tried_again_and_again_and_refuses_few(store: Store) -> None:
    async def work() -> int:
        clock, target = VirtualClock(), Strict(20, 10)
        limiter = shared(store, Rate(40, 10), clock)
        await worked(limiter, target, 200)
        before = len(target.refused)
        await worked(limiter, target, 2000)
        return len(target.refused) - before

    assert virtually(work) <= 60


def test_an_explicit_lower_rate_wins_over_what_was_learned(store: Store) -> None:
    async def work() -> int:
        clock = VirtualClock()
        taught = shared(store, Rate(40, 60), clock)
        taught.refused(0)
        await close(taught)
        lower = shared(store, Rate(5, 60), clock)
        return most_arrivals(await sent(lower, 20, 0.1), 60)

    assert virtually(work) == 5


def test_a_pace_goes_on_where_the_last_run_was_refused(store: Store) -> None:
    async def work() -> tuple[int, int]:
        clock, target = VirtualClock(), Strict(4, 1)
        pace = KeptPace(clock, store, POOL, at_once)
        await worked(Limiter(clock, pace=pace), target, 100)
        await pace.aclose()
        refused = len(target.refused)
        await worked(Limiter(clock, pace=KeptPace(clock, store, POOL, at_once)), target, 25)
        return refused, len(target.refused) - refused

    first, second = virtually(work)

    assert second <= 1 < first


def test_a_pace_that_was_tried_higher_is_kept(store: Store) -> None:
    async def work() -> tuple[float, float]:
        clock = VirtualClock()
        first = KeptPace(clock, store, POOL, at_once)
        first.refused()
        for _ in range(600):
            await clock.sleep(0.25)
            first.answered(0.01)
        await first.aclose()
        return first.limit, KeptPace(clock, store, POOL, at_once).limit

    tried, kept = virtually(work)

    assert tried > 2
    assert kept == pytest.approx(tried, abs=1 / 60)


def test_processes_that_find_a_pace_together_have_their_parts_of_it(store: Store) -> None:
    async def work() -> tuple[float, float, float, float]:
        clock = VirtualClock()
        halves = [KeptPace(clock, store, POOL, at_once, sharers=2) for _ in range(2)]
        began = sum(pace.per_second for pace in halves)
        await climbed(halves[0], 10)
        halves[0].refused()
        await halves[0].aclose()
        after = KeptPace(clock, store, POOL, at_once), KeptPace(clock, store, POOL, at_once, sharers=4)
        return began, halves[0].limit, after[0].limit, after[1].limit

    began, half, whole, quarter = virtually(work)

    assert began == STARTING_PACE
    assert whole == pytest.approx(2 * half, abs=1 / 60)
    assert quarter == pytest.approx(half / 2, abs=1 / 60)


async def climbed(pace: KeptPace, seconds: int = 120) -> None:
    """Good answers, as many as the pace lets through."""
    for _ in range(seconds):
        await pace.clock.sleep(1)
        for _ in range(int(pace.per_second) + 1):
            pace.answered(0.01)


def known(calls: int, after_ms: int = 0) -> Learned:
    at = Stamp(VirtualClock().boot(), 1_000_000 + after_ms, milliseconds(BEGAN) + after_ms)
    return Learned(Rate(calls, 60.0), at, "HTTP 429")


def test_a_pace_that_climbed_and_was_refused_is_kept_as_it_was_learned(store: Store) -> None:
    teach(store, POOL, known(50))

    async def work() -> float:
        pace = KeptPace(VirtualClock(), store, POOL, at_once)
        await climbed(pace)
        pace.refused()
        await pace.aclose()
        return pace.limit

    limit = virtually(work)

    assert limit * 60 > 100
    assert learned(store, POOL)[POOL].rate == Rate(int(limit * 60), 60.0)


def test_a_stricter_limit_that_another_process_taught_meanwhile_holds_for_a_pace_that_is_refused(store: Store) -> None:
    teach(store, POOL, known(50))

    async def work() -> float:
        pace = KeptPace(VirtualClock(), store, POOL, at_once)
        await climbed(pace)
        teach(store, POOL, known(40, after_ms=60_000), known(50))
        pace.refused()
        await pace.tell()
        await pace.aclose()
        return pace.limit

    assert virtually(work) == pytest.approx(40 / 60)
    assert learned(store, POOL)[POOL].rate == Rate(40, 60.0)


def test_a_limit_of_last_night_does_not_slow_down_this_one(store: Store) -> None:
    async def work() -> tuple[Rate, Rate, float]:
        clock, most = VirtualClock(), Rate(60, 180)
        for pool in (POOL, "paced"):
            teach(store, pool, known(1))
        early = SharedWindow(most, clock, store, POOL, at_once).rate
        await clock.sleep(12 * 3600)
        late = SharedWindow(most, clock, store, POOL, at_once).rate
        return early, late, KeptPace(clock, store, "paced", at_once).limit

    assert virtually(work) == (Rate(3, 180), Rate(60, 180), float("inf"))


@pytest.mark.slow
def test_a_share_is_as_large_as_what_is_used_and_not_as_what_is_permitted(store: Store) -> None:
    """With `--rate 100000/1` one row took ten thousand permits, and the ledger was locked while they were written."""
    taken: list[int] = []

    async def counted(function: Callable[..., Any], *arguments: Any) -> Any:
        found = function(*arguments)
        if isinstance(found, Reservation):
            taken.append(found.permits)
        return found

    async def work() -> None:
        clock = VirtualClock()
        limiter = Limiter(clock, window=SharedWindow(Rate(100_000, 1), clock, store, POOL, counted))
        await sent(limiter, 1, 0.01)
        assert taken == [FIRST_SHARE]
        await sent(limiter, 20_000, 0.002, workers=64)
        await close(limiter)

    virtually(work)

    assert max(taken) <= MOST_SHARE
    assert len(taken) < 100
