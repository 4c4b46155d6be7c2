"""Columns that no system knows: given back whole for mending, shown when named, else hashed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .muster import Muster, lines
from .people import Row, person, written

Filed = Callable[[list[Row]], Path]
OWN = {"since": "2023-11-14", "order": "ORD-20231114-0001", "pin": "4711", "api_token": "s3cr3t", "cvv": "123"}


def test_a_column_that_nobody_named_is_a_hash_in_reports_and_whole_in_the_quarantine(
    muster: Muster, file_of: Filed
) -> None:
    rows = [person(1) | OWN, person(2) | OWN | {"pin": "4712"}, person(3, phone="1") | OWN]
    path = file_of(rows)
    first, second = muster("run", path), muster("run", path)
    outcome = lines(first.folder / "outcome.csv")
    assert not {*OWN} & {*outcome[0]}
    hashes = [line["echo_hash"] for line in outcome]
    assert hashes[0] == hashes[2] != hashes[1]
    assert hashes == [line["echo_hash"] for line in lines(second.folder / "outcome.csv")]
    for file in first.folder.iterdir():
        if file.name not in ("quarantine.csv", "report.xlsx"):
            content = file.read_bytes()
            assert b"s3cr3t" not in content, file
            assert b"ORD-2023" not in content, file
    [refused] = lines(first.folder / "quarantine.csv")
    assert {name: refused[name] for name in OWN} == OWN


def test_a_named_column_is_shown_as_it_is_but_for_what_is_the_rows_own(muster: Muster, file_of: Filed) -> None:
    number = person(1)["national_id"]
    path = file_of([person(1) | OWN | {"note": f"id {number}"}, person(2) | OWN | {"note": "a remark"}])
    ended = muster("run", path, "--echo", "since, Order,note")
    outcome = lines(ended.folder / "outcome.csv")
    assert [line["since"] for line in outcome] == [OWN["since"]] * 2
    assert [line["order"] for line in outcome] == [OWN["order"]] * 2
    assert [line["note"] for line in outcome] == ["*" * len(f"id {number}"), "a remark"]
    assert "pin" not in outcome[0]
    assert outcome[0]["echo_hash"]


def test_a_table_of_muster_toml_names_them_too(muster: Muster, file_of: Filed) -> None:
    with (muster.folder / "muster.toml").open("a") as file:
        file.write("\n[echo]\nsince = true\norder = false\n")
    ended = muster("run", file_of([person(1) | OWN]))
    [line] = lines(ended.folder / "outcome.csv")
    assert line["since"] == OWN["since"]
    assert "order" not in line


def test_a_secret_is_not_shown_even_when_named(muster: Muster, file_of: Filed) -> None:
    for name in ("pin", "api_token", "cvv", "one-time otp", "userPassword"):
        ended = muster("run", file_of([person(1) | OWN]), "--echo", f"since,{name}")
        assert ended.code == 2
        assert "the name of a secret" in ended.stderr


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
def test_a_column_without_a_name_is_told_and_kept(muster: Muster, index: str) -> None:
    rows = [{index: "0"} | person(1), {index: "1"} | person(2, phone="1")]
    path = written(muster.folder / "customers.csv", rows)
    checked, ended = muster("validate", path), muster("run", path)
    assert "column 1 has no name" in checked.stdout
    assert "column 1 has no name" in ended.stderr
    assert lines(ended.folder / "quarantine.csv")[0][index] == "1"


def test_columns_with_names_are_not_spoken_of(muster: Muster, file_of: Filed) -> None:
    assert "has no name" not in muster("validate", file_of([person(1) | OWN])).stdout
