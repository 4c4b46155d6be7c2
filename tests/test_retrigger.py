"""Asking for decisions again: how many rows are read at once, and that all of them are counted before anything else."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.errors import Unusable
from jobs.ledger.rows import OutcomeRow, RecordRow, RunRow, StepRow, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.run.ask_again import AT_ONCE, Retrigger
from jobs.systems.optional import Newest

ROWS = 1_500
RUN = RunRow("r", "eclipse", "1", "run", "in.csv", "0" * 64, ROWS, "runs/r", {}, {}, 0, None, None, None)


class Target:
    """A system whose decisions can be asked for again; counts how many are read at once."""

    redecided, passed, refused = "kyc", "PASSED", "FAILED"
    capabilities = SimpleNamespace(title="Target")

    def __init__(self, status: str) -> None:
        self.status, self.reading, self.most, self.read = status, 0, 0, 0
        self.tasks = 0

    async def newest(self, reader: Any, customer_id: str) -> Newest:
        self.reading += 1
        self.most, self.tasks = max(self.most, self.reading), max(self.tasks, len(asyncio.all_tasks()))
        await asyncio.sleep(0)
        self.reading, self.read = self.reading - 1, self.read + 1
        return Newest(self.status, "2026-01-01T00:00:00Z")


def store_of(tmp_path: Path, outcome: Outcome) -> Store:
    """A ledger with `ROWS` rows that ended so at their KYC."""
    store = Store.open(f"sqlite:///{tmp_path}/muster.db")
    space = store.space("eclipse", "1")
    store.begin_run(space, RUN)
    step = None if outcome is Outcome.ONBOARDED else "kyc"
    store.apply(
        space,
        0,
        "r",
        [
            Transition(
                record=RecordRow(f"k{row}", "f", {}, "r", outcome, facts={"customer_id": str(row)}, failed_step=step),
                step=StepRow("kyc", StepStatus.REFUSED),
                outcome=OutcomeRow(row, outcome, key=f"k{row}", failed_step=step),
            )
            for row in range(1, ROWS + 1)
        ],
    )
    return store


def test_as_many_rows_are_read_at_once_as_there_are_places_and_no_task_waits_for_one(tmp_path: Path) -> None:
    store, target = store_of(tmp_path, Outcome.DECLINED), Target("FAILED")

    found = asyncio.run(Retrigger(RUN).examined(store, 1, cast("Any", target), cast("Any", None)))

    assert [each.source_row for each in found] == list(range(1, ROWS + 1))
    assert (target.read, target.most) == (ROWS, AT_ONCE)
    assert target.tasks <= AT_ONCE + 1


def test_all_windows_are_counted_before_anything_is_asked(tmp_path: Path) -> None:
    store, target = store_of(tmp_path, Outcome.ONBOARDED), Target("PASSED")
    retrigger = Retrigger(RUN, include_passed=True, confirmed=ROWS - 1)

    with pytest.raises(Unusable, match=f"{ROWS} rows that passed"):
        asyncio.run(retrigger.examined(store, 1, cast("Any", target), cast("Any", None)))
