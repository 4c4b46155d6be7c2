"""Windows and pauses over processes, boots and machines whose wall clocks are set at random: the target sees no change.

The ledger is a real one; time is virtual, and the target's.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import pytest
from books import quick_folder, url_of
from hypothesis import example, given, note, settings
from hypothesis import strategies as st
from virtual import BEGAN, VirtualClock, virtually

from jobs.ledger.permits import LOST_SECONDS
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.transport.limiter import Closed, Limiter
from jobs.transport.pauses import Hold, nobody
from jobs.transport.quota import LOOK_SECONDS, KeptPauses, SharedWindow
from jobs.transport.retry import MAX_RETRY_AFTER_SECONDS
from tests.examples import some

POOL = "pool"
RATE = Rate(6, 20.0)
TINY = 1e-6

MACHINES = st.integers(0, 1)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("start"), MACHINES, st.sampled_from([0.0, 0.3, 7.0])),
        st.tuples(st.just("start"), MACHINES, st.sampled_from([0.0, 0.3, 7.0])),
        st.tuples(st.just("kill"), MACHINES, st.just(0.0)),
        st.tuples(st.just("end"), MACHINES, st.just(0.0)),
        st.tuples(st.just("boot"), MACHINES, st.just(0.0)),
        st.tuples(st.just("step"), MACHINES, st.sampled_from([-31e6, -3600.0, -19.0, 19.0, 3600.0, 31e6])),
        st.tuples(st.just("wait"), MACHINES, st.floats(0, 45)),
    ),
    max_size=14,
)
"""What happens, to which machine, and how much of it."""

SEEN_LATE = [("start", 1, 0.3), ("start", 0, 7.0), ("boot", 0, 0.0), ("boot", 1, 0.0), ("wait", 0, 58.0)]
"""Both machines restart, and only later a process looks at what was under way on them."""


@pytest.fixture
def store() -> Iterator[Store]:
    with quick_folder() as folder, Store.opened(url_of(folder)) as opened:
        yield opened


async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Virtual time does not wait for threads."""
    return function(*arguments)


@dataclass
class Process:
    """Sends as much as it may, until it is ended or killed."""

    store: Store
    clock: VirtualClock
    latency: float
    calls: list[tuple[float, float]]
    """When each was sent and answered, on the target's clock; the target goes on with those of the killed."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self, workers: int = 3) -> None:
        """From now on."""
        self.window = SharedWindow(RATE, self.clock, self.store, POOL, at_once)
        self.limiter = Limiter(self.clock, window=self.window)
        self.tasks = [asyncio.create_task(self._work()) for _ in range(workers)]

    async def _work(self) -> None:
        with suppress(Closed):
            while True:
                async with self.limiter.permit():
                    sent = asyncio.get_running_loop().time()
                    self.calls.append((sent, sent + self.latency))
                    await self.clock.sleep(self.latency)

    async def end(self) -> None:
        """In order."""
        self.limiter.close()
        await asyncio.gather(*self.tasks)
        await self.window.aclose()

    async def kill(self) -> None:
        """At once; nothing is told to the ledger."""
        renewing = [self.window._renewing] if self.window._renewing else []
        for task in (*self.tasks, *renewing):
            task.cancel()
        await asyncio.gather(*self.tasks, *renewing, return_exceptions=True)


class Machines:
    """Two machines on one ledger."""

    def __init__(self, store: Store) -> None:
        self.store, self.calls, self.boots = store, list[tuple[float, float]](), 0
        self.running: list[list[Process]] = [[], []]
        self.clocks = [self._booted(seconds) for seconds in (0.0, 3600.0)]
        self.deaths: list[dict[str, float]] = []
        """Of each process that was killed, when each boot first looked at what it left; its own boot needs no look."""

    def _booted(self, stepped: float) -> VirtualClock:
        self.boots += 1
        clock = VirtualClock(self.boots, f"boot-{self.boots}", up=3.0 - asyncio.get_running_loop().time())
        clock.stepped = stepped
        return clock

    def start(self, machine: int, latency: float) -> Process:
        """One process more."""
        clock = self.clocks[machine]
        mine = VirtualClock(clock.random.getrandbits(32), clock.machine, clock.up)
        mine.stepped = clock.stepped
        process = Process(self.store, mine, latency, self.calls)
        process.begin()
        self.running[machine].append(process)
        for seen in self.deaths:
            seen.setdefault(mine.machine, asyncio.get_running_loop().time())
        return process

    async def move(self, kind: str, machine: int, much: float) -> None:
        """One of MOVES."""
        running = self.running[machine]
        if kind == "start" and len(running) < 2:
            self.start(machine, much)
        elif kind == "wait":
            await asyncio.sleep(much)
        elif kind == "step":
            for clock in (self.clocks[machine], *(process.clock for process in running)):
                clock.stepped += much
        elif kind == "boot":
            await self.kill(machine)
            self.clocks[machine] = self._booted(self.clocks[machine].stepped)
        elif kind == "kill" and running:
            boots = {each.clock.machine for each in chain(*self.running)}  # the killed one's is among them
            self.deaths.append(dict.fromkeys(boots, asyncio.get_running_loop().time()))
            await running.pop().kill()
        elif kind == "end" and running:
            await running.pop().end()

    def lost_by(self, boot: str) -> float:
        """When the last permit of a killed process is lost: `boot` counts that of another one from its first look."""
        return max((seen[boot] for seen in self.deaths), default=float("-inf")) + LOST_SECONDS

    async def kill(self, machine: int) -> None:
        """All of its processes."""
        while self.running[machine]:
            await self.move("kill", machine, 0.0)


def most_arrivals(calls: list[tuple[float, float]], seconds: float) -> int:
    """The most calls whose way overlaps one window, for the worst window."""
    return max(
        (sum(answered >= end and sent < end + seconds - TINY for sent, answered in calls) for _, end in calls),
        default=0,
    )


def happened(moves: list[tuple[str, int, float]]) -> tuple[list[tuple[float, float]], float, float]:
    """All calls; how long a last process waited for its first call after `moves`, and between two of them at most."""

    async def work() -> tuple[list[tuple[float, float]], float, float]:
        with quick_folder() as folder, Store.opened(url_of(folder)) as store:
            machines = Machines(store)
            for kind, machine, much in moves:
                note(f"{asyncio.get_running_loop().time():.1f} {kind} {machine} {much}")
                await machines.move(kind, machine, much)
            for running in machines.running:
                while running:
                    await running.pop().end()
            calls, began = len(machines.calls), asyncio.get_running_loop().time()
            last = machines.start(0, 0.3)
            lost = machines.lost_by(last.clock.machine)
            await asyncio.sleep(max(0.0, lost - began) + 4 * RATE.seconds)
            await last.end()
            times = [began, *(sent for sent, _ in machines.calls[calls:])]
            first = times[1] - max(began, lost)
            gaps = [after - max(before, lost) for before, after in pairwise(times[1:])]
            return machines.calls, first, max(gaps)

    return virtually(work)


def holds(moves: list[tuple[str, int, float]]) -> None:
    """No window is exceeded, and nobody waits for longer than one."""
    calls, first, gap = happened(moves)
    assert most_arrivals(calls, RATE.seconds) <= RATE.calls
    assert first <= RATE.seconds + 0.5
    assert gap <= RATE.seconds + 0.5


@pytest.mark.slow
@settings(max_examples=some(8), deadline=None)
@example(SEEN_LATE)
@given(MOVES)
def test_no_window_is_exceeded_and_nobody_waits_for_longer_than_one(moves: list[tuple[str, int, float]]) -> None:
    holds(moves)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=1500, deadline=None)
@given(MOVES)
def test_no_window_is_exceeded_in_very_many_histories(moves: list[tuple[str, int, float]]) -> None:
    holds(moves)


def pausing(store: Store, clock: VirtualClock, held: list[Hold] | None = None) -> Limiter:
    """The limiter of a process that keeps pauses in the ledger."""
    hear = nobody if held is None else held.append
    return Limiter(clock, pauses=KeptPauses(clock, store, POOL, at_once, hear))


async def waited(limiter: Limiter) -> float:
    """Seconds that the next call waits."""
    began = limiter.clock.monotonic()
    async with limiter.permit():
        return limiter.clock.monotonic() - began


async def told(limiter: Limiter, seconds: float) -> None:
    """The target asks for a pause, and the ledger hears of it when the process ends or goes on."""
    limiter.refused(seconds)
    assert isinstance(limiter.pauses, KeptPauses)
    await limiter.pauses.aclose()


@pytest.mark.parametrize("stepped", [-31e6, -3600.0, 0.0, 3600.0, 31e6])
def test_a_pause_is_kept_by_the_next_process_for_what_is_left_of_it(store: Store, stepped: float) -> None:
    async def work() -> tuple[float, list[Hold]]:
        clock, held = VirtualClock(), list[Hold]()
        await told(pausing(store, clock), 600)
        await clock.sleep(200)
        clock.stepped = stepped
        return await waited(pausing(store, clock, held)), held

    seconds, held = virtually(work)

    assert seconds == pytest.approx(400, abs=0.01)
    assert [(hold.kept, hold.asked, hold.at, hold.source) for hold in held] == [(True, 600, BEGAN, "HTTP 429")]


def test_a_process_that_is_under_way_hears_of_a_pause_that_another_was_asked_for(store: Store) -> None:
    async def work() -> float:
        clock = VirtualClock()
        first, second = pausing(store, clock), pausing(store, clock)
        await waited(second)
        await told(first, 600)
        await clock.sleep(LOOK_SECONDS)
        return await waited(second)

    assert virtually(work) == pytest.approx(600 - LOOK_SECONDS, abs=0.01)


@pytest.mark.parametrize(
    ("stepped", "left"), [(-31e6, 600), (-3600.0, 600), (-100.0, 500), (0.0, 400), (3600.0, 0), (31e6, 0)]
)
def test_after_a_restart_of_the_machine_a_pause_is_worth_what_the_wall_clock_says_and_no_more_than_was_asked_for(
    store: Store, stepped: float, left: float
) -> None:
    async def work() -> list[float]:
        await told(pausing(store, VirtualClock()), 600)
        await asyncio.sleep(200)
        after = VirtualClock(machine="after", up=-1190.0)
        after.stepped = stepped
        first = await waited(pausing(store, after))
        return [first, await waited(pausing(store, after))]

    assert virtually(work) == pytest.approx([left, 0], abs=0.01)


def test_processes_that_come_one_after_the_other_do_not_make_a_pause_longer(store: Store) -> None:
    async def work() -> float:
        await told(pausing(store, VirtualClock()), 600)
        clock = VirtualClock(machine="another", up=5.0)
        clock.stepped = -86_400.0
        for _ in range(5):
            limiter = pausing(store, clock)
            waiting = asyncio.create_task(waited(limiter))
            await clock.sleep(119)
            waiting.cancel()
        return await waited(pausing(store, clock))

    assert virtually(work) == pytest.approx(5, abs=0.01)


def test_a_pause_of_a_day_binds_others_for_an_hour_and_its_words_are_kept(store: Store) -> None:
    async def work() -> tuple[float, list[Hold]]:
        clock, held = VirtualClock(), list[Hold]()
        await told(pausing(store, clock), 86_400)
        return await waited(pausing(store, clock, held)), held

    seconds, (hold,) = virtually(work)

    assert seconds == pytest.approx(MAX_RETRY_AFTER_SECONDS, abs=0.01)
    assert (hold.asked, hold.given_up) == (86_400, False)


def test_a_shorter_pause_does_not_end_a_longer_one(store: Store) -> None:
    async def work() -> float:
        clock = VirtualClock()
        first, second = pausing(store, clock), pausing(store, clock)
        await told(first, 600)
        await told(second, 60)
        return await waited(pausing(store, clock))

    assert virtually(work) == pytest.approx(600, abs=0.01)


def test_refusals_without_a_pause_that_was_asked_for_leave_nothing_for_others(store: Store) -> None:
    async def work() -> float:
        clock = VirtualClock()
        limiter = pausing(store, clock)
        limiter.refused(None)
        await told(limiter, 0)
        return await waited(pausing(store, clock))

    assert virtually(work) == 0
