"""Numbers of people in the names of files are masked; dates, times and counters are not; the file is found again."""

from pathlib import Path

import pytest

from jobs.privacy.file_names import found, is_shown_as, shown


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("8001015009087.csv", "***********87.csv"),
        ("800101 5009-087 old.csv", "*************87 old.csv"),
        ("８００１０１５００９０８７.csv", "***********87.csv"),
        ("/in/0821234567/c.csv", "/in/********67/c.csv"),
        ("thandi@example.com.csv", "t***@example.com.csv"),
        ("1901015009087.csv", "***********87.csv"),
    ],
)
def test_a_number_of_a_person_is_masked(name: str, told: str) -> None:
    assert shown(name) == told


@pytest.mark.parametrize(
    "name", ["customers-20261129.csv", "2026-11-29_021500-part-00012.csv", "20261129 0215.csv", "runs/10000000.csv"]
)
def test_what_names_of_files_are_made_of_stays(name: str) -> None:
    assert shown(Path(name)) == name


def test_the_file_is_found_by_its_masked_name_when_it_is_the_only_one(tmp_path: Path) -> None:
    file = tmp_path / "8001015009087.csv"
    file.touch()
    recorded = tmp_path / shown(file.name)
    assert found(recorded) == file
    assert is_shown_as(file.name, str(recorded))
    (tmp_path / "7001015009187.csv").touch()
    assert found(recorded) == recorded
