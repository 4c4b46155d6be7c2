"""A column of a report: its type, and whether it is personal. Whatever erases or masks derives from this what goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

Personal = Literal["showing", "identifying"]
"""`showing` shows something of a person, and goes when a run is purged. `identifying` leads to a person for who knows
more (the target, another file), and goes too when the person is forgotten."""


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """One column. `personal` has no default: who adds a column decides it. None: it shows nobody."""

    kind: pl.DataType
    personal: Personal | None


def types(columns: Mapping[str, ReportColumn]) -> dict[str, pl.DataType]:
    """The types of `columns` by name, in their order."""
    return {name: column.kind for name, column in columns.items()}


def personal(columns: Mapping[str, ReportColumn], *, forgotten: bool) -> tuple[str, ...]:
    """The columns that are erased when a run is purged, or (`forgotten`) all that go when a person is."""
    return tuple(name for name, column in columns.items() if goes(column.personal, forgotten=forgotten))


def goes(what: object, *, forgotten: bool) -> bool:
    """Says whether a column whose `personal` is `what` is erased when a run is purged, or a person `forgotten`."""
    return what == "showing" or (forgotten and what == "identifying")
