"""What muster.toml has to say about a first file: which column is which, how its dates are written, which words it has.

Proposals from the header and the first rows, for a person to check; a value that may mean two things is left to them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

import polars as pl

from jobs.errors import Unusable
from jobs.intake.guess import WORDS
from jobs.intake.preflight import InputFile, csv_records, preflight
from schemas.column import Column
from schemas.columns import columns_of, folded

REFERENCE = "row_ref"

SAMPLE = 1_000
"""Rows that are looked at; chosen."""
LONGEST_KEY = 40
"""Characters of a key; chosen, longer texts are remarks."""
MOST_WORDS = 12
"""A column with more different words is no list of them; chosen."""

FORMS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "YYYYMMDD": "%Y%m%d",
}
"""How files write dates; the first is the one that needs no word."""


@dataclass(slots=True)
class FirstFile:
    """What was found. `columns`: header to column, of those that muster would not know by itself."""

    path: Path
    file: InputFile
    columns: dict[str, str] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)
    """By column the formats that all of its values have: one is sure, several are for a person to choose from."""
    words: dict[str, list[str]] = field(default_factory=dict)
    """By column the words that the target does not take."""
    keys: list[str] = field(default_factory=list)
    """Headers that may be the source's own key of a row; none is sure, and there are none where the file has one."""


def recognised(path: Path, system: str) -> FirstFile:
    """Looks at `path`. Raises Unusable when it can't be read, or its required columns can't be recognised."""
    columns: dict[str, str] = {}
    try:
        file = preflight(path, system=system)
    except Unusable as error:
        columns = _proposed(error)
        file = preflight(path, system=system, columns=columns)
    if more := _by_word(file):
        columns |= more
        file = preflight(path, system=system, columns=columns)
    found = FirstFile(path, file, columns)
    rows = list(_rows(file))
    by_name = {column.name: column for column in columns_of(system)}
    for place, header in enumerate(file.header):
        column = by_name.get(file.mapping[header] or "")
        if column is not None:
            _look(found, column, [row[place].strip() for row in rows if place < len(row) and row[place].strip()])
        elif REFERENCE in by_name and REFERENCE not in file.mapping.values() and _is_key([row[place:] for row in rows]):
            found.keys.append(header)
    return found


def tables(found: FirstFile) -> str:
    """The tables of muster.toml, as text; what is not sure is commented out."""
    lines = ["[columns]"]
    lines += [f"{_key(header)} = {_key(column)}" for header, column in found.columns.items()]
    for header in found.file.unknown:
        if header in found.keys:
            why = "another one in each row: is it the source's own key?"
            lines.append(f"# {_key(header)} = {_key(REFERENCE)}   # {why}")
        else:
            lines.append(f'# {_key(header)} = ""   # not known: kept, and not sent')
    lines += ["", "[dates]"]
    for column, forms in found.dates.items():
        if len(forms) == 1:
            lines.append(f"{column} = {_key(forms[0])}")
        else:
            lines += [f"# {column} = {_key(form)}   # fits too: choose one" for form in forms]
    for column, words in found.words.items():
        lines += ["", f"# the target takes other words than these; say what each means:\n# [values.{column}]"]
        lines += [f'# {_key(word)} = ""' for word in words]
    return "\n".join([*lines, ""])


def told(found: FirstFile) -> Iterator[str]:
    """What was recognised, a line for each header."""
    for header in found.file.header:
        meaning = found.file.mapping[header]
        yield f"{header!a} is {meaning}" if meaning else f"{header!a} is not known: kept, and not sent"
    known = {column.name for column in columns_of(found.file.system)}
    if REFERENCE in known.difference(filter(None, found.file.mapping.values())):
        may = f"{' or '.join(map(ascii, found.keys))} may be it" if found.keys else "nothing in the file looks like it"
        yield f"no column is {REFERENCE}, the source's own key of a row, which keys at the target are made from: {may}"
    for column, forms in found.dates.items():
        sure = len(forms) == 1
        yield f"{column} is written {forms[0]}" if sure else f"{column}: choose {' or '.join(forms)} in [dates]"
    for column, words in found.words.items():
        yield f"{column}: say in [values.{column}] what {', '.join(map(ascii, words))} mean"


def _proposed(error: Unusable) -> dict[str, str]:
    """The `[columns]` that the refusal of a file proposes. Raises it again when it proposes none."""
    _, found, block = (error.hint or "").partition("[columns]")
    if not found:
        raise error
    named: Mapping[str, str] = tomllib.loads(f"[columns]{block}")["columns"]
    return dict(named)


def _by_word(file: InputFile) -> dict[str, str]:
    """Headers that nobody knows and that are a usual word for a column that the file has not yet."""
    free = {column.name for column in columns_of(file.system)} - set(file.mapping.values())
    found: dict[str, str] = {}
    for header in file.unknown:
        column = next((name for name, words in WORDS.items() if name in free and folded(header) in words), None)
        if column is not None:
            found[header] = column
            free.discard(column)
    return found


def _rows(file: InputFile) -> Iterator[Sequence[str]]:
    if file.format == "csv":
        yield from (fields for _, fields, _ in islice(csv_records(file), SAMPLE))
        return
    frame = pl.scan_parquet(file.path, glob=False).head(SAMPLE).select(pl.col(list(file.header)).cast(pl.String))
    yield from ([value or "" for value in row] for row in frame.collect().iter_rows())


def _look(found: FirstFile, column: Column, values: Sequence[str]) -> None:
    if column.kind == "date" and values:
        forms = [form for form, written in FORMS.items() if all(_is(value, written) for value in values)]
        if forms and forms[0] != "YYYY-MM-DD":
            found.dates[column.name] = forms
    elif column.kind == "code" and column.pattern:
        cased = str.upper if column.case == "upper" else str.lower if column.case == "lower" else str
        words = sorted({value for value in values if not re.fullmatch(column.pattern, cased(value))})
        if 0 < len(words) <= MOST_WORDS:
            found.words[column.name] = words


def _is_key(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first cell of each of `rows` is there, short, and another one than in all others."""
    values = [row[0].strip() if row else "" for row in rows]
    return len(values) > 1 and all(0 < len(each) <= LONGEST_KEY for each in values) and len(set(values)) == len(values)


def _is(value: str, form: str) -> bool:
    try:
        return bool(datetime.strptime(value, form))  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False


def _key(text: str) -> str:
    """A TOML string."""
    plain = "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text.replace("\\", "\\\\"))
    return '"' + plain.replace('"', '\\"') + '"'
