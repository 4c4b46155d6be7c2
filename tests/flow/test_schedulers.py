"""The examples for Airflow, Dagster and Prefect: each against a thin stand-in of its scheduler, and a real target.

They were run once with the real ones (docs/library.md says which); what a scheduler does with an exception is its own.
"""

import importlib.util
import logging
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from .muster import REPOSITORY, Muster
from .people import people, written

EXAMPLES = REPOSITORY / "docs" / "schedulers"
Onboard = Callable[[str], dict[str, int]]


class Refused(Exception):
    """A failure that a scheduler does not try again."""

    def __init__(self, *told: object, **_: object) -> None:
        super().__init__(*told)


class Again(Exception):
    """A failure that a scheduler tries again."""

    def __init__(self, **_: object) -> None:
        super().__init__()


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
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def prefect(monkeypatch: pytest.MonkeyPatch) -> Onboard:
    module(monkeypatch, "prefect", flow=plain, task=plain, get_run_logger=logging.getLogger)
    found = example("prefect_flow")

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
    onboard = example("dagster_job").onboard
    log = logging.getLogger(__name__)
    return lambda path: dict(
        onboard(SimpleNamespace(op_config={"path": path}, log=log, add_output_metadata=lambda _: None))
    )


def airflow(monkeypatch: pytest.MonkeyPatch) -> Onboard:
    from jobs import MusterError

    made: list[Callable[[str], None]] = []
    results: list[dict[str, int]] = []

    def kept(**_: object) -> Callable[[Onboard], Onboard]:
        return lambda function: lambda path: results.append(function(path)) or results[-1]  # type: ignore[func-returns-value]

    def dag(**_: object) -> Callable[[Callable[[str], None]], Callable[[], None]]:
        return lambda function: lambda: made.append(function)

    module(monkeypatch, "airflow")
    module(monkeypatch, "airflow.exceptions", AirflowFailException=Refused)
    module(monkeypatch, "airflow.sdk", dag=dag, task=kept)
    example("airflow_dag")

    def night(path: str) -> dict[str, int]:
        try:
            made[0](path)
        except MusterError as error:
            raise Again from error
        return results[-1]

    return night


@pytest.mark.parametrize("scheduler", [prefect, dagster, airflow])
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
