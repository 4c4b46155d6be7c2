"""What a spreadsheet did to a file: refused where it is sure, warned of where it may be, never taken for a value."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from jobs.cli import cli
from schemas.identity_numbers import rightly_checked, zeros_restored
from tests.flow.people import identity_number

from .split import one, person, split
from .written import HEADER, rows, written

LOST = "407255000082"
"""0407255000082, of somebody born on 25 July 2004, without its zero."""


LEFT = ("9.00101E+12", "9,00101E+12", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#BEZUG!", "#NV", "####", "\\N")
"""What a spreadsheet shows in the place of a value."""


@pytest.mark.parametrize("column", ["national_id", "phone", "last_name", "email"])
def test_what_a_spreadsheet_left_is_refused_as_that(tmp_path: Path, column: str) -> None:
    found = split(tmp_path, rows(*(other(number, **{column: f'"{value}"'}) for number, value in enumerate(LEFT, 1))))
    assert found.bad == dict.fromkeys(range(1, len(LEFT) + 1), f"spreadsheet:{column}")
    for told in found.why.values():
        assert "a spreadsheet made of another value; format the column as text in the source" in told


def other(number: int, **values: str) -> str:
    """One line of somebody whom no other line is about."""
    own = {"phone": f"08212345{number:02}", "email": f"thandi.{number}@example.com"}
    return person(**(own | {"national_id": identity_number(number)} | values))


def test_a_reference_in_scientific_notation_is_refused(tmp_path: Path) -> None:
    found = split(tmp_path, rows(person() + ",1.00002E+11", header=HEADER + ",row_ref"))
    assert found.bad == {1: "spreadsheet:row_ref"}


@pytest.mark.parametrize("value", ["4E12", "#12", "A#1", "1E5B"])
def test_a_reference_that_only_looks_odd_stays(tmp_path: Path, value: str) -> None:
    found = split(tmp_path, rows(person() + f",{value}", header=HEADER + ",row_ref"))
    assert found.good[1]["row_ref"] == value


def test_an_identity_number_that_provably_lost_its_zeros_is_refused(tmp_path: Path) -> None:
    assert pl.select(rightly_checked(pl.lit("0" + LOST))).item()
    found = one(tmp_path, national_id=LOST)
    assert found.bad == {1: "spreadsheet:national_id"}
    assert LOST not in found.why[1]


def test_zeros_come_back_when_that_is_asked_for(tmp_path: Path) -> None:
    found = split(tmp_path, rows(person(national_id=LOST)), restore_zeros=True)
    assert found.good[1]["national_id"] == "0" + LOST
    assert found.notes[1] == "zeros_restored:national_id"


def test_zeros_belong_to_one_region(tmp_path: Path) -> None:
    found = split(tmp_path, rows(person(national_id=LOST, phone="+27821234567")), region="KE")
    assert (found.bad, found.notes) == ({}, {1: ""})


def test_a_shorter_number_that_proves_nothing_is_a_warning(tmp_path: Path) -> None:
    found = one(tmp_path, national_id="407255000083")
    assert (found.bad, found.notes) == ({}, {1: "leading_zeros_lost:national_id"})


@pytest.mark.parametrize("born", [date(2000, 1, 1), date(2000, 12, 31), date(2009, 10, 9), date(2004, 2, 29)])
def test_everybody_born_from_2000_to_2009_is_found_again(born: date) -> None:
    whole = [f"{born:%y%m%d}500008{digit}" for digit in range(10)]
    whole = pl.Series(whole).to_frame("n").filter(rightly_checked(pl.col("n")))["n"].to_list()
    assert len(whole) == 1
    short = whole[0].lstrip("0")
    assert 10 <= len(short) <= 12
    assert zeros_restored(pl.Series([None, short, "A123"])).to_list() == [None, whole[0], None]


@pytest.mark.parametrize("word", ["NULL", "Null", "None", "NA", "N/A", "nan"])
def test_a_word_for_nothing_may_be_a_surname(tmp_path: Path, word: str) -> None:
    found = one(tmp_path, last_name=word)
    assert found.good[1]["last_name"] == word
    assert "null_word:last_name" in found.notes[1].split(";")


@pytest.mark.parametrize("word", ["Nulliah", "Nana", "Nonet"])
def test_names_that_begin_so_are_names(tmp_path: Path, word: str) -> None:
    assert one(tmp_path, last_name=word).notes[1] == ""


def test_validate_shows_every_warning_by_name_count_and_rows(tmp_path: Path) -> None:
    people = [
        person(last_name="Null", national_id="407255000083"),
        person(phone="0821234568", email="a.b@example.com", national_id="A12345", last_name="NA"),
    ]
    path = written(tmp_path, rows(*people))
    arguments = ["validate", str(path), "--out", str(tmp_path / "runs")]
    text = CliRunner().invoke(cli, arguments)
    assert text.exit_code == 0, text.output
    assert "        2  warning null_word:last_name: last_name is a word for nothing" in text.stdout
    assert "(rows 1, 2)" in text.stdout
    assert "        1  warning leading_zeros_lost:national_id" in text.stdout
    document = CliRunner().invoke(cli, [*arguments, "--output", "json"]).stdout
    assert '"null_word:last_name": 2' in document
    assert "407255000083" not in text.stdout + document
