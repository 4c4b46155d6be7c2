"""`quarantine.csv` gives back what came in, and judges the same when it comes in again."""

import csv
import stat
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.intake.preflight import preflight
from jobs.intake.quarantine import write_quarantine
from jobs.intake.stage import Staged, stage
from jobs.intake.validate import validate
from jobs.keys import KeySpace

from .oracle.corrupt import corrupted
from .oracle.rows import COLUMNS
from .test_judge import staged_rows
from .written import HEADER, ROW, rows, staged


def quarantine(found: Staged, name: str = "quarantine.csv") -> Path:
    folder = found.path.parent
    result = validate(found, folder, keys=KeySpace.of("eclipse", "1"), today=date(2026, 11, 21))
    write_quarantine(found, result.quarantined, folder / name)
    return folder / name


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


def test_values_come_back_as_they_came(tmp_path: Path) -> None:
    cells = corrupted(2000, 31, COLUMNS)
    header, *found = table(quarantine(staged_rows(tmp_path, cells)))
    given = [[row[column] for column in COLUMNS] for row in cells]

    assert header == [*COLUMNS, "_reasons"]
    kept = pl.read_parquet(tmp_path / "quarantined.parquet")
    assert [row[:-1] for row in found] == [given[number - 1] for number in kept["source_row"]]
    assert [row[-1] for row in found] == kept["reason_code"].to_list()


def test_fed_back_unchanged_it_gives_the_same(tmp_path: Path) -> None:
    ragged = ["Anna,Smith", "", ROW + ',x,"y,z"', ROW, ROW.replace("Thandi", "Anna"), ROW.replace("Nkosi", "")]
    first = quarantine(staged(tmp_path, rows(*ragged, header=HEADER)))
    (tmp_path / "again").mkdir()
    second = quarantine(stage(preflight(first), tmp_path / "again"))

    assert table(second) == table(first)
    assert [row[-2:] for row in table(first)[:3]] == [
        ["_surplus", "_reasons"],
        ["-3", "column_count:_surplus"],
        ['["x","y,z"]', "column_count:_surplus"],
    ]


def test_a_mended_row_passes(tmp_path: Path) -> None:
    path = quarantine(staged(tmp_path, rows(ROW.replace("Nkosi", ""), "x")))
    header, bad, _ = table(path)
    path.write_text("\n".join(",".join(row) for row in (header, [bad[0], "Nkosi", *bad[2:]])), encoding="utf-8")
    result = validate(stage(preflight(path), tmp_path), tmp_path, keys=KeySpace.of("e", "1"), today=date(2026, 11, 21))

    assert (result.accepted_rows, result.quarantined_rows) == (1, 0)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_delimiter_of_the_input_stays(tmp_path: Path, delimiter: str) -> None:
    path = quarantine(staged(tmp_path, rows("a,b,c,d,e").replace(",", delimiter).encode("utf-8-sig")))

    assert path.read_bytes().startswith(b"\xef\xbb\xbffirst_name" + delimiter.encode())
    assert table(path, delimiter)[1][:5] == list("abcde")


def test_it_is_private_and_an_old_one_survives_a_failure(tmp_path: Path) -> None:
    found = staged(tmp_path, rows("a,b,c,d,e"))
    path = quarantine(found)
    before = path.read_bytes()
    with pytest.raises(OSError, match="No such file"):
        write_quarantine(found, tmp_path / "nowhere.parquet", path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".quarantine*"))
