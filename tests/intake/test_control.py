"""The sender's control record: what agrees goes on, what differs is named and stops everything."""

import json
from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.intake.control import ControlRecord, control_record, identity_total
from jobs.intake.preflight import preflight
from jobs.intake.stage import Staged, stage

IDS = ["8001015009087", "9902025009 08-6", "", "A1234567"]
HEADER = ["first_name", "last_name", "phone", "email", "national_id"]
TOTAL = (8001015009087 + 9902025009086 + 1234567) % 10**12


@pytest.fixture
def staged(tmp_path: Path) -> Staged:
    path = tmp_path / "customers.csv"
    path.write_text(",".join(HEADER) + "\n" + "".join(f"N,N,1,n@example.com,{number}\n" for number in IDS))
    return stage(preflight(path), tmp_path)


def written(staged: Staged, name: str = "customers.csv.control.json", **stated: object) -> Path:
    path = staged.file.path.with_name(name)
    path.write_text(json.dumps(stated))
    return path


def found(staged: Staged) -> ControlRecord | None:
    return control_record(staged, None)


def test_no_record_is_no_harm(staged: Staged) -> None:
    assert found(staged) is None


def test_the_total_is_over_digits_whatever_stands_between_them(staged: Staged) -> None:
    assert identity_total(staged) == TOTAL


def test_a_record_that_agrees_is_found_beside_the_file(staged: Staged) -> None:
    path = written(staged, rows=4, sha256=staged.file.sha256, hash_total_national_id=TOTAL, columns=HEADER)
    record = found(staged)
    assert record is not None
    assert record.facts()["compared"] == ["columns", "hash_total_national_id", "rows", "sha256"]
    assert str(TOTAL) not in json.dumps(record.facts())
    path.unlink()
    staged.file.path.with_name("customers.csv.control.toml").write_text("rows = 4\n")
    assert found(staged) is not None


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"rows": 5}, ["rows", "5", "4"]),
        ({"sha256": "ab" * 32}, ["sha256", "ab" * 32]),
        ({"hash_total_national_id": TOTAL + 1}, ["hash_total_national_id", "expected", "seen"]),
        ({"columns": HEADER[::-1]}, [",".join(HEADER), ",".join(HEADER[::-1])]),
        ({"rows": 5, "columns": []}, ["rows", "columns"]),
    ],
)
def test_what_differs_is_named_expected_and_seen(staged: Staged, stated: dict[str, object], words: list[str]) -> None:
    written(staged, **stated)
    with pytest.raises(Unusable) as caught:
        found(staged)
    assert [word for word in words if word not in caught.value.message] == []
    assert str(TOTAL) not in caught.value.message


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"rows": "4"}', '{"rows": true}', '{"row": 4}', "[" * 99999])
def test_a_record_that_says_nothing_clear_is_refused(staged: Staged, content: str) -> None:
    staged.file.path.with_name("customers.csv.control.json").write_text(content)
    with pytest.raises(Unusable):
        found(staged)


def test_two_records_need_one_to_be_named(staged: Staged) -> None:
    path = written(staged, rows=4)
    staged.file.path.with_name("customers.csv.control.toml").write_text("rows = 4\n")
    with pytest.raises(Unusable):
        found(staged)
    assert control_record(staged, path) is not None


def test_a_named_record_has_to_exist(staged: Staged, tmp_path: Path) -> None:
    with pytest.raises(Unusable):
        control_record(staged, tmp_path / "none.json")
