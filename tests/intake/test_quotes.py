"""Quotes in the wrong place: nothing is guessed, and no column is shifted unseen."""

from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.intake.preflight import preflight
from jobs.intake.records import stray_quote

from .split import one, person, split
from .written import HEADER, rows, written

GOOD = [person(phone=f"08212345{number:02}", national_id=f"A12345{number}") for number in range(4)]


@pytest.mark.parametrize(
    ("name", "column"),
    [(' "Nkosi"', "last_name"), ('Nk"osi', "last_name"), ('Nkosi "Junior"', "last_name"), ('Nkosi"', "last_name")],
)
def test_a_quote_inside_a_field_that_begins_without_one_refuses_the_row(tmp_path: Path, name: str, column: str) -> None:
    found = split(tmp_path, rows(*GOOD, person(last_name=name)))
    assert found.bad == {5: f"quoting:{column}"}
    assert found.why[5].startswith("line 6: last_name has a quotation mark in a field that does not begin with one")
    assert len(found.good) == 4


def test_a_quote_that_shifts_the_columns_is_no_customer(tmp_path: Path) -> None:
    shifted = 'Anna,Botha"12 Kloof Road, Paarl",0821234567,anna@example.com'
    found = split(tmp_path, rows(*GOOD, shifted))
    assert found.bad == {5: "quoting:last_name"}
    assert list(found.good) == [1, 2, 3, 4]


def test_a_quote_in_a_column_that_nobody_knows_is_named_by_its_place(tmp_path: Path) -> None:
    good = [f"{row},-" for row in GOOD]
    found = split(tmp_path, rows(*good, person() + ',6" pipe', header=HEADER + ",note"))
    assert found.bad == {5: "quoting:column_6"}


def test_a_file_written_with_blanks_before_its_quotes_is_refused_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, rows(*[person(last_name=' "Botha"')] * 3))
    with pytest.raises(Unusable, match=r"line 2: 'last_name' has a quotation mark .* 3 of 3 rows") as refused:
        preflight(path)
    assert refused.value.hint is not None
    assert "no blank between delimiter and quote" in refused.value.hint


def test_a_header_written_so_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, rows(*GOOD, header=HEADER.replace(",last_name", ', "last_name"')))
    with pytest.raises(Unusable, match=r"line 1: the header's column 2 has a quotation mark"):
        preflight(path)


def test_rightly_quoted_fields_are_as_before(tmp_path: Path) -> None:
    found = split(tmp_path, rows('"Thandi ""Tee"" M",' + person().partition(",")[2]))
    assert found.good[1]["first_name"] == 'Thandi "Tee" M'
    assert found.notes[1] == ""


@pytest.mark.parametrize(
    "name", ["'Anna'", '"""Anna"""', "«Anna»", "“Anna”", "`Anna`", "„Anna“", '"""Anna"', "＂Anna＂"]
)
def test_a_name_in_quotes_of_any_kind_is_a_warning(tmp_path: Path, name: str) -> None:
    found = one(tmp_path, first_name=name)
    assert "quoted:first_name" in found.notes[1].split(";")


@pytest.mark.parametrize("name", ["'t Hart", "D'Arcy", "O’Neil", "Nkosi'", "Ng'eno"])
def test_an_apostrophe_is_no_quote(tmp_path: Path, name: str) -> None:
    assert one(tmp_path, last_name=name).notes[1] == ""


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ('a,"b""c",d\r\n', 0),
        ('a, "b"\n', 2),
        ('a,b"\n', 2),
        ("a,b,c", 0),
        ('"",""\n', 0),
        ('a,"b"', 0),
        ('"a",b"c",d\n', 2),
    ],
)
def test_the_place_of_a_stray_quote(record: str, place: int) -> None:
    assert stray_quote(record, ",") == place
