"""Writes made-up customers as CSV to standard output: any number, the same for the same seed, all different.

    python sample_data/generate.py --rows 100000 --seed 7 --dirty 0.02 > customers.csv

Phones and identity numbers are unique and rightly checked, e-mails end in example.com. `--dirty` is the share of rows
with one thing wrong. Only the standard library is used.
"""

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta

HEADER = ("row_ref", "first_name", "last_name", "phone", "email", "national_id", "date_of_birth", "branch")
FIRST = (
    "Thandi",
    "Sipho",
    "Anna",
    "Pieter",
    "Lerato",
    "Ayesha",
    "Johan",
    "Naledi",
    "Bongani",
    "Zanele",
    "Karl",
    "Priya",
)
LAST = ("Nkosi", "Botha", "Naidoo", "Dlamini", "van Wyk", "Mokoena", "Smith", "O'Brien", "Khumalo", "Jacobs", "Pillay")
BRANCHES = ("Durban", "Cape Town", "Soweto", "Polokwane")
MOBILE = tuple(f"{prefix}{digit}" for prefix in ("60", "61", "71", "72", "73", "82", "83", "84") for digit in range(10))
FIRST_BIRTH = date(1950, 1, 1)
BIRTH_DAYS = 20_000
Row = list[str]


def identity_number(number: int) -> tuple[str, date]:
    """The South African identity number number `number` (all different below 10**8), and its date of birth."""
    born = FIRST_BIRTH + timedelta(days=number % BIRTH_DAYS)
    body = f"{born:%y%m%d}{number // BIRTH_DAYS:04d}08"
    return body + str(check_digit(body)), born


def check_digit(body: str) -> int:
    """The last digit of the Luhn rule behind `body`."""
    total = 0
    for place, digit in enumerate(map(int, reversed(body))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def phone_number(number: int) -> str:
    """The mobile number number `number` (all different below 8 * 10**7), as written inside the country."""
    prefix, rest = MOBILE[number % len(MOBILE)], number // len(MOBILE)
    return f"0{prefix}{rest:06d}"


def clean_row(number: int, chance: random.Random) -> Row:
    """Row `number`, counted from 1."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    identity, born = identity_number(number)
    plain = "".join(sign for sign in f"{first}.{last}".lower() if sign.isalpha() or sign == ".")
    email = f"{plain}.{number}@example.com"
    branch = chance.choice(BRANCHES)
    return [f"CRM-{number:09d}", first, last, phone_number(number), email, identity, f"{born:%Y-%m-%d}", branch]


def spoiled(row: Row, chance: random.Random) -> Row:
    """`row` with one thing wrong that quarantines it."""
    kind = chance.randrange(8)
    if kind == 0:
        return row[:-2]
    if kind == 1:
        return [*row, "one more"]
    place, value = (
        (1, ""),
        (2, "Nko\u200bsi"),
        (3, "2.78E+10"),
        (4, "no-at-sign.example.com"),
        (5, "12-3"),
        (6, "31/12/1990"),
    )[kind - 2]
    return [value if here == place else cell for here, cell in enumerate(row)]


def rows(count: int, seed: int, dirty: float) -> Iterator[Row]:
    """`count` rows. `dirty`: from 0 to 1, the share that `spoiled` touches."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        row = clean_row(number, chance)
        yield spoiled(row, chance) if chance.random() < dirty else row


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes made-up customers as CSV to standard output.")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dirty", type=float, default=0.0, help="share of rows with one thing wrong, 0 to 1")
    asked = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(asked.rows, asked.seed, asked.dirty))


if __name__ == "__main__":
    main()
