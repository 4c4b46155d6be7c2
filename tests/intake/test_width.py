"""Files that are wider than any table of customers are refused at once, with the bound; wide ones below it are read."""

import time
import tracemalloc
from pathlib import Path

import polars as pl
import pytest

from jobs.errors import Unusable
from jobs.intake.preflight import preflight
from jobs.intake.width import MOST_CHARACTERS, MOST_COLUMNS

NAMES = ["first_name", "last_name", "phone", "email", "national_id"]
VALUES = ["Thandi", "Nkosi", "0821234567", "thandi@example.com", "9001015009086"]

SECONDS = 20.0
"""Of CPU, a hundred times what it takes: without the bound it was a minute and more."""


def wide(path: Path, more: list[str], delimiter: str = ",") -> Path:
    """A CSV of one row whose header goes on with `more`."""
    header, row = [*NAMES, *more], [*VALUES, *("" for _ in more)]
    path.write_text(f"{delimiter.join(header)}\n{delimiter.join(row)}\n", encoding="utf-8")
    return path


def refused(path: Path) -> str:
    """The sentence with which it is refused, within the time."""
    began = time.process_time()
    with pytest.raises(Unusable) as caught:
        preflight(path)
    assert time.process_time() - began < SECONDS
    return caught.value.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("count", [200_000, MOST_COLUMNS - len(NAMES) + 1])
def test_more_columns_than_a_table_has_are_refused_with_the_bound(tmp_path: Path, delimiter: str, count: int) -> None:
    path = wide(tmp_path / "wide.csv", [f"column {number}" for number in range(count)], delimiter)

    assert refused(path) == f"wide.csv has {count + 5:,} columns; at most 2,000 are read"


def test_a_hundred_thousand_columns_of_one_name_are_refused_at_once(tmp_path: Path) -> None:
    assert "100,005 columns" in refused(wide(tmp_path / "same.csv", ["name"] * 100_000))


def test_headers_that_nearly_are_the_required_ones_are_not_compared_by_the_thousand(tmp_path: Path) -> None:
    path = tmp_path / "near.csv"
    path.write_text(",".join(f"frst_nme{number}" for number in range(200_000)) + "\n1\n")

    assert "200,000 columns" in refused(path)


@pytest.mark.slow
def test_a_parquet_file_of_too_many_columns_is_refused_with_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    more = {f"c{number}": ["x"] for number in range(20_000)}
    pl.DataFrame({name: [value] for name, value in zip(NAMES, VALUES, strict=True)} | more).write_parquet(path)

    assert refused(path) == "wide.parquet has 20,005 columns; at most 2,000 are read"


@pytest.mark.parametrize("length", [MOST_CHARACTERS + 1, 60_000])
def test_a_name_that_is_no_name_is_refused_with_its_place(tmp_path: Path, length: int) -> None:
    csv_file, parquet = wide(tmp_path / "long.csv", ["x", "h" * length]), tmp_path / "long.parquet"
    columns = dict(zip(NAMES, VALUES, strict=True)) | {"x": "", "h" * length: ""}
    pl.DataFrame({name: [value] for name, value in columns.items()}).write_parquet(parquet)

    for path in (csv_file, parquet):
        assert refused(path) == (f"{path.name}: column 7 has a name of {length:,} characters; at most 1,000 are read")


def test_a_header_of_many_long_names_is_refused_by_its_length(tmp_path: Path) -> None:
    path = wide(tmp_path / "long.csv", ["h" * 5_000 + str(number) for number in range(1_900)])

    assert refused(path) == "long.csv, line 1: the header has more than 2,006,000 characters"


@pytest.mark.parametrize("ending", ["", "\n1,2\n"], ids=["no line end at all", "a row behind it"])
def test_one_huge_line_is_refused_before_it_is_read_to_its_end(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "line.csv"
    with path.open("w") as file:
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write(ending)

    assert "more than 16,777,216 characters" in refused(path)


def test_a_header_before_endless_lines_holds_no_more_of_them_than_a_header_may_have(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w") as file:
        file.write(",".join(NAMES) + "\n")
        for _ in range(40):
            file.write(",".join(VALUES) + "," + "z" * 3_000_000 + "\n")

    tracemalloc.start()
    said, peak = refused(path), tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert "line 2: a field is longer than 65,536 characters" in said
    assert peak < 60_000_000


def test_as_many_columns_as_are_allowed_are_read(tmp_path: Path) -> None:
    more = ["h" * MOST_CHARACTERS, *(f"c{number}" for number in range(MOST_COLUMNS - len(NAMES) - 1))]

    assert len(preflight(wide(tmp_path / "wide.csv", more)).header) == MOST_COLUMNS
