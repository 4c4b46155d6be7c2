"""Steps are values: whatever one learns of a row is the row's case's to keep, so that no row hears of another's."""

import dataclasses
import importlib
import pkgutil
import typing
from collections.abc import MutableMapping, MutableSequence, MutableSet
from typing import Any

import pytest

import jobs.systems
from jobs.systems import JOBS, SYSTEMS, adapter
from jobs.systems.defaults import Defaults
from jobs.systems.dialect import Dialect


def classes() -> dict[str, type]:
    """Every class that is defined in a room of `jobs.systems`, by its full name."""
    found = {}
    for module in pkgutil.walk_packages(jobs.systems.__path__, "jobs.systems."):
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and each.__module__ == module.name and not getattr(each, "_is_protocol", False):
                found[f"{each.__module__}.{each.__qualname__}"] = each
    return found


CLASSES = classes()
STEPS = {name: each for name, each in CLASSES.items() if hasattr(each, "look")}
MUTABLE = (MutableMapping, MutableSequence, MutableSet)


def kept_in(step: type) -> list[type]:
    """The plain types of a step's fields."""
    hints = typing.get_type_hints(step)
    kinds = [typing.get_origin(hints[each.name]) or hints[each.name] for each in dataclasses.fields(step)]
    return [kind for kind in kinds if isinstance(kind, type)]


def test_all_steps_are_looked_at() -> None:
    assert (
        len(STEPS) >= sum(len(adapter(name).CAPABILITIES.steps) for name in SYSTEMS) - 5
    )  # five contacts are one class, and two steps of an address


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_frozen_and_has_no_place_for_what_it_learns(name: str) -> None:
    step: Any = STEPS[name]

    assert step.__dataclass_params__.frozen
    assert hasattr(step, "__slots__")
    assert [kind for kind in kept_in(step) if issubclass(kind, MUTABLE)] == []


@pytest.mark.parametrize("name", STEPS)
def test_a_step_writes_or_says_nothing_of_writing(name: str) -> None:
    members = {"write", "classify", "resends", "settle_seconds"}
    step = STEPS[name]

    assert {each for each in members if hasattr(step, each)} in (set(), members)


@pytest.mark.parametrize("name", [*SYSTEMS, *JOBS])
def test_a_system_leaves_to_its_dialect_what_replies_have_in_common(name: str) -> None:
    (system,) = (
        each
        for full, each in CLASSES.items()
        if full.rpartition(".")[0] == adapter(name).__name__ and issubclass(each, Defaults)
    )

    common = ("status_of", "trace_of", "throttled", "readable")
    assert [each for each in common if getattr(system, each) is not getattr(Defaults, each)] == []
    assert isinstance(system.dialect, Dialect)
    assert vars(system.dialect) == {}
