"""What catches a wrong version: each check gives the first problem that it sees, None when all is well."""

import asyncio
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from jobs.alive import Process, Pulse, Watch
from jobs.clock import Clock, milliseconds
from jobs.errors import Locked
from jobs.ledger import lease
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.reports.folder import RunFolder
from jobs.systems.messages import Request
from jobs.transport.sender import HttpSender
from tests.raw_server import OK, Connection, answering, served
from tests.simulation.draws import AGAIN
from tests.simulation.faults import STEPS, Fault, Weather
from tests.simulation.parts import Parts
from tests.simulation.population import populated
from tests.simulation.records import Manners
from tests.simulation.simulate import History, Trace, calmed, judged, planned, simulate, told
from tests.simulation.world import RATE, WORKERS, World

STORMS = 5
"""Seeds of a storm (chosen)."""

HIDDEN = Manners(show_keys=False, show_wallet_keys=False)


def first(*traces: Trace) -> str | None:
    """The first problem of any trace."""
    return next((f"{trace.problems[0][:90]}" for trace in traces if trace.problems), None)


def storm() -> str | None:
    """Seeded faults and crashes over every persona."""
    for seed in range(1, STORMS + 1):
        if found := first(simulate(seed)):
            return f"seed {seed}: {found}"
    return None


def personas() -> str | None:
    """Each persona once, without faults."""
    names = ("plain", "unnamed", "in review", "spelt types", "no type", "slow", "same person", "phone taken", "refused")
    return first(*(planned(1, {}, persona=name) for name in names))


def taken() -> str | None:
    """A create that is done, and refused as taken; and one that is refused so without cause."""
    plans = ({("create_wallet", 1): fault} for fault in (Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE))
    return first(*(planned(seed, plan) for plan in plans for seed in range(3)))


def lost_triggers() -> str | None:
    """A KYC trigger that is applied late, or answered by nobody, with looks that are slow or lag."""
    plans = (
        {("trigger_kyc", 1): Fault.LATE},
        {("trigger_kyc", 1): Fault.LOST_AFTER},
        {("trigger_kyc", 1): Fault.LATE, ("read_kyc", 2): Fault.SLOW},
    )
    return first(*(planned(seed, plan, persona="slow") for plan in plans for seed in range(6)))


def refusals() -> str | None:
    """An attempt that is lost and applied, and a second one that is refused."""
    plan = {("create_customer", 1): Fault.LATE, ("create_customer", 2): Fault.REDIRECTED}
    return first(*(planned(seed, plan) for seed in range(6)))


def early_ends() -> str | None:
    """A wallet that is made late, at a target that meanwhile allows no type any more."""
    plan = {("create_wallet", 1): Fault.LATE, ("wallet_types", 2): Fault.NO_TYPES}
    return first(*(planned(seed, plan) for seed in range(6)))


def redirected_writes() -> str | None:
    """A write that is done, and answered with a redirect."""
    return first(*(planned(seed, {(write, 1): Fault.SEE_OTHER}) for write in STEPS for seed in range(3)))


def other_types() -> str | None:
    """A wallet whose create went unanswered, at a target that meanwhile allows another type before it."""
    lost = (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LATE)
    plans = [{("create_wallet", 1): fault, ("wallet_types", 2): Fault.OTHER_TYPES} for fault in lost]
    return first(
        *(
            planned(seed, plan, manners=manners)
            for plan in plans
            for manners in (Manners(), HIDDEN)
            for seed in range(3)
        )
    )


def foreign_ids() -> str | None:
    """Creates that are answered with the ids of other customers and wallets."""

    async def history(world: World) -> list[str]:
        await world.run()
        return judged(world) or await calmed(world)

    for seed in range(4):
        parts = Parts(seed)
        weather, population = Weather(parts, (Fault.FOREIGN,), 0.2), populated(parts, 6, named="plain")
        if found := first(told(population, Manners(), weather, history, 6)):
            return f"seed {seed}: {found}"
    return None


def unanswered_and_set_clocks() -> str | None:
    """A process that dies with an unanswered trigger, and a wall clock that is set by an hour before the next one."""
    late = {("trigger_kyc", 1): Fault.LATE}
    for by in (3600.0, -3600.0):
        for dies_at in range(12, 30):
            if found := first(planned(dies_at, late, persona="slow", history=dying_at(dies_at, by))):
                return found
    return None


def dying_at(dies_at: int, set_by: float = 0.0) -> History:
    """A process that dies at one of its seams, a wall clock that is set, and a process that goes on at once."""

    async def history(world: World) -> list[str]:
        await world.run(dies_at=dies_at)
        if set_by:
            world.set_clock(set_by, "between runs")
        await world.run()
        return judged(world) or await calmed(world)

    return history


def deaths() -> str | None:
    """A process that dies at each of its seams, and one that goes on at once; in two worlds, of one order each."""
    for seed, manners in ((1, Manners()), (2, HIDDEN)):
        for dies_at in range(1, 40):
            if found := first(planned(seed, {}, manners=manners, persona="slow", history=dying_at(dies_at))):
                return found
    return None


def dead_retries() -> str | None:
    """A retry that dies with a failed row, and a run after it that does not retry."""
    always = {("create_customer", number): Fault.ERROR_BEFORE for number in range(1, 6)}

    async def history(world: World) -> list[str]:
        await world.run()
        await asyncio.sleep(60)
        for dies_at in range(3, 30):
            if (await world.run(taking=AGAIN, dies_at=dies_at)).died == "after create_customer":
                break
        else:
            raise AssertionError("no run died behind the create")
        world.network.advance(world.now() + 10)
        await world.run()
        return judged(world)

    return first(planned(2, always, history=history))


def restarts() -> str | None:
    """A run that dies with a full window, and one that goes on at once."""

    async def history(world: World) -> list[str]:
        await world.run(dies_at=150)
        await world.run()
        return judged(world)

    return first(*(simulate(seed, 24, calm=True, history=history) for seed in range(4)))


def set_clocks() -> str | None:
    """As `restarts`, with the wall clock set forward by an hour in between; and with the machine started anew."""

    async def history(world: World, *, anew: bool) -> list[str]:
        world.booted = 5e5
        world._boot = lambda _: world.booted
        await world.run(dies_at=150)
        if anew:
            world.booted = 3.0
        else:
            world.set_clock(3600, "between two runs")
        await world.run()
        return judged(world)

    both = (partial(history, anew=anew) for anew in (False, True))
    return first(*(simulate(seed, 24, calm=True, history=each) for each in both for seed in range(2)))


def lower_limits() -> str | None:
    """A target that takes half of what is configured: a run that learns it and is killed, and one that goes on.

    That one may try the limit one step higher, with all its workers; a run that has forgotten is refused at each step.
    """
    refused: list[int] = []

    async def history(world: World) -> list[str]:
        for dies_at in (450, None):
            before = len(world.target.journal)
            await world.run(dies_at=dies_at)
            refused.append(sum(arrival.status == 429 for arrival in world.target.journal[before:]))
        return judged(world)

    for seed in range(3):
        refused.clear()
        parts, half = Parts(seed), Rate(RATE.calls // 2, RATE.seconds)
        population = populated(parts, 28, named="plain")
        if found := first(told(population, Manners(limit=half), Weather(parts), history, 28)):
            return found
        if refused[1] > WORKERS:
            return f"refused {refused[0]} times by a limit, and {refused[1]} times after a restart"
    return None


def surplus() -> str | None:
    """Answers that come twice on one connection, whatever the call."""
    for seed in range(5, 9):
        parts = Parts(seed)
        weather, population = Weather(parts, (Fault.TWICE,), 0.2), populated(parts, 6)

        async def history(world: World) -> list[str]:
            await world.run()
            return judged(world) or await calmed(world)

        if found := first(told(population, Manners(), weather, history, 6)):
            return f"seed {seed}: {found}"
    return None


def take_overs() -> str | None:
    """Another process takes the lease in the middle of a run."""

    async def history(world: World) -> list[str]:
        await world.run(robbed_at=12)
        return judged(world)

    return first(*(simulate(seed, 16, calm=True, history=history) for seed in range(3)))


class Hands(Clock):
    """Moves when it is told to."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


def owners() -> str | None:
    """An owner in another container beats, also while somebody holds the ledger's lock: nobody takes over."""
    elsewhere = lease.Owner("away", replace(Process.me(), pid=2**22 + 1, namespace="1.2"))
    clock = Hands()
    watch = Watch(Pulse(beat=0.5, dead=3.0, look=0.05), clock)
    with tempfile.TemporaryDirectory() as folder, Store.opened(f"sqlite:///{folder}/muster.db") as store:
        began, space_id = milliseconds(Clock().now()), store.space("eclipse", "1001")
        lease.take(store, space_id, elsewhere, began)
        with closing(sqlite3.connect(f"{folder}/muster.db", isolation_level=None)) as somebody:
            for tenth in range(120):
                clock.at = tenth / 10
                if tenth == 40:
                    somebody.execute("BEGIN IMMEDIATE")
                elif tenth == 80:
                    somebody.execute("ROLLBACK")
                if tenth % 5 == 1 and not 40 <= tenth < 81:
                    lease.beat(store, space_id, 1, began + tenth * 100)
                with suppress(Locked):
                    lease.take(store, space_id, lease.Owner.me("here"), began + 120_000 + tenth * 100, watch)
                    return f"the lease of a living owner was taken after {clock.at} s"
    return None


def redirects() -> str | None:
    """An answer that points elsewhere: nothing may be sent there."""

    async def heard_elsewhere() -> int:
        async with served(answering(OK)) as second:
            there = answering(b"HTTP/1.1 307 There\r\ncontent-length: 0\r\nlocation: %b\r\n\r\n" % second.url.encode())
            async with served(there) as first, HttpSender(first.url, Clock()) as sender:
                await sender.send(Request("create_customer", "POST", "/customers", body=b"{}"), {})
            return second.connections

    return "S8 the body went to another host" if asyncio.run(heard_elsewhere()) else None


def twice() -> str | None:
    """A target that answers the first request twice: the second must hear its own answer."""

    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            word = request[5:6]  # GET /1
            await connection.say((b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + word) * 2)

    async def second() -> bytes:
        async with served(play) as server, HttpSender(server.url, Clock()) as sender:
            await sender.send(Request("read_kyc", "GET", "/1"), {})
            return (await sender.send(Request("read_kyc", "GET", "/2"), {})).body

    return None if asyncio.run(second()) == b"2" else "the second request was given the first one's answer"


def reports() -> str | None:
    """A report that can't be finished: the one before it must still be whole."""
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder.create(Path(path) / "run")
        folder.write_bytes("summary.json", b"whole")
        with suppress(OSError), folder.open_atomic("summary.json") as draft:
            draft.write_bytes(b"ha")
            raise OSError("the disk is full")
        left = (folder.path / "summary.json").read_bytes()
    return None if left == b"whole" else f"I15 the report is torn: {left!r}"
