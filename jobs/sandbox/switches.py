"""How a system's own switches are read: a frozen dataclass with defaults, filled from JSON. Not the shared settings."""

from collections.abc import Mapping
from dataclasses import Field, field, fields
from typing import Any, ClassVar, Protocol, TypeVar


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


def one_of(*values: str) -> Any:
    """A switch with a closed set of values, the first of them the default."""
    return field(default=values[0], metadata={"values": values})


def read(form: type[T], given: Mapping[str, object]) -> T:
    """`form` with the values given; ValueError for a name it does not have or a value that its default forbids.

    A value must be of the kind of the default: true/false, a number from 0, text, a list of texts, or an object.
    """
    defaults, known = form(), {item.name: item for item in fields(form)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"unknown switch {unknown[0]!r}; known: {', '.join(sorted(known))}")
    values = {}
    for name, value in given.items():
        allowed = known[name].metadata.get("values")
        if allowed and value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}")
        values[name] = _alike(name, value, getattr(defaults, name))
    return form(**values)


def _alike(name: str, value: object, default: object) -> object:
    if isinstance(default, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, int):
        fits, wanted = type(value) is int and value >= 0, "a whole number from 0"
    elif isinstance(default, tuple):
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        fits, wanted = False, "a list of texts"
    elif isinstance(default, Mapping):
        fits, wanted = isinstance(value, Mapping), "an object"
    else:
        fits, wanted = isinstance(value, str), "text"
    if not fits:
        raise ValueError(f"{name} must be {wanted}")
    return value
