"""What happened to one row of a run, in words, from the ledger: also while the run works."""

from collections.abc import Mapping
from typing import Any

from jobs.clock import from_milliseconds, iso
from jobs.evidence.short_line import in_words
from jobs.ledger.store import Store

OWN = ("key", "write_key", "trace_id", "fingerprint")
"""Behind the words: what the event says of itself alone."""

UNSAID = frozenset({"seq", "at_ms", "run_id", "source_row", *OWN})
"""Columns of an event that are no part of its words."""


def story(store: Store, run_id: str, row: int) -> list[dict[str, Any]]:
    """The events of source row `row`, oldest first, each with `at` (ISO) and `words`; empty when there is none.

    A key is told once, and again when it is another.
    """
    told: list[dict[str, Any]] = []
    key = None
    for event in store.events(run_id, row=row):
        said = {name: value for name, value in event.items() if name not in UNSAID}
        own = {name: event[name] for name in OWN if event[name] is not None and (name, event[name]) != ("key", key)}
        key = event["key"] or key
        told.append({"at": iso(from_milliseconds(event["at_ms"])), "words": _words(said, own), **own})
    return told


def _words(said: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    return ", ".join([in_words(said), *(f"{name} {value}" for name, value in own.items())])
