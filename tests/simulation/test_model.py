"""Hypothesis chooses what happens next: runs, deaths, signals, faults, time, changes at the target."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from random import Random

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jobs.systems.eclipse.system import EclipseSettings
from tests.examples import some
from tests.simulation import invariants
from tests.simulation.draws import AGAIN, CLOCK_STEPS, SETTINGS
from tests.simulation.faults import Fault, Weather
from tests.simulation.parts import Parts
from tests.simulation.population import populated
from tests.simulation.records import Manners
from tests.simulation.simulate import calmed, judged
from tests.simulation.world import World
from tests.virtual import VirtualLoop


class Machine(RuleBasedStateMachine):
    """A target, a ledger, and processes over both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(Random(1)))
        self.runner.get_loop().set_exception_handler(lambda *_: None)

    @initialize(
        seed=st.integers(0, 2**20), keys=st.booleans(), wallet_keys=st.booleans(), page=st.sampled_from((1, 20))
    )
    def begin(self, seed: int, keys: bool, wallet_keys: bool, page: int) -> None:
        parts = Parts(seed)
        manners = Manners(show_keys=keys, show_wallet_keys=wallet_keys, page=page)
        self.world = World(parts, populated(parts, 3), manners, Weather(parts), self.folder)

    @rule(faults=st.lists(st.sampled_from(sorted(Fault)), max_size=4), rate=st.sampled_from((0.05, 0.2, 0.5)))
    def weather(self, faults: list[Fault], rate: float) -> None:
        self.world.weather.faults, self.world.weather.rate = tuple(faults), rate

    @rule(again=st.booleans(), settings=st.sampled_from((None, *SETTINGS)))
    def run(self, again: bool, settings: EclipseSettings | None) -> None:
        other = settings != (self.world.runs[-1].settings if self.world.runs else None)
        self.world.weather.reached["other settings"] += other
        self.runner.run(self.world.run(taking=AGAIN if again else None, settings=settings))

    @rule(after=st.floats(0, 20), by=st.sampled_from(CLOCK_STEPS))
    def run_with_a_clock_that_is_set(self, after: float, by: float) -> None:
        self.runner.run(self.world.run(clock_steps=((after, by),)))

    @rule(by=st.sampled_from(CLOCK_STEPS))
    def set_clock(self, by: float) -> None:
        self.runner.run(self.set_between(by))

    async def set_between(self, by: float) -> None:
        self.world.set_clock(by, "between runs")

    @rule(at=st.integers(1, 70))
    def die(self, at: int) -> None:
        self.runner.run(self.world.run(dies_at=at))

    @rule(after=st.floats(0, 30))
    def signal(self, after: float) -> None:
        self.runner.run(self.world.run(stops_after=after))

    @rule(seconds=st.sampled_from((0.5, 5.0, 60.0, 8000.0)))
    def wait(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))
        self.world.network.advance(self.runner.get_loop().time())

    @rule(number=st.integers(0, 2), phone=st.booleans())
    def stranger(self, number: int, phone: bool) -> None:
        """Somebody else takes the phone or the identity of a row, if nobody has it."""
        values = self.world.population.rows[number].values
        name, value = ("phone1", values["phone"]) if phone else ("nationalIdentityNumber", values["national_id"])
        if not any(held.fields[name] == value for held in self.world.target.customers.values()):
            fields = {
                "phone1": "27999999999",
                "nationalIdentityNumber": "1111111111111",
                "externalUniqueId": f"s-{value}",
            }
            self.world.target.plant(
                {"firstName": "S", "lastName": "S", "email": "s@example.com", **fields, name: value}, 0.0
            )
            self.world.strangers.add(self.world.population.rows[number].key)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "world") or not self.world.runs:
            return
        found = self.runner.run(self.judge())
        assert found == [], "\n".join(self.world.log)

    async def judge(self) -> list[str]:
        """Outcomes are held against the target once: it goes on changing."""
        newest = self.world.runs[-1]
        found = invariants.after_every_run(self.world) if newest.judged else judged(self.world)
        newest.judged = True
        return found

    def teardown(self) -> None:
        if hasattr(self, "world"):
            found = self.runner.run(calmed(self.world))
            assert found == [], "\n".join([*found, *self.world.log])
        self.runner.close()
        shutil.rmtree(self.folder, ignore_errors=True)


TestModel = Machine.TestCase
TestModel.settings = hypothesis_settings(
    max_examples=some(3), stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
