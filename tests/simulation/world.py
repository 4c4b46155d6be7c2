"""What outlives a process: the target, the network, the ledger on its disk, the time."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast

from jobs.alive import Process, Pulse, Watch
from jobs.clock import Clock, milliseconds
from jobs.engine.case import Taking
from jobs.engine.crew import Crew
from jobs.engine.feed import Feed
from jobs.engine.onboard import Onboarding, Patience
from jobs.engine.stops import Stops
from jobs.errors import ExitCode, NotPermitted, Unreachable
from jobs.keys import Pseudonyms
from jobs.ledger import lease
from jobs.ledger.rows import OutcomeRow, RunRow
from jobs.ledger.store import Fenced, Store
from jobs.ledger.writer import Writer
from jobs.model import Rate, Secrets
from jobs.progress import Progress
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.exchange import CallClass
from jobs.systems.row import Row
from jobs.transport.client import Client
from jobs.transport.limiter import Limiter
from jobs.transport.quota import SharedWindow
from tests.virtual import BEGAN

from .disk import Disk, empty_ledger, opened
from .life import Life, SimulatedClock, bury
from .network import Network, Weather, Wire
from .population import KEYS, TENANT, Population
from .records import Manners
from .target import IDENTITY, PASSWORD, Target

if TYPE_CHECKING:
    from jobs.batch import Batch

NOBODY = Process(1, 1, "here", None, None)
"""A simulated process: the kernel knows nothing of it, and its heart never beats."""

AT_ONCE = Pulse(beat=5.0, dead=0.0, look=1.0)
"""Whoever had the lease is dead already."""

WORKERS = 3
RATE = Rate(12, 4.0)
"""Tight enough for a handful of rows to meet it (chosen)."""


@dataclass
class Sheet:
    """What the feed needs of a batch."""

    accepted_rows: tuple[Row, ...]

    @property
    def rows(self) -> int:
        """Data rows."""
        return len(self.accepted_rows)

    def accepted(self, window: int = 2) -> list[list[Row]]:
        """In windows of so many."""
        rows = list(self.accepted_rows)
        return [rows[first : first + window] for first in range(0, len(rows), window)]

    def quarantined(self) -> list[list[OutcomeRow]]:
        """None."""
        return []


@dataclass
class Ran:
    """One process that ended. `complete`: by itself, with an outcome for every row."""

    run_id: str
    complete: bool
    died: str | None = None
    judged: bool = False
    """Whether its outcomes were held against the target, which goes on changing."""
    crossings: int = 0


@dataclass
class World:
    """Everything but the processes. Use inside a virtual loop."""

    seed: int
    population: Population
    manners: Manners
    weather: Weather
    folder: Path
    rate: Rate = RATE
    log: list[str] = field(default_factory=list)
    runs: list[Ran] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)
    """Keys of rows whose phone or identity a stranger took meanwhile."""
    robbed: list[float] = field(default_factory=list)
    """When leases were taken over."""

    def __post_init__(self) -> None:
        self.random = Random(self.seed * 7919 + 1)
        self.target = Target(self.population.personas, self.manners, BEGAN.timestamp())
        self.network = Network(self.target, self.weather, self.log.append)
        self.secret = Pseudonyms(b"simulation")
        self.url = f"sqlite:///{self.folder / 'muster.db'}"
        shutil.copy(empty_ledger(), self.folder / "muster.db")
        self.plant()

    def plant(self) -> None:
        """Who is at the target before the first run."""
        for row in self.population.rows:
            kind = self.population.persona(row).planted
            if kind is None:
                continue
            values = row.values
            number = f"{row.source_row:04d}"
            fields = {
                "firstName": values["first_name"],
                "lastName": values["last_name"],
                "phone1": values["phone"] if kind != "identity" else f"2783111{number}",
                "email": values["email"],
                "nationalIdentityNumber": values["national_id"] if kind != "phone" else f"800101500{number}",
                "externalUniqueId": row.key if kind == "ours" else f"stranger-{number}",
            }
            self.target.plant(fields, -86400.0, stranger=kind != "ours")

    async def run(
        self,
        *,
        taking: Taking | None = None,
        dies_at: int | None = None,
        stops_after: float | None = None,
        patience: Patience | None = None,
        robbed_at: int | None = None,
    ) -> Ran:
        """One process, to its end or its death. At its `robbed_at`-th crossing another one takes its lease over."""
        run_id = f"run-{len(self.runs) + 1}"
        self.log.append(f"{self.now():.3f} {run_id} begins")
        life = Life(dies_at, self.log.append)
        life.robbed_at, life.rob = robbed_at, self.take_over
        ran = Ran(run_id, complete=False)
        self.runs.append(ran)
        disk = Disk.before(self.folder)
        living = asyncio.create_task(self._live(life, ran, taking or Taking(), stops_after, patience), name=run_id)
        dying = asyncio.create_task(life.died.wait())
        await asyncio.wait({living, dying}, return_when=asyncio.FIRST_COMPLETED)
        ran.crossings = life.crossings
        if life.died.is_set():
            await bury()
            ran.died = life.where
            self.weather.reached[f"death {life.where}"] += 1
            disk.lose_power(self.folder)
        else:
            dying.cancel()
            living.result()
        self.log.append(f"{self.now():.3f} {run_id} {'died' if ran.died else 'ended'}")
        return ran

    async def _live(
        self, life: Life, ran: Ran, taking: Taking, stops_after: float | None, patience: Patience | None
    ) -> None:
        clock = SimulatedClock(self.seed * 31 + len(self.runs), self.random.uniform(0, 1e6))
        stops = Stops()
        with opened(self.url) as store:
            space_id = store.space("eclipse", TENANT)
            owner = lease.Owner(ran.run_id, NOBODY)
            epoch = lease.take(store, space_id, owner, milliseconds(clock.now()), Watch(AT_ONCE, clock))
            try:
                async with self._client(store, clock, life) as client:
                    await client.credential.token()
                    store.begin_run(space_id, self._run_row(ran.run_id, clock))
                    async with Writer(store, space_id, epoch, ran.run_id, offload=life.offload) as writer:
                        await self._onboard(client, writer, stops, clock, taking, stops_after, patience)
                    ran.complete = True
            except (NotPermitted, Unreachable, Fenced) as error:
                self.log.append(f"{self.now():.3f} {ran.run_id} stopped: {error.message}")
            if not life.died.is_set():
                lease.release(store, space_id, epoch)

    async def _onboard(
        self,
        client: Client,
        writer: Writer,
        stops: Stops,
        clock: Clock,
        taking: Taking,
        stops_after: float | None,
        patience: Patience | None,
    ) -> None:
        patience = patience or Patience(decision_poll=10, decision_wait=120)
        with Progress().stage("onboarding", None) as count:
            engine = Onboarding(client.system, client, writer, stops, clock, patience, progress=count)
        batch = cast("Batch", Sheet(self.population.rows))
        feed = Feed(batch, writer, engine, clock, self.secret, taking)
        await feed.quarantine()
        if stops_after is not None:
            asyncio.get_running_loop().call_later(stops_after, stops.signal, ExitCode.SIGTERM)
        await Crew(engine).run(feed.fresh(None), WORKERS)
        await feed.sweep()

    @asynccontextmanager
    async def _client(self, store: Store, clock: Clock, life: Life) -> AsyncIterator[Client]:
        window = SharedWindow(self.rate, clock, store, "pool", offload=life.offload)
        limiters = {call_class: Limiter(clock) for call_class in CallClass}
        limiters[CallClass.WRITE] = Limiter(clock, window=window)
        wire = Wire(self.network, Random(self.random.random()), clock.now, life.cross)
        secrets = Secrets(IDENTITY, PASSWORD)
        yield Client(Eclipse(TENANT, KEYS), wire, secrets, tenant=TENANT, limiters=limiters, clock=clock)
        await window.aclose()

    def take_over(self) -> None:
        """Another process takes the lease, as it may when this one was frozen for long."""
        with opened(self.url) as store:
            owner = lease.Owner("another", NOBODY)
            lease.take(store, store.space("eclipse", TENANT), owner, 0, Watch(AT_ONCE, Clock()))
        self.robbed.append(self.now())
        self.log.append(f"{self.now():.3f} lease taken over")

    def now(self) -> float:
        """Virtual seconds, the target's time."""
        return asyncio.get_running_loop().time()

    def digest(self) -> str:
        """SHA-256 of all that happened."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()

    def _run_row(self, run_id: str, clock: Clock) -> RunRow:
        began = milliseconds(clock.now())
        rows = len(self.population.rows)
        return RunRow(run_id, "eclipse", TENANT, "run", "in", "0" * 64, rows, "out", {}, {}, began, None, None, None)
