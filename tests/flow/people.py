"""Made-up customers: as rows of an input file, and as records that the sandbox held before."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

Row = dict[str, str]

MEMBERS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "phone": "phone1",
    "email": "email",
    "national_id": "nationalIdentityNumber",
}


def person(number: int, last_name: str = "Nkosi", **changes: str) -> Row:
    """Row `number` of an input file: valid, and different from every other number's."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "first_name": "Thandi",
        "last_name": last_name,
        "phone": f"2782{4_000_000 + number}",
        "email": f"thandi.{number}@example.com",
        "national_id": identity_number(number),
    } | changes


def people(count: int, last_name: str = "Nkosi", first: int = 1) -> list[Row]:
    """`count` of them."""
    return [person(number, last_name) for number in range(first, first + count)]


def identity_number(number: int) -> str:
    """A South African identity number with a right check digit."""
    born = date(1960, 1, 1) + timedelta(days=number % 15_000)
    body = f"{born:%y%m%d}{5000 + number // 15_000:04d}08"
    total = 0
    for place, digit in enumerate(map(int, reversed(body))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def written(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """The rows as a CSV file; a column that only some have is empty for the others."""
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
    return path


def record(row: Row, **changes: object) -> dict[str, object]:
    """The same person as a record of the target, for planting."""
    return {member: row[column] for column, member in MEMBERS.items()} | changes
