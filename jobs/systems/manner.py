"""The settings that a write is made with, as facts of its step: a repetition is made with the same ones."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Manner = TypeVar("Manner", bound="DataclassInstance")

_WORDS = {True: "true", False: "false"}


def facts_of(manner: Manner) -> dict[str, str]:
    """Each field of `manner`, a frozen dataclass of texts and booleans, as a fact of the same name."""
    told = ((item.name, getattr(manner, item.name)) for item in fields(manner))
    return {name: _WORDS[value] if isinstance(value, bool) else value for name, value in told}


def bound_to(manner: Manner, bound: Mapping[str, str]) -> Manner:
    """`manner` with the values that `bound` has of its fields; itself where `bound` has none."""
    said: dict[str, Any] = {item.name: bound[item.name] for item in fields(manner) if item.name in bound}
    for name, value in said.items():
        if isinstance(getattr(manner, name), bool):
            said[name] = value == _WORDS[True]
    return replace(manner, **said)
