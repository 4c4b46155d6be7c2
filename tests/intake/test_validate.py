"""The split of a whole file: nothing lost, nothing twice, nothing shown."""

import stat
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.errors import MusterError, Unusable
from jobs.intake.preflight import preflight
from jobs.intake.stage import Staged, stage
from jobs.intake.validate import QUARANTINED_SCHEMA, Validated, validate
from jobs.keys import KeySpace

from .oracle.corrupt import corrupted
from .oracle.rows import COLUMNS
from .test_judge import staged_rows
from .written import HEADER, ROW, rows, staged

KEYS = KeySpace.of("eclipse", "1001")
TODAY = date(2026, 11, 21)


def validated(found: Staged, **options: object) -> Validated:
    return validate(found, found.path.parent, keys=KEYS, today=TODAY, **options)  # type: ignore[arg-type]


def reasons(result: Validated) -> dict[int, str]:
    return dict(pl.read_parquet(result.quarantined).select("source_row", "reason_code").iter_rows())


def test_every_row_ends_on_one_side_whatever_the_window(tmp_path: Path) -> None:
    found = staged_rows(tmp_path, corrupted(1000, 21, COLUMNS))
    sides = []
    for window in (230, 1000, 3333):
        result = validated(found, window=window)
        sides.append((pl.read_parquet(result.accepted), pl.read_parquet(result.quarantined)))
        both = pl.concat([side["source_row"] for side in sides[-1]])
        assert sorted(both) == list(range(1, 1001))
        assert result.accepted_rows + result.quarantined_rows == result.rows == 1000

    assert all(side[0].equals(sides[0][0]) and side[1].equals(sides[0][1]) for side in sides)
    assert sides[0][0]["source_row"].is_sorted()
    assert sides[0][1].schema == QUARANTINED_SCHEMA


def test_reports_hold_no_whole_identity_number_or_phone(tmp_path: Path) -> None:
    bad = "9001015009086,Nkosi\u200b,+27821234567,nobody,9001015009086,9001015009086,27821234567"
    twin = "A,B,+27821234567,a@example.com,9001015009086,9001015009086,cust-27821234567"
    ragged = "9001015009086,9001015009086"
    content = rows(bad, twin, twin, ragged, header=HEADER + ",row_ref,external_unique_id")
    table = pl.read_parquet(validated(staged(tmp_path, content)).quarantined)

    assert table.height == 3
    text = table.write_csv()
    assert "9001015009086" not in text
    assert "821234567" not in text


def test_all_reasons_of_a_row_are_named_with_its_line(tmp_path: Path) -> None:
    result = validated(staged(tmp_path, rows('"two', 'lines",,12,x,')))
    row = pl.read_parquet(result.quarantined).row(0, named=True)

    assert row["reason_code"].split(";") == [
        "name_invalid:first_name",
        "missing:last_name",
        "phone_invalid:phone",
        "email_invalid:email",
        "missing:national_id",
    ]
    assert row["reason"].startswith("line 2: first_name holds a control or invisible character; last_name is missing; ")
    assert result.reasons["missing:last_name"] == 1


def test_a_ragged_row_says_only_that(tmp_path: Path) -> None:
    result = validated(staged(tmp_path, rows("Anna,Smith", "", ROW, ROW + ",x")))

    assert reasons(result) == dict.fromkeys((1, 3), "column_count:_surplus")


def test_identical_rows_keep_the_first(tmp_path: Path) -> None:
    result = validated(staged(tmp_path, rows(ROW, ROW.replace("0821234567", "+27 82 123 4567"), ROW)))

    assert pl.read_parquet(result.accepted)["source_row"].to_list() == [1]
    assert set(reasons(result).values()) == {"duplicate_in_file:external_unique_id"}
    assert "line 2 too" in pl.read_parquet(result.quarantined)["reason"][0]


def test_rows_that_differ_are_all_quarantined(tmp_path: Path) -> None:
    other = ROW.replace("9001015009086", "8001015009087")
    alone = ROW.replace("9001015009086", "7001015009088").replace("0821234567", "0831234567")
    result = validated(staged(tmp_path, rows(ROW, alone, other)), window=1)

    assert reasons(result) == {1: "duplicate_in_file:phone", 3: "duplicate_in_file:phone"}


def test_rows_refused_already_are_nobodys_duplicate(tmp_path: Path) -> None:
    result = validated(staged(tmp_path, rows(ROW, ROW.replace("Nkosi", ""))))

    assert pl.read_parquet(result.accepted)["source_row"].to_list() == [1]


def test_the_sample_identity_of_the_vendor_is_a_warning(tmp_path: Path) -> None:
    vendor = ROW.replace("9001015009086", "9001015009087")
    found = staged(tmp_path, rows(vendor))
    lenient, strict = validated(found), validated(found, strict_ids=True)

    assert (lenient.accepted_rows, lenient.warnings) == (1, 1)
    assert strict.reasons == {"national_id_invalid:national_id": 1}


def test_a_number_typed_identity_that_lost_its_zero_is_refused(tmp_path: Path) -> None:
    columns = [["A", "B"], ["Nkosi", "Botha"], ["0821234567", "0831234567"], ["a1@example.com", "b1@example.com"]]
    frame = pl.DataFrame(dict(zip(HEADER.split(","), [*columns, [101015009086, 9001015009086]], strict=True)))
    frame.write_parquet(tmp_path / "in.parquet")
    result = validated(stage(preflight(tmp_path / "in.parquet"), tmp_path))

    assert reasons(result) == {1: "national_id_invalid:national_id"}
    assert pl.read_parquet(result.quarantined)["reason"][0].startswith("row 1: ")


def test_values_of_more_than_vendor_lengths_are_only_warned_of(tmp_path: Path) -> None:
    long = ROW.replace("Thandi", "T").replace("thandi@", "t" * 60 + "@")
    result = validated(staged(tmp_path, rows(long)))

    assert pl.read_parquet(result.accepted)["warnings"][0] == "name_length:first_name;email_length:email"


def test_outputs_are_private_and_no_parts_are_left(tmp_path: Path) -> None:
    result = validated(staged(tmp_path, rows(ROW, "x")))

    assert {stat.S_IMODE(path.stat().st_mode) for path in (result.accepted, result.quarantined)} == {0o600}
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["accepted.parquet", "in.csv", "quarantined.parquet", "staged.parquet"]


def test_an_unknown_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="--region"):
        validated(staged(tmp_path, rows(ROW)), region="QQ")


def test_a_lost_row_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = staged(tmp_path, rows(ROW, "x"))
    monkeypatch.setattr(
        "jobs.intake.judge.Judge._accepted", lambda _, frame: frame.head(0).select("source_row", "~line", "warnings")
    )
    monkeypatch.setattr("jobs.intake.validate._settle_duplicates", lambda *_: None)

    with pytest.raises(MusterError, match="rows are lost"):
        validated(found)
