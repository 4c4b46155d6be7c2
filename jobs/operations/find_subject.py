"""Was this person in the file, and with what result? Answered from keyed pseudonyms and the run's own folder."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from jobs.errors import Unusable
from jobs.intake.key_list import normalised
from jobs.keys import KeySpace, Pseudonyms
from jobs.ledger.people import Place, held_at, keys_named, outcomes_of, places_of, quarantined_rows, spaces_named
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.publishing.place import folder_of, put_back
from jobs.systems import SYSTEMS
from jobs.value import value
from schemas.columns import columns_of, input_of
from schemas.job_name import JOBS, JobName

QUARANTINE = "quarantine.csv"
SHOWN = ("source_row", "outcome", "reason_code", "external_unique_id", "customer_id", "wallet_id", "decision_status")

KINDS = ("identity", "phone", "email", "reference")
"""By what a person can be named; the words are those of the kinds of columns."""

WORDS = {"identity": "identity number", "phone": "phone number", "email": "e-mail address", "reference": "reference"}

_BETWEEN = re.compile(r"[\s\-‐-―]")


@value
class Subject:
    """A person, by one value of theirs. Shows nothing of it."""

    by: str
    values: tuple[str, ...]
    """The spellings under which the ledger may know it."""
    region: str = "ZA"

    def __repr__(self) -> str:
        return "Subject(***)"

    @classmethod
    def typed(cls, text: str, by: str = "identity", region: str = "ZA") -> "Subject":
        """From what somebody typed: blanks and dashes do not matter. Raises Unusable."""
        found = spelt(by, text.strip(), region)
        if not found or not 4 <= len(found[0]) <= 255:
            raise Unusable(f"that is no {WORDS[by]}", hint="with country code" if by == "phone" else None)
        return cls(by, found, region)

    def pseudonyms(self, pseudonyms: Pseudonyms) -> set[tuple[str, str]]:
        """Gives (column, pseudonym) as the ledger may have it."""
        return {(column, pseudonyms.of(column, value)) for column in columns(self.by) for value in self.values}


@value
class Person:
    """Whom a subject names, as far as the ledger knows: their records, and the pseudonyms of their values."""

    subject: Subject
    pseudonyms: Pseudonyms
    places: tuple[Place, ...]
    held: frozenset[tuple[str, str]] = field(repr=False)
    """(column, pseudonym) of what was typed, and of the numbers and addresses that their records have."""

    @classmethod
    def known(cls, store: Store, pseudonyms: Pseudonyms, subject: Subject) -> "Person":
        """The person in all systems and tenants. Raises Unusable when `pseudonyms` are not the ledger's own."""
        store.know_key(pseudonyms.of("key", "check"))
        own = subject.pseudonyms(pseudonyms)
        places = set(places_of(store, own))
        if subject.by == "reference":
            places |= _referred(store, subject.values, pseudonyms)
        told = {name for kind in ("identity", "phone", "email") for name in columns(kind)}
        held = {(column, found) for column, found in held_at(store, sorted(places)) if column in told}
        derived = tuple(_derived(store, subject))
        return cls(subject, pseudonyms, tuple(sorted(places)), frozenset(own | held), derived)

    derived: tuple[str, ...] = field(default=(), repr=False)
    """Keys that are derived from what was typed, whether the ledger has a record of them or not."""

    @property
    def keys(self) -> list[str]:
        """The keys of their records and rows: a refused row has one too, and no record."""
        plain = [*(key for _, key in self.places), *self.derived]
        return list(dict.fromkeys([*plain, *map(self.pseudonyms.hidden, plain)]))

    def shown_by(self, cells: Iterable[str]) -> bool:
        """Whether one of `cells` is a number, an address or a reference of theirs, however it is spaced."""
        return any(self._is(cell) for cell in cells if len(cell) >= 4)

    def _is(self, cell: str) -> bool:
        for kind in KINDS:
            found = spelt(kind, cell.strip(), self.subject.region)
            if kind == self.subject.by and set(found) & set(self.subject.values):
                return True
            made = product(columns(kind) if kind != "reference" else (), found)
            if any((column, self.pseudonyms.of(column, value)) in self.held for column, value in made):
                return True
        return False


@cache
def columns(kind: str) -> tuple[str, ...]:
    """The columns of that kind that any input of any system has."""
    names = {"identity": {"national_id"}}.get(kind, set())
    for system, job in product(SYSTEMS, JOBS):
        with suppress(KeyError):
            names |= {each.name for each in columns_of(str(JobName(system, job))) if each.kind == kind}
    return tuple(sorted(names))


def spelt(kind: str, text: str, region: str) -> tuple[str, ...]:
    """The spellings of a value of that kind that mean the same; empty: it is none."""
    if kind == "identity":
        bare = _BETWEEN.sub("", text)
        return tuple(dict.fromkeys((bare, bare.upper()))) if 4 <= len(bare) <= 40 else ()
    if kind == "phone":
        found = normalised("phone", text, region) if sum(map(str.isdigit, text)) > 6 else None
        return () if found is None else (found,)
    if kind == "email":
        local, _, domain = text.rpartition("@")
        return tuple(dict.fromkeys((text, text.lower(), f"{local}@{domain.lower()}"))) if local else ()
    return (text,) if text else ()


def rows_about(store: Store, run: RunRow, person: Person) -> tuple[list[int], list[int]]:
    """The person's source rows in a run, and which data lines of its `quarantine.csv` are about them, from 0.

    A refused row is theirs when it has their key, or shows a number, an address or a reference of theirs.
    """
    rows = {int(row["source_row"]) for row in outcomes_of(store, run.run_id, person.keys)}
    if person.subject.by == "reference":
        rows |= set(keys_named(store, run.run_id, person.subject.values))
    refused = quarantined_rows(store, run.run_id)
    lines = set(quarantined_lines(folder_of(run) / QUARANTINE, person))
    put_back(run)
    lines |= {line for line, row in enumerate(refused) if row in rows}
    return sorted(rows | {refused[line] for line in lines if line < len(refused)}), sorted(lines)


def prove(store: Store, run: RunRow, pseudonyms: Pseudonyms, subject: Subject) -> list[dict[str, Any]]:
    """The rows of `run` that are about the person, each with its outcome and ids; empty: nobody like that was in it.

    Rows that failed validation have no pseudonym; they are looked for in `quarantine.csv`, while it is there.
    Raises Unusable when `pseudonyms` are not the ledger's own.
    """
    person = Person.known(store, pseudonyms, subject)
    found = [_shown(row) for row in outcomes_of(store, run.run_id, person.keys)]
    there = {row["source_row"] for row in found}
    rows, _ = rows_about(store, run, person)
    found += [dict.fromkeys(SHOWN) | {"source_row": row, "outcome": "quarantined"} for row in rows if row not in there]
    return sorted(found, key=lambda row: int(row["source_row"]))


def quarantined_lines(path: Path, person: Person) -> Iterator[int]:
    """Which data lines of `quarantine.csv` are about the person, from 0; none when the file is gone."""
    if not path.exists():
        return
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = text.readline()
        text.seek(0)
        delimiter = max(",;\t|", key=header.count)
        for number, line in enumerate(csv.reader(text, delimiter=delimiter)):
            if number and person.shown_by(line):
                yield number - 1


def _referred(store: Store, references: Iterable[str], pseudonyms: Pseudonyms) -> set[Place]:
    """Where a row with one of `references`, or with that for its key, would be recorded."""
    found: set[Place] = set()
    for (space_id, system, tenant), reference in product(spaces_named(store), references):
        keys = KeySpace.of(JobName.parse(system).key_system, tenant)
        named = (keys.customer(row_ref=reference, national_id=None), reference)
        found |= {(space_id, key) for key in (*named, *map(pseudonyms.hidden, named))}
    return {(space_id, key) for space_id, key in found if store.known(space_id, [key])}


def _derived(store: Store, subject: Subject) -> Iterator[str]:
    """The keys that rows of the subject have where their file gives none and no reference."""
    for _, system, tenant in spaces_named(store):
        name = JobName.parse(system)
        seeds = set(columns(subject.by)) & set(input_of(str(name)).seeds) if subject.by != "reference" else set()
        space = KeySpace.of(name.key_system, tenant)
        yield from (space.derived(seed, value) for seed in sorted(seeds) for value in subject.values)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in SHOWN}
