import csv
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from jobs.errors import MusterError, Unproven
from jobs.evidence.compare_tables import reread
from jobs.reports.folder import RunFolder
from jobs.reports.outcome import write_outcome
from jobs.reports.reconciliation import write_reconciliation
from schemas.outcome import OUTCOME_SCHEMA
from schemas.reconciliation import RECONCILIATION_SCHEMA

from .made import break_frame, frame, row


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "r1")


def lines(folder: RunFolder, name: str = "outcome.csv") -> list[dict[str, str]]:
    with (folder.path / name).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, strict=True))


def test_windows_become_one_table_in_input_order(folder: RunFolder) -> None:
    count = write_outcome([frame([row(1), row(2, "conflict")]), frame([row(7)]), frame([])], folder)
    assert [line["source_row"] for line in lines(folder)] == ["1", "2", "7"]
    table = pl.read_parquet(folder.path / "outcome.parquet")
    assert dict(table.schema) == OUTCOME_SCHEMA
    assert table["outcome"].to_list() == ["onboarded", "conflict", "onboarded"]
    assert (count.rows, dict(count.outcomes)) == (3, {"onboarded": 2, "conflict": 1})


def test_the_header_is_the_contract_letter_by_letter(folder: RunFolder) -> None:
    write_outcome([], folder)
    assert (folder.path / "outcome.csv").read_bytes() == (",".join(OUTCOME_SCHEMA) + "\n").encode()
    assert pl.read_parquet(folder.path / "outcome.parquet").height == 0


def test_text_is_quoted_and_guarded_in_the_csv_and_raw_in_the_parquet(folder: RunFolder) -> None:
    evil = '=cmd|" /C calc"!A0\r\nx;\x1b[31m'
    write_outcome([frame([row(1, reason=evil, row_ref="")])], folder)
    text = (folder.path / "outcome.csv").read_text("utf-8")
    assert text.count("\n") == 2
    assert text.splitlines()[1].startswith('1,"",,"onboarded"')
    assert lines(folder)[0]["reason"] == '\'=cmd|" /C calc"!A0\\u000d\\u000ax;\\u001b[31m'
    assert pl.read_parquet(folder.path / "outcome.parquet")["reason"].to_list() == [evil]


def test_named_columns_are_guarded_against_spreadsheets(folder: RunFolder) -> None:
    rows = [row(1) | {"=branch": "-Cape Town", "note": "=1+1"}]
    write_outcome([frame(rows)], folder)
    [line] = lines(folder)
    assert line["'=branch"] == "'-Cape Town"
    assert line["note"] == "'=1+1"


def test_what_was_written_is_counted(folder: RunFolder) -> None:
    rows = [
        row(1, "quarantined", reason_code="missing:email;phone_invalid:phone"),
        row(2, "quarantined", reason_code="missing:email", warnings="name_length;national_id_check_digit"),
        row(3, "onboarded", warnings="name_length"),
    ]
    count = write_outcome([frame(rows[:1]), frame(rows[1:])], folder)
    assert count.causes == {("quarantined", "missing:email"): 2, ("quarantined", "phone_invalid:phone"): 1}
    assert count.warnings == {"name_length": 2, "national_id_check_digit": 1}


@pytest.mark.parametrize("numbers", [[1, 1], [2, 1], [0], [None], [1, 2, 2, 3]])
def test_a_row_twice_or_out_of_order_stops_the_report(folder: RunFolder, numbers: list[int | None]) -> None:
    rows = [row(1) | {"source_row": number} for number in numbers]
    with pytest.raises(Unproven, match="out of order"):
        write_outcome([frame([each]) for each in rows], folder)
    assert list(folder.path.iterdir()) == []


def test_a_row_without_a_known_outcome_stops_the_report(folder: RunFolder) -> None:
    with pytest.raises(Unproven, match="1 rows have no known outcome"):
        write_outcome([frame([row(1), row(2, "fine")])], folder)
    assert list(folder.path.iterdir()) == []


def test_a_failing_source_leaves_the_earlier_report_whole(folder: RunFolder) -> None:
    write_outcome([frame([row(1)])], folder)
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    with pytest.raises(Unproven):
        write_outcome([frame([row(1)]), frame([row(1)])], folder)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


def test_windows_with_other_columns_are_refused(folder: RunFolder) -> None:
    with pytest.raises(MusterError, match="other columns than the file: branch"):
        write_outcome([frame([row(1)]), frame([row(2) | {"branch": "x"}])], folder)
    with pytest.raises(MusterError, match="trace_id"):
        write_outcome([frame([row(1)]).drop("trace_id")], folder)


def test_reconciliation_has_its_header_and_counts_its_classes(folder: RunFolder) -> None:
    count = write_reconciliation([break_frame(["match", "match"]), break_frame(["missing_in_target"])], folder)
    assert count == {"match": 2, "missing_in_target": 1}
    assert list(lines(folder, "reconciliation.csv")[0]) == list(RECONCILIATION_SCHEMA)
    assert sum(window.height for window in reread(folder.path, "reconciliation")) == 3


def test_an_unknown_class_stops_the_reconciliation(folder: RunFolder) -> None:
    with pytest.raises(Unproven, match="no known class"):
        write_reconciliation([break_frame(["MATCH"])], folder)
    assert list(folder.path.iterdir()) == []


GROWTH = """
import resource, sys
from pathlib import Path
from jobs.reports.folder import RunFolder
from jobs.reports.outcome import write_outcome
import polars as pl
from schemas.outcome import OUTCOME_SCHEMA
counted = pl.col("source_row").cast(pl.String)
def window(start):
    rows = pl.DataFrame({"source_row": range(start + 1, start + 25_001)}, schema={"source_row": pl.Int64})
    cells = {name: name + "-" + counted if kind == pl.String else pl.lit(3) for name, kind in OUTCOME_SCHEMA.items()}
    fixed = {"outcome": pl.lit("onboarded")} | dict.fromkeys(("warnings", "reason_code", "failed_step"), pl.lit(None))
    return rows.with_columns(**(cells | fixed | {"source_row": "source_row", "note": pl.lit("call 0821234567")}))
count = write_outcome((window(s) for s in range(0, int(sys.argv[2]), 25_000)), RunFolder.create(Path(sys.argv[1])))
assert count.rows == int(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(path: Path, rows: int) -> int:
    """Peak memory in MiB of a process that writes `rows` rows."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(path), str(rows)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    small, large = peak(tmp_path / "small", 100_000), peak(tmp_path / "large", 1_000_000)
    assert large < small + 200, f"{small} MiB for 100,000 rows, {large} MiB for 1,000,000"


def test_where_rows_ended_is_counted_for_every_row(tmp_path: Path) -> None:
    count = write_outcome([frame([row(number) for number in range(1, 8)])], RunFolder.create(tmp_path / "run"))

    assert sum(count.ends.values()) == count.rows == 7
