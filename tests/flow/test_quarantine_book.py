"""`quarantine.xlsx`: refused rows as text; corrected, saved as CSV and run again they keep their keys."""

import re
import zipfile
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from .muster import Muster, lines
from .people import Row, person, written

Filed = Callable[[list[Row]], Path]

ROWS = [
    person(1, "=cmd|'/c calc'!A0", row_ref="007", phone="1"),
    person(2),
    person(3, row_ref="'=quoted", phone="+27 1"),
]


def cells(path: Path) -> list[list[str]]:
    """The sheet as a spreadsheet shows it: rows of texts, and nothing that is computed."""
    with zipfile.ZipFile(path) as book:
        content = book.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search(r"<f[ >]|<v>", content)
    rows = re.findall(r"<row [^>]*>(.*?)</row>", content, re.DOTALL)
    found = [re.findall(r'<c r="([A-Z]+)\d+"[^>]*>.*?<t[^>]*>(.*?)</t>', row, re.DOTALL) for row in rows]
    width = len(found[0])
    named = [{place: unescape(text) for place, text in row} for row in found]
    return [[row.get(chr(65 + at), "") for at in range(width)] for row in named]


def test_refused_rows_go_out_and_come_back_with_the_same_keys(muster: Muster, file_of: Filed) -> None:
    first = muster("run", file_of(ROWS))
    assert first.outcomes == ["quarantined", "onboarded", "quarantined"]
    header, *rows = cells(first.folder / "quarantine.xlsx")
    assert header == lines_header(first.folder / "quarantine.csv")
    given = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["last_name"] for row in given] == [ROWS[0]["last_name"], ROWS[2]["last_name"]]
    assert all(row["_reasons"].startswith("run run-1, row ") for row in given)
    for row, number in zip(given, (1, 3), strict=True):
        row["phone"] = person(number)["phone"]
        row["last_name"] = "Nkosi"
    again = muster("run", written(muster.folder / "corrected.csv", given))
    assert again.outcomes == ["onboarded", "onboarded"]
    assert [row["external_unique_id"] for row in again.rows] == [first.rows[at]["external_unique_id"] for at in (0, 2)]
    assert [row["mended_from"] for row in again.rows] == ["run-1:1", "run-1:3"]


def lines_header(path: Path) -> list[str]:
    return list(lines(path)[0])


def test_there_is_no_workbook_without_the_library_and_nobody_is_told(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.reports.workbook.installed", lambda: False)
    ended = muster("run", file_of(ROWS))
    assert not (ended.folder / "quarantine.xlsx").exists()
    assert "xlsx" not in ended.stdout + ended.stderr
