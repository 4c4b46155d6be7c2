"""The header of an input file: which original name means which canonical column.

Settings (`[columns]`) beat the table of `schemas/columns.py`; what nobody knows stays and is echoed.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from jobs.errors import Unusable
from jobs.intake.guess import columns_block
from schemas.columns import RESERVED, Column, columns_of, folded, gathered, lacking, models, spellings
from schemas.job_name import COMMANDS, ONBOARDING, JobName

Rows = Callable[[], list[list[str]]]

_NAMELESS = re.compile(r"\s*|unnamed: ?\d+(_level_\d+)?", re.IGNORECASE)
"""What stands over a column that nobody named; pandas and spreadsheets that were read by it write `Unnamed: 0`."""


def nameless(header: Sequence[str]) -> Iterator[str]:
    """A sentence about each column that nobody named: it is kept like any that no system knows."""
    for place, cell in enumerate(header, start=1):
        if _NAMELESS.fullmatch(cell):
            called = f" but {cell!r}" if cell.strip() else ""
            yield (
                f"column {place} has no name{called}: kept, not sent. Where it only numbers the rows (the index of "
                "pandas), write the file without it (index=False)"
            )


def known_headers(header: Sequence[str], system: str, columns: Mapping[str, str]) -> frozenset[str]:
    """The cells of `header` that mean a column."""
    return frozenset(name for name, canonical in _meanings(header, system, columns).items() if canonical)


def mapped(
    name: str, header: Sequence[str], system: str, columns: Mapping[str, str], some_rows: Rows = list
) -> Mapping[str, str | None]:
    """Original header -> canonical name (None: unknown, kept as it is).

    `columns` maps file headers to canonical names; an empty name makes a header unknown on purpose.
    `some_rows` gives cells by which missing columns may be guessed.
    Raises Unusable: repeated header, two headers for one column, unknown canonical name, missing required column.
    """
    _refuse_repeated(name, header)
    meanings = _meanings(header, system, columns)
    _refuse_ambiguous(name, meanings, {column.name: column for column in columns_of(system) if column.gathers})
    _refuse_missing(name, meanings, system, some_rows)
    return MappingProxyType(meanings)


def _meanings(header: Sequence[str], system: str, columns: Mapping[str, str]) -> dict[str, str | None]:
    names = {column.name for column in columns_of(system) if not column.numbered}
    for target in columns.values():
        if target and target not in names:
            raise Unusable(
                f"[columns] names {target!r}, which {system} has no column for{_did_you_mean(target, names)}"
            )
    chosen = {folded(key): target or None for key, target in columns.items()}
    taken = {chosen[key] for key in map(folded, header) if chosen.get(key)}
    table, gathering = spellings(columns_of(system)), [each for each in columns_of(system) if each.gathers]
    meanings: dict[str, str | None] = {}
    for original in header:
        key = folded(original)
        found = chosen[key] if key in chosen else table.get(key) or _gathering(original, gathering)
        shadowed = key not in chosen and found in taken
        meanings[original] = None if shadowed or original in RESERVED else found
    return meanings


def _refuse_repeated(name: str, header: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for place, cell in enumerate(header, start=1):
        if cell in seen:
            what = f"named {cell!r}" if cell else "without a name"
            raise Unusable(
                f"{name}: columns {seen[cell]} and {place} are both {what}; give each column a name of its own",
                hint="rename or remove one in the source; where columns at the end are empty, remove those delimiters",
            )
        seen[cell] = place


def _gathering(header: str, columns: Sequence[Column]) -> str | None:
    """The column that gathers what is below `header`, by the beginning of it; None: none does."""
    return next((column.name for column in columns if gathered(column, header) is not None), None)


def _refuse_ambiguous(name: str, meanings: Mapping[str, str | None], many: Mapping[str, Column]) -> None:
    """Raises Unusable when two headers mean one column, or one member of those of `many`, which gather."""
    first: dict[str, str] = {}
    for original, canonical in meanings.items():
        if canonical is None:
            continue
        if canonical in many:
            member = gathered(many[canonical], original)
            canonical = f"{many[canonical].gathers}{member or original}"
        if canonical in first:
            raise Unusable(
                f"{name}: the columns {first[canonical]!r} and {original!r} both mean {canonical}; "
                f'say which with [columns] (an empty name, {original!r} = "", sets a column aside)'
            )
        first[canonical] = original


def _refuse_missing(name: str, meanings: Mapping[str, str | None], system: str, some_rows: Rows) -> None:
    missing = lacking(system, set(meanings.values()))
    if not missing:
        return
    if len(meanings) == 1:
        raise Unusable(
            f"{name}: the header is one single column, and required ones are missing ({', '.join(missing)}); "
            "muster reads , ; tab and | between columns: say --delimiter if it is another sign or was set wrong"
        )
    unknown = [original for original, canonical in meanings.items() if canonical is None and original not in RESERVED]
    made_for_another, block = _made_for_another(meanings, system), _proposed(meanings, missing, some_rows())
    guesses = "".join(_did_you_mean(column, unknown, f" for {column}", block) for column in missing)
    raise Unusable(
        f"{name}: required columns are missing: {', '.join(missing)}{guesses}",
        hint=made_for_another or block or f"muster schema {JobName.parse(system).adapter} shows the columns",
    )


def _proposed(meanings: Mapping[str, str | None], missing: list[str], rows: list[list[str]]) -> str | None:
    """The table of muster.toml that may be meant, to be checked; None: nothing can be proposed."""
    header = [name if meaning is None and name not in RESERVED else "" for name, meaning in meanings.items()]
    block = columns_block(header, missing, rows)
    return None if block is None else f"if this is what they mean, put it into muster.toml:\n\n{block}"


def _made_for_another(header: Collection[str], system: str) -> str | None:
    """A sentence when the header fits another system or job; None when it fits none."""
    fitting: dict[str, int] = {}
    for other in models():
        table = spellings(columns_of(other))
        known = {table[key] for key in map(folded, header) if key in table}
        if other != system and not lacking(other, known):
            fitting[other] = len(known)
    if not fitting:
        return None
    best = max(fitting, key=lambda other: fitting[other])
    return f"the header is that of {best}: {_taken(best, system)}"


def _taken(best: str, system: str) -> str:
    """How a file of `best` is checked (which sends nothing) and taken, where one of `system` was looked for."""
    found, asked = JobName.parse(best), JobName.parse(system)
    at = f" --system {found.system}" if found.system != asked.system else ""
    if found.job != ONBOARDING:
        return f"muster validate{at} --job {found.job}, or muster {COMMANDS[found.job]}{at}"
    return at.strip() if asked.job == ONBOARDING else f"muster validate{at} without --job, or muster run{at}"


def _did_you_mean(wanted: str, offered: Sequence[str] | set[str], suffix: str = "", proposed: str | None = None) -> str:
    """A guess; none that contradicts the table that is `proposed`."""
    by_key = {folded(one): one for one in offered}
    close = difflib.get_close_matches(folded(wanted), by_key, n=1, cutoff=0.6)
    if not close or (proposed and f'"{by_key[close[0]]}" = "{wanted}"' not in proposed):
        return ""
    return f"; did you mean {by_key[close[0]]!r}{suffix}?"
