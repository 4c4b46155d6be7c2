"""One seed, one history: runs that die, resumes, a calm end, and every invariant after each.

python -m tests.simulation.simulate --seed 17 --rows 5 -v
python -m tests.simulation.simulate --seed 17 --shrink     (which parts of a failing history matter)
"""

import argparse
import asyncio
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.engine.driver import Patience
from tests.virtual import VirtualLoop

from . import draws, invariants
from .disk import looked_into
from .draws import AGAIN
from .faults import Fault, Planned, Weather
from .parts import Parts
from .population import Population, populated
from .records import Manners
from .world import World

ROWS = 4
MOST_RUNS = 8
CALLS_A_ROW = 25
"""What a row may cost in a run, waiting for a decision included (chosen; without faults 14 at most, measured)."""

CALLS_A_FAULT = 25
"""What one fault may cost: five attempts of five reads each."""


History = Callable[[World], Awaitable[list[str]]]
"""What happens in a world; gives the problems that were found."""


@dataclass(frozen=True)
class Trace:
    """What one seed gave."""

    rows: int
    problems: tuple[str, ...]
    reached: Counter[str]
    digest: str
    log: tuple[str, ...]
    outcomes: tuple[str, ...]
    calls: int
    seconds: float
    """Virtual seconds."""
    parts: Parts

    @property
    def seed(self) -> int:
        """What it was drawn from."""
        return self.parts.seed

    @property
    def command(self) -> str:
        """Shows the history again."""
        only = "" if self.parts.only is None else f" --only '{','.join(sorted(self.parts.only))}'"
        return f"python -m tests.simulation.simulate --seed {self.seed} --rows {self.rows}{only} -v"


def simulate(
    seed: int,
    rows: int = ROWS,
    *,
    calm: bool = False,
    history: History | None = None,
    only: frozenset[str] | None = None,
) -> Trace:
    """The history of `seed`, or another one in its world. `calm`: no fault and no crash. `only`: these parts of it."""
    parts = Parts(seed, only)
    weather = Weather(parts) if calm else Weather.drawn(parts)
    population, manners = populated(parts, rows), draws.manners(parts)

    async def usual(world: World) -> list[str]:
        return await stormy(world, calm) or await calmed(world)

    return told(population, manners, weather, history or usual, rows)


def planned(
    seed: int,
    plan: Mapping[tuple[str, int], Fault],
    *,
    persona: str = "plain",
    manners: Manners | None = None,
    history: History | None = None,
) -> Trace:
    """One row that meets the faults of `plan`, in one run (or another `history`), and then a calm one."""

    async def usual(world: World) -> list[str]:
        await world.run()
        return judged(world) or await calmed(world)

    parts = Parts(seed)
    population = populated(parts, 1, named=persona)
    return told(population, manners or Manners(), Planned(parts, plan=plan), history or usual, 1)


def told(population: Population, manners: Manners, weather: Weather, history: History, rows: int) -> Trace:
    """`history` in a world of its own."""
    parts = weather.parts
    loop = VirtualLoop(parts.dice("order") if parts.happens("order") else None)

    async def work() -> Trace:
        world = World(parts, population, manners, weather, Path(folder))
        try:
            problems = await history(world)
        except Exception as error:
            problems = [f"I14 the engine broke: {error!r} at {where(error)}"]
        weather.reached["tasks in another order"] += loop.reordered > 0
        last = () if problems else tuple(ends(world))
        return Trace(
            rows=rows,
            problems=tuple(problems),
            reached=weather.reached,
            digest=world.digest(),
            log=tuple(world.log),
            outcomes=last,
            calls=len(world.target.journal),
            seconds=world.now(),
            parts=parts,
        )

    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="simulated-", dir=shm if shm.is_dir() else None) as folder:
        loop.set_exception_handler(lambda *_: None)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(work())


def where(error: Exception) -> str:
    """The innermost place of an error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


async def stormy(world: World, calm: bool) -> list[str]:
    """Runs that die or are stopped, until one comes to its end; the problems that were found."""
    parts = world.parts
    for number in range(1, MOST_RUNS + 1):
        if not parts.happens(f"run{number}"):
            continue
        rows = len(world.population.rows)
        command = draws.command(parts, number, rows, calm=calm, dies=number < MOST_RUNS - 1)
        if command.settings != (world.runs[-1].settings if world.runs else draws.USUAL):
            world.weather.reached["other settings"] += 1
        world.weather.reached["a retry"] += command.taking is not None
        world.weather.reached["a command after the end"] += bool(world.runs and world.runs[-1].complete)
        ran = await world.run(
            taking=command.taking,
            dies_at=command.dies_at,
            stops_after=command.stops_after,
            settings=command.settings,
            clock_steps=command.clock_steps,
        )
        if ran.died:
            parts.places[f"death{number}"] = ran.place
        if problems := judged(world):
            return problems
        if ran.complete and not command.stops_after and command.last:
            return []
        await asyncio.sleep(command.pause)
        if command.clock_set:
            world.set_clock(command.clock_set, "between runs")
    return []


async def calmed(world: World) -> list[str]:
    """All faults pass, waiting decisions are made, and every row gets its last chance."""
    world.weather.rate = 0.0
    await asyncio.sleep(10_000)
    await world.run(taking=AGAIN, patience=Patience(decision_poll=600, decision_wait=10_000))
    world.network.advance(world.now())
    return judged(world) or invariants.at_the_end(world, world.runs[-1])


def judged(world: World) -> list[str]:
    """What does not hold after the newest run."""
    ran = world.runs[-1]
    found = invariants.after_every_run(world)
    if ran.complete:
        found += invariants.after_a_complete_run(world, ran)
    faults = sum(world.weather.reached.values())
    bound = CALLS_A_ROW * len(world.population.rows) * len(world.runs) + CALLS_A_FAULT * faults
    if len(world.target.journal) > bound:
        found.append(f"I14 {len(world.target.journal)} calls, {bound} allowed")
    return found


def ends(world: World) -> list[str]:
    """The outcomes of the newest run in input order."""
    with looked_into(world.url) as store:
        outcomes = invariants.outcomes_of(store, world.runs[-1].run_id)
    return [str(outcomes[number]["outcome"]) for number in sorted(outcomes)]


def shrunk(trace: Trace) -> Trace:
    """The same failure with as few parts as can be left: halves are left out first, single ones at last."""
    kept, smallest = [bound(part, trace) for part in trace.parts.used], trace
    size = len(kept)
    while size:
        start, before = 0, len(kept)
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            tried = simulate(trace.seed, trace.rows, only=frozenset(fewer))
            if tried.problems and tried.problems[0].split()[0] == trace.problems[0].split()[0]:
                kept, smallest = fewer, tried
            else:
                start += size
        size = size // 2 if size > 1 or len(kept) == before else 1
    return smallest


def bound(part: str, trace: Trace) -> str:
    """A death is bound to the place at which it came, which the other parts don't move."""
    return f"{part}@{trace.parts.places[part]}" if part in trace.parts.places else part


def show(line: str) -> None:
    """One line for the reader."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Simulates seeds and shows what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--only", help="these parts of the history, separated by commas")
    parser.add_argument("--shrink", action="store_true", help="which parts matter, of each seed that fails")
    parser.add_argument("-v", action="store_true", help="the log")
    given = parser.parse_args()
    only = None if given.only is None else frozenset(given.only.split(","))
    reached: Counter[str] = Counter()
    failed = 0
    for seed in range(given.seed, given.seed + given.seeds):
        trace = simulate(seed, given.rows, only=only)
        reached += trace.reached
        if given.v:
            show("\n".join(trace.log))
        if trace.problems:
            failed += 1
            smallest = shrunk(trace) if given.shrink else trace
            show(f"seed {seed}: {'; '.join(smallest.problems[:3])}\n  {smallest.command}")
    show(f"{given.seeds} seeds, {failed} failed")
    for name, count in sorted(reached.items()):
        show(f"  {count:8} {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
