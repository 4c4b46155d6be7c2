"""A reconciliation made again says what changed since the one before it, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, lines
from .people import Row, people

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def onboarded(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    return muster("run", file_of(people(5)))


def amend(sandbox: Sandbox, ended: Ended, row: int, **changes: Any) -> None:
    sandbox.amend("customers", int(ended.rows[row - 1]["customer_id"]), **changes)


def changes(ended: Ended) -> list[tuple[str, str, str]]:
    newest = max(ended.folder.glob("reconcile-*"))
    return [(line["change"], line["source_row"], line["field"]) for line in lines(newest / "changes.csv")]


def counted(ended: Ended) -> dict[str, int]:
    newest = max(ended.folder.glob("reconcile-*"))
    return dict(orjson.loads((newest / "summary.json").read_bytes())["changes"])


@pytest.mark.slow
def test_nothing_changed_is_said_and_the_list_is_empty(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    amend(sandbox, onboarded, 1, firstName="Another")
    assert muster("reconcile", "run-1").code == 1
    again = muster("reconcile", "run-1")
    assert (again.code, changes(onboarded)) == (1, [])
    assert "nothing changed" in again.stdout


def test_only_what_changed_since_the_last_time_is_listed(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    amend(sandbox, onboarded, 1, firstName="Another")
    amend(sandbox, onboarded, 2, status="CLOSED")
    amend(sandbox, onboarded, 3, lastName="Zulu")
    muster("reconcile", "run-1")
    assert changes(onboarded) == [
        ("appeared", "1", "first_name"),
        ("appeared", "2", "status"),
        ("appeared", "3", "last_name"),
    ]
    amend(sandbox, onboarded, 1, firstName="Someone")
    amend(sandbox, onboarded, 2, status="ACTIVE")
    amend(sandbox, onboarded, 4, deleted=True)
    muster("reconcile", "run-1")
    assert changes(onboarded) == [
        ("other_value", "1", "first_name"),
        ("cleared", "2", "status"),
        ("appeared", "4", "customer_id"),
    ]
    assert counted(onboarded) == {"appeared": 1, "cleared": 1, "other_value": 1}
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_a_row_that_could_not_be_read_clears_nothing(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, hasty: None
) -> None:
    amend(sandbox, onboarded, 2, firstName="Another")
    muster("reconcile", "run-1")
    match = {"customerId": onboarded.rows[1]["customer_id"]}
    sandbox.faults([{"operation": "get_customer", "match": match, "kind": "status", "params": {"status": 500}}])
    muster("reconcile", "run-1")
    assert changes(onboarded) == [("appeared", "2", "")]
