"""One seed, one history: runs that die, resumes, a calm end, and every invariant after each.

python -m tests.simulation.simulate --seed 17 --rows 5 -v
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
from random import Random

from jobs.engine.case import Taking
from jobs.engine.onboard import Patience
from jobs.model import RESUMABLE, Outcome
from tests.virtual import VirtualLoop

from . import invariants
from .disk import opened
from .network import Fault, Planned, Weather
from .population import Population, populated
from .records import Manners
from .world import World

ROWS = 4
MOST_RUNS = 8
AGAIN = Taking(RESUMABLE | {Outcome.FAILED})
CALLS_A_ROW = 25
"""What a row may cost in a run, waiting for a decision included (chosen; without faults 14 at most, measured)."""

CALLS_A_FAULT = 25
"""What one fault may cost: five attempts of five reads each."""


History = Callable[[World], Awaitable[list[str]]]
"""What happens in a world; gives the problems that were found."""


@dataclass(frozen=True)
class Trace:
    """What one seed gave."""

    seed: int
    rows: int
    problems: tuple[str, ...]
    reached: Counter[str]
    digest: str
    log: tuple[str, ...]
    outcomes: tuple[str, ...]
    calls: int
    seconds: float
    """Virtual seconds."""

    @property
    def command(self) -> str:
        """Shows the history again."""
        return f"python -m tests.simulation.simulate --seed {self.seed} --rows {self.rows} -v"


def simulate(seed: int, rows: int = ROWS, *, calm: bool = False, history: History | None = None) -> Trace:
    """The history of `seed`, or another one in its world. `calm`: no fault and no crash."""
    random = Random(seed)
    weather = Weather(random) if calm else Weather.drawn(random)
    population, manners = populated(random, rows), drawn(random)

    async def usual(world: World) -> list[str]:
        return await stormy(world, random, calm) or await calmed(world)

    return told(seed, population, manners, weather, history or usual)


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

    random = Random(seed)
    population = populated(random, 1, named=persona)
    return told(seed, population, manners or Manners(), Planned(random, plan=plan), history or usual)


def told(seed: int, population: Population, manners: Manners, weather: Weather, history: History) -> Trace:
    """`history` in a world of its own."""

    async def work() -> Trace:
        world = World(seed, population, manners, weather, Path(folder))
        try:
            problems = await history(world)
        except Exception as error:
            problems = [f"I14 the engine broke: {error!r} at {where(error)}"]
        last = () if problems else tuple(ends(world))
        return Trace(
            seed=seed,
            rows=len(population.rows),
            problems=tuple(problems),
            reached=weather.reached,
            digest=world.digest(),
            log=tuple(world.log),
            outcomes=last,
            calls=len(world.target.journal),
            seconds=world.now(),
        )

    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="simulated-", dir=shm if shm.is_dir() else None) as folder:
        loop = VirtualLoop()
        loop.set_exception_handler(lambda *_: None)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(work())


def where(error: Exception) -> str:
    """The innermost place of an error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def drawn(random: Random) -> Manners:
    """A target that takes some of the liberties that the documents leave it."""
    return Manners(
        show_keys=random.random() < 0.6,
        show_wallet_keys=random.random() < 0.6,
        page=random.choice((1, 2, 20)),
        only_keys_unique=random.random() < 0.5,
        token_seconds=random.choice((30.0, 300.0, 3600.0)),
    )


async def stormy(world: World, random: Random, calm: bool) -> list[str]:
    """Runs that die or are stopped, until one comes to its end; the problems that were found."""
    longest = 25 * len(world.population.rows)
    for number in range(MOST_RUNS):
        dies = not calm and number < MOST_RUNS - 2 and random.random() < 0.75
        stops = not calm and random.random() < 0.2
        ran = await world.run(
            taking=AGAIN if random.random() < 0.3 else None,
            dies_at=random.randint(1, longest) if dies else None,
            stops_after=random.uniform(0, 60) if stops else None,
        )
        if problems := judged(world):
            return problems
        if ran.complete and not stops:
            return []
        await asyncio.sleep(random.choice((0.0, 0.5, 3.0, 60.0)))
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
    with opened(world.url) as store:
        outcomes = invariants.outcomes_of(store, world.runs[-1].run_id)
    return [str(outcomes[number]["outcome"]) for number in sorted(outcomes)]


def show(line: str) -> None:
    """One line for the reader."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Simulates seeds and shows what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("-v", action="store_true", help="the log")
    given = parser.parse_args()
    reached: Counter[str] = Counter()
    failed = 0
    for seed in range(given.seed, given.seed + given.seeds):
        trace = simulate(seed, given.rows)
        reached += trace.reached
        if given.v:
            show("\n".join(trace.log))
        if trace.problems:
            failed += 1
            show(f"seed {seed}: {'; '.join(trace.problems[:3])}\n  {trace.command}")
    show(f"{given.seeds} seeds, {failed} failed")
    for name, count in sorted(reached.items()):
        show(f"  {count:8} {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
