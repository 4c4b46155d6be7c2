"""Entries for a ledger under test: a run that began, and transitions of its rows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.clock import Clock, from_milliseconds, milliseconds
from jobs.ledger import lease
from jobs.ledger.rows import EventRow, OutcomeRow, RecordRow, RunRow, StepRow, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.model import Outcome

RUN = RunRow(
    run_id="20261121T021500Z-7f3a",
    system="eclipse",
    tenant="1001",
    command="run",
    input_path="/in/customers.csv",
    input_sha256="ab" * 32,
    rows=3,
    folder="runs/20261121T021500Z-7f3a",
    settings={"rate": "60/180"},
    facts={"host": "h"},
    started_ms=1_795_227_300_000,
    ended_ms=None,
    exit_code=None,
    summary=None,
)
OWNER = lease.Owner.me(RUN.run_id)


@dataclass(frozen=True)
class Book:
    """A ledger with one run under way in one space."""

    store: Store
    space_id: int
    epoch: int
    run_id: str = RUN.run_id

    def apply(self, *transitions: Transition) -> None:
        """Commits them as one group."""
        self.store.apply(self.space_id, self.epoch, self.run_id, transitions)

    def events(self) -> list[str]:
        """The keys of all events after the run's start, oldest first."""
        return [str(event["key"]) for event in self.store.events(self.run_id)][1:]


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return milliseconds(Clock().now())


def begun(store: Store, run: RunRow = RUN) -> Book:
    """`store` with `run` begun and its space owned by this process."""
    space_id = store.space(run.system, run.tenant)
    epoch = lease.take(store, space_id, replace(OWNER, run_id=run.run_id), now_ms())
    store.begin_run(space_id, run)
    return Book(store, space_id, epoch, run.run_id)


def url_of(folder: Path) -> str:
    """The ledger in `folder`."""
    return f"sqlite:///{folder / 'muster.db'}"


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: for tests with thousands of commits, which then wait for no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ledger-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def record(key: str, **changed: Any) -> RecordRow:
    """What is known of `key`."""
    return replace(RecordRow(key, "f" * 32, {"phone": "h1"}, RUN.run_id), **changed)


def intent(key: str, attempt: int = 1, step: str = "customer") -> Transition:
    """An attempt at `step` that is about to be sent."""
    event = EventRow(1000 + attempt, "intent", 1, key, step, attempt, "ab" * 32)
    return Transition(record(key), StepRow(step, StepStatus.INTENDED, attempt), event)


def ended(source_row: int, outcome: Outcome = Outcome.ONBOARDED, **changed: Any) -> Transition:
    """The end of one input row."""
    row = OutcomeRow(source_row, outcome, row_ref=f"r{source_row}", key=f"cust-{source_row}")
    return Transition(outcome=replace(row, **changed))


class SetClock(Clock):
    """A clock that a test sets: `seconds` of true time, on a machine whose count began `up` seconds before.

    `stepped`: by how many seconds its wall clock is wrong.
    """

    def __init__(self, machine: str = "machine", up: float = 5_000_000.0, stepped: float = 0.0) -> None:
        super().__init__()
        self.machine, self.up, self.stepped, self.seconds = machine, up, stepped, 0.0

    def boot(self) -> str:
        """That of its machine."""
        return self.machine

    def monotonic(self) -> float:
        """Seconds of its boot."""
        return self.up + self.seconds

    def now(self) -> datetime:
        """What its wall clock shows."""
        return from_milliseconds(RUN.started_ms + round((self.seconds + self.stepped) * 1000))
