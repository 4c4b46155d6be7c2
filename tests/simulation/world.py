"""What outlives a process: the target, the network, the ledger on its disk, the time."""

import asyncio
import hashlib
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jobs.alive import Process, Pulse, Watch
from jobs.clock import Clock, milliseconds
from jobs.engine.driver import Patience, RowDriver
from jobs.engine.feed import Feed
from jobs.engine.newcomers import Newcomers
from jobs.engine.opening import Taking
from jobs.engine.stops import Stops
from jobs.engine.workers import WorkerPool
from jobs.errors import ExitCode, NotPermitted, Unreachable
from jobs.keys import Pseudonyms
from jobs.ledger import lease
from jobs.ledger.rows import OutcomeRow, RunRow, Transition
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fenced
from jobs.ledger.writer import Writer
from jobs.model import Rate, Secrets
from jobs.progress import Progress
from jobs.systems.eclipse.system import Eclipse, EclipseSettings
from jobs.systems.messages import CallClass
from jobs.systems.row import Row
from jobs.transport.client import Client
from jobs.transport.limiter import Limiter
from jobs.transport.quota import SharedWindow
from tests.virtual import BEGAN

from .disk import Disk, empty_ledger, opened
from .draws import USUAL
from .faults import Weather
from .life import Life, SimulatedClock, bury
from .network import Network, Wire
from .parts import Parts
from .population import KEYS, TENANT, Persona, Population
from .records import Customer, Manners, Verification
from .target import IDENTITY, PASSWORD, Target

if TYPE_CHECKING:
    from jobs.batch import Batch

NOBODY = Process(1, 1, "here", None, None)
"""A simulated process: the kernel knows nothing of it, and its heart never beats."""

AT_ONCE = Pulse(beat=5.0, dead=0.0, look=1.0)
"""Whoever had the lease is dead already."""

MOST_PAGES = 50
"""Of a listing: as many as there can be, so that few rows are worth one too."""

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

    def quarantined(self, _pseudonyms: object) -> list[list[OutcomeRow]]:
        """None."""
        return []


@dataclass
class Ran:
    """One process that ended. `complete`: by itself, with an outcome for every row."""

    run_id: str
    complete: bool
    died: str | None = None
    place: str = ""
    """Where it died, as `Life.place`."""
    judged: bool = False
    """Whether its outcomes were held against the target, which goes on changing."""
    crossings: int = 0
    settings: EclipseSettings = USUAL
    ended: dict[int, float] = field(default_factory=dict)
    """By source row: when its outcome was written down."""
    silence: float = 0.0
    """The longest time in which it did nothing that the world can see, in seconds."""
    poll: float = 0.0
    """How long it rests between two reads of a decision."""


@dataclass(frozen=True)
class Intent:
    """A write that a process was about to send. `wall`: by how many seconds the wall clock was off then."""

    step: str
    settings: EclipseSettings
    wall: float


@dataclass
class World:
    """Everything but the processes. Use inside a virtual loop."""

    parts: Parts
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
    wall: float = 0.0
    """By how many seconds the wall clock of our machine is off; the target's is right."""
    intents: defaultdict[str, list[Intent]] = field(default_factory=lambda: defaultdict(list))
    """By key: what was about to be sent, oldest first."""
    decided: dict[str, EclipseSettings] = field(default_factory=dict)
    """By key: the settings of the run that ended the row last."""
    booted: float | None = None
    """When the clock of the machine began."""

    def __post_init__(self) -> None:
        self.target = Target(self.population.personas, self.manners, BEGAN.timestamp())
        self.target.reached = self.weather.reached
        rows = {
            name: row.source_row
            for row in self.population.rows
            for name in (row.key, row.values["phone"], row.values["national_id"])
        }
        self.network = Network(self.target, self.weather, self.log.append, rows)
        self.secret = Pseudonyms(b"simulation")
        self.url = f"sqlite:///{self.folder / 'muster.db'}"
        shutil.copy(empty_ledger(), self.folder / "muster.db")
        self.plant()

    def plant(self) -> None:
        """Who is at the target before the first run."""
        for row in self.population.rows:
            kind = self.population.persona(row).planted
            for place in range(0 if kind is None else 3 if kind == "alike" else 1):
                customer = self.target.plant(planted(row, str(kind), place), -86400.0, stranger=kind != "ours")
                self.verified(customer, self.population.persona(row))

    def verified(self, customer: Customer, persona: Persona) -> None:
        """Gives `customer` the KYC runs that the persona brings along, an hour between two."""
        for place, status in enumerate(persona.history):
            began = -80000.0 + 3600 * place
            customer.verifications.append(Verification(began, began, replace(persona, verdict=status)))

    async def run(
        self,
        *,
        taking: Taking | None = None,
        dies_at: int | str | None = None,
        stops_after: float | None = None,
        patience: Patience | None = None,
        robbed_at: int | None = None,
        settings: EclipseSettings | None = None,
        clock_steps: Sequence[tuple[float, float]] = (),
    ) -> Ran:
        """One process, to its end or its death. At its `robbed_at`-th crossing another one takes its lease over.

        `clock_steps`: after how many seconds the wall clock is set, and by how many.
        """
        run_id = f"run-{len(self.runs) + 1}"
        self.log.append(f"{self.now():.3f} {run_id} begins")
        life = Life(dies_at, self.log.append)
        life.robbed_at, life.rob = robbed_at, self.take_over
        ran = Ran(run_id, complete=False, settings=settings or USUAL)
        life.committed = lambda transition: self.heard(ran, transition)
        self.runs.append(ran)
        steps = [
            asyncio.get_running_loop().call_later(after, self.set_clock, by, "in mid-run") for after, by in clock_steps
        ]
        disk = Disk.before(self.folder)
        living = asyncio.create_task(self._live(life, ran, taking or Taking(), stops_after, patience), name=run_id)
        dying = asyncio.create_task(life.died.wait())
        await asyncio.wait({living, dying}, return_when=asyncio.FIRST_COMPLETED)
        for step in steps:
            step.cancel()
        ran.crossings, ran.silence, ran.place = life.crossings, life.longest_silence, life.place
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
        clock = SimulatedClock(self.parts.dice("process", ran.run_id), self._boot(ran), lambda: self.wall)
        stops = Stops()
        patience = patience or Patience(decision_poll=10, decision_wait=120)
        ran.poll = patience.decision_poll
        with opened(self.url) as store:
            space_id = store.space("eclipse", TENANT)
            owner = lease.Owner(ran.run_id, NOBODY)
            epoch = lease.take(store, space_id, owner, milliseconds(clock.now()), Watch(AT_ONCE, clock))
            try:
                async with self._client(store, clock, life, ran.settings) as client:
                    await client.credential.token()
                    store.begin_run(space_id, self._run_row(ran.run_id, clock))
                    async with Writer(store, space_id, epoch, ran.run_id, offload=life.offload) as writer:
                        await self._onboard(client, writer, stops, clock, taking, stops_after, patience)
                    ran.complete = True
            except (NotPermitted, Unreachable, Fenced) as error:
                self.log.append(f"{self.now():.3f} {ran.run_id} stopped: {error.message}")
            if not life.died.is_set():
                lease.release(store, space_id, epoch)

    def _boot(self, ran: Ran) -> float:
        """When the clock of the boot began in which a process runs; some come after a restart of the machine."""
        dice = self.parts.dice("boot", ran.run_id)
        if self.booted is None or (dice.random() < 0.3 and self.parts.happens(f"reboot-{ran.run_id}")):
            self.weather.reached["a reboot"] += self.booted is not None
            self.booted = dice.uniform(0, 1e6)
        return self.booted

    async def _onboard(
        self,
        client: Client,
        writer: Writer,
        stops: Stops,
        clock: Clock,
        taking: Taking,
        stops_after: float | None,
        patience: Patience,
    ) -> None:
        with Progress().stage("onboarding", None) as count:
            engine = RowDriver(client.system, client, writer, stops, clock, patience, progress=count)
        batch = cast("Batch", Sheet(self.population.rows))
        newcomers = None
        if self.parts.dice("listing", writer.run_id).random() < 0.5 and self.parts.happens(f"listing-{writer.run_id}"):
            newcomers = Newcomers(client.system, client, clock, WORKERS, worth=lambda *_: MOST_PAGES)
        feed = Feed(batch, writer, engine, clock, self.secret, taking, newcomers=newcomers)
        await feed.quarantine(batch)
        if stops_after is not None:
            asyncio.get_running_loop().call_later(stops_after, stops.signal, ExitCode.SIGTERM)
        await WorkerPool(engine).run(feed.fresh(None), WORKERS)
        await feed.sweep()

    @asynccontextmanager
    async def _client(self, store: Store, clock: Clock, life: Life, settings: EclipseSettings) -> AsyncIterator[Client]:
        window = SharedWindow(self.rate, clock, store, "pool", offload=life.offload)
        limiters = {call_class: Limiter(clock) for call_class in CallClass}
        limiters[CallClass.WRITE] = Limiter(clock, window=window)
        wire = Wire(self.network, clock.now, life.cross)
        secrets, system = Secrets(IDENTITY, PASSWORD), Eclipse(TENANT, KEYS, settings)
        yield Client(system, wire, secrets, tenant=TENANT, limiters=limiters, clock=clock)
        await window.aclose()

    def heard(self, ran: Ran, transition: Transition) -> None:
        """What the ledger knows from now on."""
        if transition.outcome is not None:
            ran.ended[transition.outcome.source_row] = self.now()
        event, record = transition.event, transition.record
        if event is not None and event.kind == "intent":
            self.intents[str(event.key)].append(Intent(str(event.step), ran.settings, self.wall))
        if record is not None and transition.outcome is not None:
            self.decided[record.key] = ran.settings
        if record is not None:
            self.network.bound |= {record.facts.get(name, "") for name in ("customer_id", "wallet_id")}

    def set_clock(self, by: float, when: str) -> None:
        """The wall clock of our machine is set `by` seconds forward, or back."""
        self.wall += by
        self.weather.reached[f"clock set {'forward' if by > 0 else 'back'} {when}"] += 1
        self.log.append(f"{self.now():.3f} clock set by {by:+.0f} s")

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


def planted(row: Row, kind: str, place: int) -> dict[str, str]:
    """The `place`-th customer who is there before and has of `row` what `kind` says."""
    values, number = row.values, f"{row.source_row:04d}"
    other = {"phone": f"278{place}9{values['phone'][-6:]}", "national_id": f"8{place}0101500{number}"}
    same = {"phone": ("phone",), "identity": ("national_id",), "alike": ()}.get(kind, ("phone", "national_id"))
    return {
        "firstName": values["first_name"],
        "lastName": values["last_name"],
        "phone1": values["phone"] if "phone" in same else other["phone"],
        "email": values["email"],
        "nationalIdentityNumber": values["national_id"] if "national_id" in same else other["national_id"],
        "externalUniqueId": row.key if kind == "ours" else f"stranger-{number}-{place}",
    }
