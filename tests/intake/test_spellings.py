"""Dates and words as the file writes them, where muster.toml says how."""

from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.settings.precedence import settings

from .split import person, split
from .written import HEADER, read, rows

DATED = HEADER + ",date_of_birth,gender"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("DD/MM/YYYY", "31/12/1990"),
        ("DD.MM.YYYY", "31.12.1990"),
        ("MM-DD-YYYY", "12-31-1990"),
        ("YYYYMMDD", "19901231"),
        ("DD/MM/YYYY", "1990-12-31"),
        ("DD MM YYYY", " 31 12 1990 "),
    ],
)
def test_a_declared_format_is_read(tmp_path: Path, form: str, text: str) -> None:
    found = split(tmp_path, rows(person() + f",{text},M", header=DATED), {"dates": {"date_of_birth": form}})
    assert found.good[1]["date_of_birth"] == "1990-12-31"


@pytest.mark.parametrize("text", ["12/31/1990", "31/12/90", "31/12/1990 x", "31-12-1990", "30/02/1990"])
def test_what_has_another_format_is_refused_as_before(tmp_path: Path, text: str) -> None:
    found = split(tmp_path, rows(person() + f",{text},M", header=DATED), {"dates": {"date_of_birth": "DD/MM/YYYY"}})
    assert found.bad == {1: "date_invalid:date_of_birth"}


def test_without_a_format_nothing_is_guessed(tmp_path: Path) -> None:
    assert split(tmp_path, rows(person() + ",31/12/1990,M", header=DATED)).bad == {1: "date_invalid:date_of_birth"}


@pytest.mark.parametrize("form", ["DD/MM/YY", "DD/MM", "DD/DD/YYYY", "%d/%m/%Y", "DDMMYYYY%", "MMM DD YYYY", ""])
def test_a_format_that_leaves_something_open_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(Unusable, match=r"\[dates\] date_of_birth"):
        read(tmp_path, rows(person()), dates={"date_of_birth": form})  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["Male", "male", " MALE "])
def test_words_mean_what_they_are_said_to_mean(tmp_path: Path, word: str) -> None:
    values = {"gender.Male": "M", "gender.Female": "F", "other_system.x": "y"}
    found = split(tmp_path, rows(person() + f",,{word}", header=DATED), {"values": values})
    assert found.good[1]["gender"] == "M"


def test_other_words_stay_and_are_judged(tmp_path: Path) -> None:
    content = rows(person() + ",,f", person(phone="0821234568", national_id="A123456") + ",,Woman", header=DATED)
    found = split(tmp_path, content, {"values": {"gender.Male": "M"}})
    assert found.good[1]["gender"] == "F"
    assert found.bad == {2: "value_invalid:gender"}


def test_muster_toml_says_it_and_a_run_keeps_it(tmp_path: Path) -> None:
    config = tmp_path / "muster.toml"
    config.write_text('[dates]\ndate_of_birth = "DD/MM/YYYY"\n[values.gender]\nMale = "M"\n"No. 2" = "F"\n')
    found = settings({}, config=config, environ={})
    assert found.dates == {"date_of_birth": "DD/MM/YYYY"}
    assert found.values == {"gender.Male": "M", "gender.No. 2": "F"}
    (tmp_path / "empty.toml").write_text("")
    again = settings({}, config=tmp_path / "empty.toml", environ={}, recorded=found.shown())
    assert (again.dates, again.values) == (found.dates, found.values)


@pytest.mark.parametrize(
    "text", ["dates = 1", "[dates]\ndate_of_birth = 1", "[values]\ngender = 1", "[values.gender]\nMale = 1"]
)
def test_other_tables_are_refused(tmp_path: Path, text: str) -> None:
    config = tmp_path / "muster.toml"
    config.write_text(text + "\n")
    with pytest.raises(Unusable):
        settings({}, config=config, environ={})
