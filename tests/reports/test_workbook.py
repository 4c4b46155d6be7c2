import re
import sys
import zipfile
from pathlib import Path

import pytest

from jobs.reports import workbook
from jobs.reports.advice import advice
from jobs.reports.folder import RunFolder

from .made import row, summary

FAILED = summary({"failed": 3, "onboarded": 2}, exit_code=1, next_command="muster retry x")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "r1")


def sheet(path: Path, number: int = 2) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_cells_are_text_without_formulas_or_links(folder: RunFolder) -> None:
    evil = ["=1+1", "+27821234567", "-2", "@x", "http://evil.example", "mailto:a@b.c", "{=SUM(A1)}", "007"]
    rows = [row(number, "failed", reason=text, row_ref=text) for number, text in enumerate(evil, start=1)]
    path = workbook.write_workbook(FAILED, rows, folder)
    content = sheet(path)
    assert not re.search(r"<f[ >]|<hyperlink|<v>", content)
    assert set(re.findall(r' t="(\w+)"', content)) == {"inlineStr"}
    assert "007" in content
    assert [name for name in zipfile.ZipFile(path).namelist() if "rels" in name and "sheet" in name] == []


def test_the_same_run_gives_the_same_bytes_and_leaves_nothing_beside_it(folder: RunFolder) -> None:
    rows = [row(1, "conflict", reason_code="phone_taken", reason="a\x1b\u202eb" + "x" * 40_000)]
    first = workbook.write_workbook(FAILED, rows, folder).read_bytes()
    assert workbook.write_workbook(FAILED, rows, folder).read_bytes() == first
    assert [path.name for path in folder.path.iterdir()] == ["report.xlsx"]
    assert "a\\u001b\\u202eb" in sheet(folder.path / "report.xlsx")
    assert advice("conflict", "phone_taken") in sheet(folder.path / "report.xlsx")


def test_its_first_sheet_sums_the_run_up(folder: RunFolder) -> None:
    content = sheet(workbook.write_workbook(FAILED, [row(1, "failed")], folder), 1)
    for words in ("3 of 5 rows need attention", "customers.csv", "muster retry x", advice("failed", "a_reason"), "yes"):
        assert words in content
    assert re.search(r"failed</t></is></c><c [^>]*><v>3</v>", content)
    assert not re.search(r"<f[ >]|<hyperlink", content)


def test_rows_beyond_the_most_are_said_to_be_elsewhere(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    rows = [row(number, "failed") for number in range(1, 5)]
    assert "More than 3 rows need attention" in sheet(workbook.write_workbook(FAILED, rows, folder))
    assert "More than" not in sheet(workbook.write_workbook(FAILED, rows[:3], folder))
    assert sheet(workbook.write_workbook(FAILED, [], folder)).count("<row ") == 1


def test_without_the_extra_it_is_known_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workbook.installed()
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    assert not workbook.installed()
