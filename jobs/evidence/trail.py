"""How each row ended by the events, to be compared with how it ended by the table: one pass over each, 12 bytes a row.

A row's end is its outcome, reason code, failed step and key; beside it stands how many requests were intended for it.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

COMPARED = ("outcome", "reason_code", "failed_step", "external_unique_id")
"""Columns of the table that an event of the kind `outcome` tells too."""

TOLD = ("verdict", "detail", "step", "key")
"""The same in the event."""


class Trail:
    """What the events told of the rows 1 to `rows`."""

    def __init__(self, rows: int) -> None:
        self._ends = array("q", bytes(8 * (rows + 1)))
        self._intents = array("I", bytes(4 * (rows + 1)))
        self.beyond = 0
        """Events about rows that the input does not have."""
        self.ended = 0
        """Events that tell the end of a row."""

    def hear(self, event: Mapping[str, Any]) -> None:
        """Takes note of one event."""
        kind, row = event.get("kind"), event.get("source_row")
        if kind not in {"outcome", "intent"} or not isinstance(row, int):
            return
        if not 0 < row < len(self._ends):
            self.beyond += 1
        elif kind == "intent":
            self._intents[row] += 1
        else:
            self.ended += 1
            self._ends[row] = _end(tuple(event.get(name) for name in TOLD))

    def differing(self, frame: pl.DataFrame) -> Iterator[int]:
        """The source rows of a window of the table that ended otherwise, or were tried at other times than told."""
        columns = [frame["source_row"], frame["attempts"], *(frame[name] for name in COMPARED)]
        for row, attempts, *end in zip(*(column.to_list() for column in columns), strict=True):
            known = 0 < row < len(self._ends)
            if not known or self._ends[row] != _end(tuple(end)) or self._intents[row] != (attempts or 0):
                yield row


def _end(values: tuple[object, ...]) -> int:
    """One number for an end; never that of a row without one."""
    return hash(tuple(value or "" for value in values)) or 1
