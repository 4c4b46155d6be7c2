"""A table for muster.toml, ready to paste, where required columns are missing."""

import tomllib
from pathlib import Path

import pytest

from jobs.errors import Unusable

from .split import person, split
from .written import read, rows


def proposed(folder: Path, content: str) -> dict[str, str]:
    with pytest.raises(Unusable, match="required columns are missing") as refused:
        read(folder, content)
    hint = refused.value.hint or ""
    assert "put it into muster.toml" in hint
    return tomllib.loads(hint[hint.index("[columns]") :])["columns"]


@pytest.mark.parametrize(
    "header",
    [
        "Vorname,Nachname,Handy,E-Mail,Ausweis",
        "Prénom,Surname,Cell Number,Mail,ID Number",
        '"Given ""Name""",Last,x,y,z',
    ],
)
def test_a_table_is_guessed_from_headers_and_contents_and_works(tmp_path: Path, header: str) -> None:
    content = rows(person(), person(phone="0821234568", national_id="A1234567"), header=header)
    table = proposed(tmp_path, content)
    again = table | ({'Given "Name"': "first_name"} if "Given" in header else {})
    assert len(split(tmp_path, content, {"columns": again}).good) == 2


def test_only_what_is_missing_and_free_is_proposed(tmp_path: Path) -> None:
    table = proposed(
        tmp_path, rows(person() + ",0821234567", header="first_name,last_name,phone,contact,national_id,other")
    )
    assert table == {"contact": "email"}


def test_no_value_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Unusable) as refused:
        read(tmp_path, rows(person(), header="a,b,c,d,e"))
    assert "Thandi" not in f"{refused.value} {refused.value.hint}"
    assert "9001015009086" not in f"{refused.value} {refused.value.hint}"


def test_without_an_idea_the_schema_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable) as refused:
        read(tmp_path, rows("x,y", header="p,q"))
    assert refused.value.hint == "muster schema eclipse shows the columns"
