"""A power cut at any moment: the ledger opens, knows every request that left, and what was believed durable."""

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.sandbox.server import Sandbox
from tests.flow.muster import writes
from tests.flow.people import people

from .crashes import Disk, Operation, operations, recorder
from .program import Program
from .tracing import needs_strace

pytestmark = needs_strace

STEPS = {"create_customer": "customer", "trigger_kyc": "kyc", "create_wallet": "wallet"}

WEAKLY = """
import sys
import jobs.ledger.sqlite as ledger
real = ledger._on_connect
def connect(connection, *rest):
    real(connection, *rest)
    connection.execute("PRAGMA synchronous=NORMAL")
ledger._on_connect = connect
from jobs.__main__ import main
sys.argv[0] = "muster"
main()
"""
"""muster with a ledger that does not wait for the disk."""


@dataclass(frozen=True)
class Recorded:
    """A run's steps, with the places at which one may cut."""

    steps: tuple[Operation, ...]
    written: tuple[tuple[str, str], ...]
    """Step and key of each write in the order in which the target saw them: the key that its body carries.

    A KYC trigger carries none: its customer's key stands for it.
    """

    @property
    def first_sent(self) -> int:
        """Before it nothing can be lost that somebody believes in."""
        return next(place for place, step in enumerate(self.steps) if step.kind == "sent")

    def sent_before(self, place: int) -> int:
        """How many mutating requests had left."""
        return sum(step.kind == "sent" for step in self.steps[:place])


def recorded(folder: Path, sandbox: Sandbox, program: tuple[str, ...] = ("-m", "jobs")) -> Recorded:
    """One worker, so that at most one request is under way and the n-th request belongs to the n-th intent."""
    sandbox.reset()
    run = Program.of(folder / "run", sandbox, people(4))
    arguments = ("run", "customers.csv", "--concurrency", "1")
    said = run(*arguments, under=recorder(folder / "calls.log"), program=program)
    assert said.code == 0, said
    written = [(STEPS[each["operation"]], each["externalUniqueId"]) for each in writes(sandbox)]
    steps = operations(folder / "calls.log", run.ledger)
    assert sum(step.kind == "sent" for step in steps) == len(written) == 12
    assert len(set(written)) == 12
    return Recorded(tuple(steps), tuple(written))


@pytest.fixture(scope="module")
def careful(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """muster as it is."""
    return recorded(tmp_path_factory.mktemp("careful"), running)


@pytest.fixture(scope="module")
def careless(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """muster with synchronous=NORMAL."""
    return recorded(tmp_path_factory.mktemp("careless"), running, ("-c", WEAKLY))


def lost(run: Recorded, seed: int, folder: Path) -> list[str]:
    """What a power cut, chosen by `seed`, took from the ledger that it should have."""
    dice, disk = random.Random(seed), Disk()
    place = dice.randrange(run.first_sent, len(run.steps) + 1)
    for step in run.steps[:place]:
        disk.take(step)
    disk.cut(dice)
    disk.written_to(folder)
    try:
        with Store.opened(f"sqlite:///{folder / 'muster.db'}") as store, store.engine.connect() as connection:
            check = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            event = tables.event.c
            wanted = select(event.kind, event.key, event.step, event.write_key)
            events = connection.execute(wanted.order_by(event.seq)).all()
    except Exception as error:
        return [f"does not open: {error}"]
    intents = [
        (event.step, event.key if event.step == "kyc" else event.write_key)
        for event in events
        if event.kind == "intent"
    ]
    results = [event for event in events if event.kind == "result"]
    sent = run.sent_before(place)
    checks = {
        "damaged": check == "ok",
        "an intent whose request left": len(intents) >= sent,
        "the key of a request that left": intents[:sent] == list(run.written[:sent]),
        "a result on which a later request relied": len(results) >= sent - 1,
    }
    return [name for name, holds in checks.items() if not holds]


def states(run: Recorded, count: int, folder: Path) -> dict[int, list[str]]:
    """The seeds, of `count`, whose state lost something."""
    found = {seed: lost(run, seed, folder / str(seed)) for seed in range(count)}
    return {seed: what for seed, what in found.items() if what}


def test_no_power_cut_takes_what_was_sent_or_believed(careful: Recorded, tmp_path: Path) -> None:
    assert states(careful, 100, tmp_path) == {}


@pytest.mark.slow
def test_a_ledger_that_does_not_wait_for_the_disk_loses_intents(careless: Recorded, tmp_path: Path) -> None:
    found = states(careless, 100, tmp_path)
    assert len(found) > 10, "these states can't show a loss: the test above proves nothing"
    assert any("an intent whose request left" in what for what in found.values())


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_none_of_two_thousand_power_cuts_takes_anything(careful: Recorded, tmp_path: Path) -> None:
    assert states(careful, 2_000, tmp_path) == {}
