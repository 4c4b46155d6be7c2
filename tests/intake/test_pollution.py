"""A clean table, polluted as people and programs pollute files: no row is sent differently without a word.

Every row that is accepted without a warning has the values of the clean one; the rest is refused, or warned of.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import Unusable

from .split import Split, split
from .written import HEADER

COLUMNS = [*HEADER.split(","), "row_ref", "birth_city"]
INVISIBLE = ["\ufeff", "\u200b", "\u200e", "\u202a", "\u2060", "\u00a0", "\u00ad", "\t", " "]
NAMES = ["Thandi", "Zoë", "Müller", "O'Brien", "Nkosi", "van der Merwe", "Łukasz", "Ng'eno", "Ólafur"]
CITIES = ["Paarl", "Cape Town", "São Paulo", "", "Durban"]
ENCODINGS = ["cp1252", "latin-1", "cp850", "mac_roman", "cp1251"]
CLEAN_ROWS = 60

Row = list[str]
Chance = random.Random


def clean(chance: Chance) -> list[Row]:
    """Rows that share nothing and need no quotes."""
    first = chance.randrange(1000) * CLEAN_ROWS
    return [
        [
            chance.choice(NAMES),
            chance.choice(NAMES),
            f"0821{number:06}",
            f"c{number}@example.com",
            f"ZN{number:07}",
            f"CRM-{number}",
            chance.choice(CITIES),
        ]
        for number in range(first, first + CLEAN_ROWS)
    ]


def wrapped(left: str, right: str = "") -> Callable[[str, Chance], str]:
    return lambda cell, _: f"{left}{cell}{right or left}"


CELLS: dict[str, Callable[[str, Chance], str]] = {
    "blank and quotes": wrapped(' "', '"'),
    "single quotes": wrapped("'"),
    "typographic quotes": wrapped("“", "”"),
    "tripled quotes": wrapped('"""'),
    "rightly quoted": wrapped('"'),
    "quote in the middle": lambda cell, chance: f'{cell[: (at := chance.randrange(1 + len(cell)))]}"{cell[at:]}',
    "a second field swallowed": lambda cell, _: f'{cell or "x"}"12 Kloof Road, Paarl"',
    "a pair in the middle": lambda cell, _: f'{cell} "Tee" x',
    "invisible before": lambda cell, chance: chance.choice(INVISIBLE) + cell,
    "invisible behind": lambda cell, chance: cell + chance.choice(INVISIBLE),
    "invisible around": lambda cell, chance: "".join(chance.choices(INVISIBLE, k=2)) + cell + chance.choice(INVISIBLE),
}


def polluted(table: list[Row], chance: Chance) -> tuple[str, dict[str, object]]:
    """The text of a file, and how it is read."""
    lines = [",".join(row) for row in table]
    reading: dict[str, object] = {}
    dirt = chance.choice(["cells", "cells", "cells", "lines", "ends", "ends of some", "before", "together"])
    if dirt == "cells":
        for number in chance.sample(range(len(table)), k=chance.choice([1, 8, 25])):
            row, place = list(table[number]), chance.randrange(len(COLUMNS))
            row[place] = CELLS[chance.choice(list(CELLS))](row[place], chance)
            lines[number] = ",".join(row)
    if dirt == "lines":
        for _ in range(5):
            lines.insert(
                chance.randrange(len(lines) + 1), chance.choice(["", "  ", ",,,,,,", " , ,,", "\ufeff", "\x1a"])
            )
    if dirt == "ends":
        lines = [f"{line}," for line in lines]
    if dirt == "ends of some":
        lines = [line + "," * chance.randrange(3) for line in lines]
    if dirt == "together":
        cut = chance.randrange(1, len(lines))
        lines[cut:cut] = ["\ufeff" + ",".join(COLUMNS)]
    text = "\n".join([",".join(COLUMNS), *lines]) + "\n"
    if dirt == "before":
        text = "Export of customers\n\n" + text
        reading = {"skip_lines": chance.choice([0, 1, 2])}
    return text, reading


def encoded(text: str, reading: dict[str, object], chance: Chance) -> tuple[bytes, dict[str, object]]:
    """The bytes; sometimes their encoding is declared, and sometimes wrongly."""
    if chance.random() < 0.2:
        return text.encode(), reading | {"encoding": chance.choice(ENCODINGS)}
    return text.encode(chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"])), reading


def lied(found: Split, table: list[Row]) -> list[str]:
    """The rows that would be sent differently without a word; none is the right answer."""
    wrong = []
    known = {row[3]: dict(zip(COLUMNS, row, strict=True)) for row in table}
    for number, values in found.good.items():
        right = dict(known.get(str(values["email"]), {}))
        given = {name: values[name] for name in COLUMNS}
        right["phone"] = "27" + right.get("phone", "")[1:]
        if not found.notes[number] and given != {name: value or None for name, value in right.items()}:
            wrong.append(f"row {number}: {given}")
    return wrong


def run(folder: Path, files: int, seed: int) -> tuple[int, int]:
    """(files read, files refused as a whole). Fails with the seed and the first row that lied."""
    chance = Chance(seed)
    read = refused = 0
    for number in range(files):
        table = clean(chance)
        content, reading = encoded(*polluted(table, chance), chance)
        try:
            found = split(folder, content, reading)
        except Unusable:
            refused += 1
            continue
        read += 1
        assert not lied(found, table), f"seed {seed}, file {number}"
    return read, refused


@pytest.mark.parametrize("seed", [20261129])
def test_no_row_of_a_polluted_table_is_sent_differently_without_a_word(tmp_path: Path, seed: int) -> None:
    read, refused = run(tmp_path, 16, seed)
    assert read
    assert refused


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_no_row_of_thousands_either(tmp_path: Path, seed: int) -> None:
    run(tmp_path, 100, seed)
