"""Was this person in the file, and with what result? Answered from keyed pseudonyms and the run's own folder."""

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import Unusable
from jobs.keys import Pseudonyms
from jobs.ledger.people import outcomes_of, places_of, quarantined_rows
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store

QUARANTINE = "quarantine.csv"
SHOWN = ("source_row", "outcome", "reason_code", "external_unique_id", "customer_id", "wallet_id", "decision_status")

_BETWEEN = re.compile(r"[\s\-‐-―]")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, by identity number. Shows nothing of it."""

    national_id: str

    def __repr__(self) -> str:
        return "Subject(***)"

    @classmethod
    def typed(cls, text: str) -> "Subject":
        """From what somebody typed: blanks and dashes do not matter. Raises Unusable."""
        number = _BETWEEN.sub("", text)
        if not 4 <= len(number) <= 40:
            raise Unusable("that is no identity number")
        return cls(number)

    def pseudonym(self, pseudonyms: Pseudonyms) -> str:
        """Gives the pseudonym that the ledger has."""
        return pseudonyms.of("national_id", self.national_id)

    def within(self, cells: Iterator[str]) -> bool:
        """Whether one of `cells` is this identity number, however it is spaced."""
        return any(_BETWEEN.sub("", cell).upper() == self.national_id.upper() for cell in cells)


def prove(store: Store, run: RunRow, pseudonyms: Pseudonyms, subject: Subject) -> list[dict[str, Any]]:
    """The rows of `run` that are about the person, each with its outcome and ids; empty: nobody like that was in it.

    Rows that failed validation have no pseudonym; they are looked for in `quarantine.csv`, while it is there.
    Raises Unusable when `pseudonyms` are not the ledger's own.
    """
    store.know_key(pseudonyms.of("key", "check"))
    keys = [key for _, key in places_of(store, subject.pseudonym(pseudonyms))]
    found = [_shown(row) for row in outcomes_of(store, run.run_id, keys)]
    lines = set(quarantined_lines(Path(run.folder) / QUARANTINE, subject))
    refused = [row for number, row in enumerate(quarantined_rows(store, run.run_id)) if number in lines]
    found += [dict.fromkeys(SHOWN) | {"source_row": row, "outcome": "quarantined"} for row in refused]
    return sorted(found, key=lambda row: int(row["source_row"]))


def quarantined_lines(path: Path, subject: Subject) -> Iterator[int]:
    """Which data lines of `quarantine.csv` are about the person, from 0; none when the file is gone."""
    if not path.exists():
        return
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = text.readline()
        text.seek(0)
        delimiter = max(",;\t|", key=header.count)
        for number, line in enumerate(csv.reader(text, delimiter=delimiter)):
            if number and subject.within(iter(line)):
                yield number - 1


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in SHOWN}
