"""Writes the small files of this folder again, byte for byte the same; README.md says what each of them proves.

python sample_data/make_samples.py [FOLDER]
"""

import csv
import io
import json
import random
import sys
from pathlib import Path

import polars as pl
from generate import HEADER, Row, clean_row

LAST, PHONE, EMAIL, IDENTITY, BORN = 2, 3, 4, 5, 6
ENDINGS = {17: "Kycslow", 18: "Kycslow", 19: "Kycfail", 20: "Kycfail", 21: "Kycstuck", 22: "Nowallet", 23: "Nowallet"}
ENDINGS[24] = "Refused"
REAL_NAMES = (
    *(
        ("Seán", "O'Brien"),
        ("Zoë", "D’Arcy"),
        ("Nguyễn", "Văn An"),
        ("李", "小龙"),
        ("X", "Æ"),
        ("Jose\u0301", "Núñez"),
    ),
    *(("Þór", "Ólafsdóttir"), ("ﬁona", "ﬂynn"), ("علی\u200cرضا", "محمدی"), ("ශ්\u200dරී", "ලංකා"), ("Мария", "Иванова")),
    *(("Anne-Marie", "van der Merwe"), ("Null", "Test"), ("N/A", "None"), ("True", "False"), ("ʻOkina", "Kaʻahumanu")),
    *(("=1+1", "@SUM(A1)"), ("+27", "-Minus"), ('Dwayne "The Rock"', "Johnson; Jr, Esq."), ("<b>Bold</b>", "{{7*7}}")),
    *(("'; DROP TABLE customers;--", "Tables"), ("Ünal", "İnönü"), ("ß", "ẞ"), ("Ngũgĩ", "wa Thiong’o"), ("०१", "๑")),
    *(("Ⅷ", "Henry"), ("😀", "Emoji"), ("A" * 60, "Longname"), ("Two  Spaces", "And\u00a0one"), ("Ṱhonḓani", "Ḽiṅwe")),
)
HOSTILE_NAMES = (
    *(
        "Nko\u200bsi",
        "Nkosi\u202e",
        "Nko\x1b[31msi",
        "Nko\x00si",
        "Nko\tsi",
        "Nko\nsi",
        "Nko\u2028si",
        "\u3164",
        "Nko\ufeffsi",
    ),
    "Nko\ufffdsi",
)


def clean(first: int, count: int) -> list[Row]:
    """`count` rows, from customer number `first` on."""
    chance = random.Random(first)
    return [clean_row(number, chance) for number in range(first, first + count)]


def every_outcome() -> list[Row]:
    """18 onboarded, 2 declined, 1 pending, 2 not eligible, 1 rejected, 3 in conflict, 3 quarantined."""
    rows = clean(1001, 30)
    for place, ending in ENDINGS.items():
        rows[place - 1][LAST] += f" {ending}"
    rows[27][PHONE] = "12345"
    rows[28][EMAIL] = ""
    rows[29] = rows[29][:-2]
    return rows


def planted() -> list[dict[str, str]]:
    """Customers in the way of rows 25, 26, 27: their phone, their identity, the person under another key."""
    rows = every_outcome()
    return [
        _customer(rows[24], firstName="Other", lastName="Phoneholder", nationalIdentityNumber="8801015009083", key=1),
        _customer(rows[25], firstName="Other", lastName="Identityholder", phone1="27799999902", key=2),
        _customer(rows[26], key=3),
    ]


def dirty() -> list[Row]:
    """40 clean rows, then each kind of damage; the last four are two pairs of duplicates."""
    rows = clean(2001, 60)
    damage = {
        41: {1: ""},
        42: {LAST: "Nko\u200bsi"},
        43: {PHONE: "2.78E+10"},
        44: {PHONE: "082123456"},
        45: {PHONE: "O821234567"},
        46: {EMAIL: "no-at-sign.example.com"},
        47: {EMAIL: "", IDENTITY: ""},
        48: {IDENTITY: "12-3"},
        49: {IDENTITY: "9.00E+12"},
        50: {BORN: "31/12/1990"},
        51: {BORN: "1991-02-29"},
        52: {0: "r" * 201},
        53: {LAST: "Jos\ufffd"},
        54: {LAST: "", PHONE: "x", EMAIL: "y"},
    }
    for place, cells in damage.items():
        for cell, value in cells.items():
            rows[place - 1][cell] = value
    rows[54] = rows[54][:4]
    rows[55] = [*rows[55], "surplus"]
    rows[57] = list(rows[56])
    rows[59][PHONE] = rows[58][PHONE]
    return rows


def hostile_names() -> list[Row]:
    """30 real or merely odd names that pass, 10 that hide something and don't."""
    rows = clean(3001, 40)
    for row, (first, last) in zip(rows, REAL_NAMES, strict=False):
        row[1:3] = [first, last]
    for row, last in zip(rows[30:], HOSTILE_NAMES, strict=True):
        row[LAST] = last
    return rows


def accented(first: int) -> list[Row]:
    """10 rows whose names need more than ASCII."""
    rows = clean(first, 10)
    for row in rows:
        row[1:3] = ["José", "Müller"]
    return rows


def text(rows: list[Row], delimiter: str = ",", ending: str = "\n") -> str:
    """The rows as a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return out.getvalue()


def main(folder: Path) -> None:
    """Writes all samples into `folder`."""
    files = {
        "clean_20.csv": text(clean(1, 20)).encode(),
        "dirty_60.csv": text(dirty()).encode(),
        "every_outcome_30.csv": text(every_outcome()).encode(),
        "hostile_names_40.csv": text(hostile_names()).encode(),
        "semicolon_bom.csv": text(accented(4001), ";", "\r\n").encode("utf-8-sig"),
        "semicolon_cp1252.csv": text(accented(4101), ";", "\r\n").encode("cp1252"),
        "planted.json": (json.dumps(planted(), indent=2) + "\n").encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    pl.DataFrame(clean(1, 20), schema=list(HEADER), orient="row").write_parquet(folder / "clean_20.parquet")


def _customer(row: Row, *, key: int, **other: str) -> dict[str, str]:
    record = {
        "firstName": row[1],
        "lastName": row[LAST],
        "phone1": f"27{row[PHONE][1:]}",
        "email": f"planted.{key}@example.com",
        "nationalIdentityNumber": row[IDENTITY],
        "externalUniqueId": f"planted-{key:06d}",
    }
    return record | other


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
