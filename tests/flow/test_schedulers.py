"""The examples for Airflow, Dagster and Prefect: each against a thin stand-in of its scheduler, and a real target.

They were run once with the real ones (deploy/README.md says which); what a scheduler does with an exception is its own.
"""

import importlib.util
import json
import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from .muster import REPOSITORY, Muster
from .people import people, written

EXAMPLES = REPOSITORY / "deploy"
Onboard = Callable[[str], dict[str, int]]


class Refused(Exception):
    """A failure that a scheduler does not try again."""

    def __init__(self, *told: object, **_: object) -> None:
        super().__init__(*told)


class Again(Exception):
    """A failure that a scheduler tries again."""

    def __init__(self, *told: object, **_: object) -> None:
        super().__init__(*told)


def plain(*given: Any, **_: object) -> Any:
    """A decorator, with or without arguments, that changes nothing."""
    return given[0] if given else plain


def module(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    """A module of that name which has those members."""
    made = ModuleType(name)
    made.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, made)


def example(name: str) -> ModuleType:
    """One of the files, imported."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / name / "muster_night.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def prefect(monkeypatch: pytest.MonkeyPatch) -> Onboard:
    module(monkeypatch, "prefect", flow=plain, task=plain, get_run_logger=logging.getLogger)
    found = example("prefect")

    def night(path: str) -> dict[str, int]:
        try:
            return dict(found.night(path))
        except Exception as error:
            state = SimpleNamespace(result=lambda raise_on_failure, failure=error: failure)
            raise (Again() if found.may_come_right(None, None, state) else Refused()) from error

    return night


def dagster(monkeypatch: pytest.MonkeyPatch) -> Onboard:
    made = {"Definitions": dict, "ScheduleDefinition": dict, "OpExecutionContext": object}
    module(monkeypatch, "dagster", op=plain, job=plain, Failure=Refused, RetryRequested=Again, **made)
    onboard = example("dagster").onboard
    log = logging.getLogger(__name__)
    return lambda path: dict(
        onboard(SimpleNamespace(op_config={"path": path}, log=log, add_output_metadata=lambda _: None))
    )


class Deferred(Exception):
    """A task that gives its worker back, to be woken later."""


class Operator:
    """What an Airflow operator has of its base."""

    log = logging.getLogger(__name__)

    def __init__(self, **_: object) -> None:
        pass

    def defer(self, *, trigger: object, method_name: str) -> None:
        assert hasattr(self, method_name)
        raise Deferred


def airflow(monkeypatch: pytest.MonkeyPatch, muster: Muster) -> Callable[[str, str], int]:
    """The task of the DAG for a file and a night, as often as it is tried; muster itself works in this process."""
    for name in ("airflow", "airflow.providers", "airflow.providers.standard", "airflow.providers.standard.triggers"):
        module(monkeypatch, name)
    module(monkeypatch, "airflow.providers.standard.triggers.temporal", TimeDeltaTrigger=lambda delta: delta)
    module(monkeypatch, "airflow.sdk", DAG=lambda *_, **__: nullcontext(), BaseOperator=Operator)
    module(monkeypatch, "airflow.sdk.exceptions", AirflowException=Again, AirflowFailException=Refused)
    night = example("airflow").MusterNight

    monkeypatch.setattr(night, "_runs", lambda _: json.loads(muster.plain("runs", "--output", "json").stdout)["runs"])
    monkeypatch.setattr(night, "_muster", lambda self, words: muster.plain(*words).code)
    return lambda path, named: int(night(path=path, night=named, task_id="onboard").execute(None))


@pytest.mark.few(1)
@pytest.mark.parametrize("scheduler", [prefect, dagster])
def test_a_night_is_one_task_which_is_tried_again_only_where_that_helps(
    muster: Muster, monkeypatch: pytest.MonkeyPatch, scheduler: Callable[[pytest.MonkeyPatch], Onboard]
) -> None:
    onboard = scheduler(monkeypatch)
    written(muster.folder / "customers.csv", people(2))

    assert onboard("customers.csv")["onboarded"] == 2
    assert onboard("customers.csv")["already_onboarded"] == 2
    with monkeypatch.context() as changed:
        changed.setenv("MUSTER_PASSWORD", "wrong")
        with pytest.raises(Refused):
            onboard("customers.csv")
    monkeypatch.setenv("MUSTER_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MUSTER_LEDGER", "sqlite:///another.db")
    monkeypatch.setattr("jobs.transport.outage.START_SECONDS", 0.2)
    with pytest.raises(Again):
        onboard("customers.csv")


def test_a_task_of_airflow_asks_the_ledger_before_it_begins_or_goes_on(
    muster: Muster, monkeypatch: pytest.MonkeyPatch
) -> None:
    onboard = airflow(monkeypatch, muster)
    written(muster.folder / "customers.csv", people(2))
    written(muster.folder / "slow.csv", people(1, first=7, last_name="Kycslow"))

    assert (onboard("customers.csv", "a"), onboard("customers.csv", "a")) == (0, 0)
    monkeypatch.setenv("MUSTER_DECISION_WAIT", "0")
    with pytest.raises(Deferred):
        onboard("slow.csv", "b")
    monkeypatch.setenv("MUSTER_DECISION_WAIT", "60")
    assert onboard("slow.csv", "b") == 0
    runs = json.loads(muster.plain("runs", "--output", "json").stdout)["runs"]
    assert [(run["run_id"], run["command"]) for run in runs] == [("b-2", "resume"), ("b-1", "run"), ("a-1", "run")]
    monkeypatch.setenv("MUSTER_PASSWORD", "wrong")
    with pytest.raises(Refused):
        onboard("slow.csv", "c")


def test_a_task_of_airflow_is_tried_again_where_nobody_answers(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> None:
    written(muster.folder / "customers.csv", people(1))
    monkeypatch.setenv("MUSTER_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("jobs.transport.outage.START_SECONDS", 0.2)

    with pytest.raises(Again):
        airflow(monkeypatch, muster)("customers.csv", "a")
