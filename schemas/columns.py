"""The input columns of each system: one table that headers, rules, requests, masks and documents are made from.

They are found by name: those of `omnumi` are `INPUT` in `schemas/omnumi.py`, those of the job `eclipse:portal-users`
`INPUT` in `schemas/eclipse_portal_users.py`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from schemas.column import Column as Column
from schemas.column import InputModel
from schemas.extract import extract_columns
from schemas.job_name import EXTRACT, ONBOARDING, JobName

RESERVED = ("_reasons", "_surplus")
"""Columns that `quarantine.csv` adds; in an input they are muster's own and not echoed."""

_SECRET_PARTS = ("password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "privatekey")
_SECRET_WORDS = frozenset({"pin", "otp", "cvv", "cvc", "cvv2", "pwd", "puk"})

ALWAYS = ("row_ref", "external_unique_id", "phone", "national_id")
"""Columns that every input has, required or not, so that keys, masks and duplicates work alike."""


def names_secret(header: str) -> bool:
    """Whether a header that no system knows is that of a secret, which no report ever shows."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header).lower())
    return not _SECRET_WORDS.isdisjoint(words) or any(part in folded(header) for part in _SECRET_PARTS)


@lru_cache(maxsize=4096)
def folded(header: str) -> str:
    """`header` as headers are compared: without case, spaces, dashes, underscores, dots and invisible characters."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(sign for sign in text if sign not in "-_." and unicodedata.category(sign)[0] not in "CZ")


def spellings(columns: Iterable[Column]) -> dict[str, str]:
    """Folded spelling -> column name, for the names, the target's fields and the aliases of `columns`."""
    named = (column for column in columns if not column.numbered)
    return {folded(spelling): column.name for column in named for spelling in (column.name, *column.aliases)}


def gathered(column: Column, header: str) -> str | None:
    """The member under which `column` gathers what stands below `header`; None: it does not."""
    prefix, given = column.gathers or "", header.strip()
    if not column.numbered:
        return given[len(prefix) :] if given.casefold().startswith(prefix) and len(given) > len(prefix) else None
    for each in column.numbered:
        if found := re.fullmatch(f"{folded(prefix)}([1-9][0-9]{{0,8}}){folded(each.name)}", folded(given)):
            return f"{found[1]}_{each.name}"
    return None


def columns_of(name: str) -> tuple[Column, ...]:
    """The columns of a system, of one of its jobs, or of its extract (`eclipse:extract`). Raises KeyError."""
    return input_of(name).columns


def input_of(name: str) -> InputModel:
    """The input of a system (`eclipse`), of one of its jobs, or its extract (`eclipse:extract`). Raises KeyError.

    A job may come in variants (`banklingo:decide/reject`): each has its input in `INPUTS` of the job's module.
    """
    wanted = JobName.parse(name)
    if wanted.job == EXTRACT:
        model = input_of(wanted.system)
        return replace(model, columns=extract_columns(model.columns), rules=())
    module = "schemas." + wanted.adapter.replace(":", "_").replace("-", "_")
    if find_spec(module) is None:
        raise KeyError(name)
    kept = import_module(module)
    found: InputModel = kept.INPUTS[wanted.variant] if wanted.variant else kept.INPUT
    return found


def models() -> Iterator[str]:
    """The names of all inputs: of the systems, and of their jobs as `system:job`."""
    for found in iter_modules(import_module("schemas").__path__):
        if isinstance(getattr(import_module(f"schemas.{found.name}"), "INPUT", None), InputModel):
            system, _, job = found.name.partition("_")
            yield JobName(system, job.replace("_", "-") or ONBOARDING).adapter


def lacking(name: str, present: Collection[str | None]) -> list[str]:
    """What a file with the columns `present` lacks as an input of `name`: required columns, `a or b` for a group."""
    model = input_of(name)
    missing = [column.name for column in model.columns if column.required and column.name not in present]
    return missing + [" or ".join(group) for group in model.needs if not set(group) & set(present)]
