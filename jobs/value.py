"""Values: dataclasses whose members nobody sets anew. The type checker sees to that; while muster runs, nobody does.

Python's own guard makes each value five times as dear to make (2.2 µs instead of 0.4 for one of 13 members, measured),
and a row on its way makes two hundred. What `dataclass` writes and compiles for each kind (comparison, hash, text) is
here once for all of them: 290 kinds were a quarter of what a run takes to be loaded (measured).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """`kind` as a dataclass with slots, compared and hashed by its members; methods of its own stay."""
    made = dataclass(slots=True, eq=False, repr=False)(kind)
    for name, method in (("__eq__", _alike), ("__hash__", _hashed), ("__repr__", _shown)):
        if name not in kind.__dict__:
            setattr(made, name, method)
    return made


def replaced(before: T, **changes: object) -> T:
    """`before` with `changes`. For a `value` all of whose members are given to it. (Two fifths of `replace`'s time.)"""
    kind: Any = type(before)
    after: T = kind(*_members(kind)(before))
    for name, member in changes.items():  # AttributeError for one that it has not
        setattr(after, name, member)
    return after


def _alike(one: object, other: object) -> Any:
    """`==` of values: of the same kind, with the same members."""
    kind: Any = type(one)
    members = _compared(kind)
    return members(one) == members(other) if type(other) is kind else NotImplemented


def _hashed(one: object) -> int:
    kind: Any = type(one)
    return hash(_compared(kind)(one))


def _shown(one: Any) -> str:
    told = [f"{each.name}={getattr(one, each.name)!r}" for each in fields(one) if each.repr]
    return f"{type(one).__qualname__}({', '.join(told)})"


@cache
def _members(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What gives all members of a value, in the order in which it is given them."""
    return _of([each.name for each in fields(kind)])


@cache
def _compared(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the members that make two values the same."""
    return _of([each.name for each in fields(kind) if each.compare])


def _of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple([getattr(one, name) for name in names])
