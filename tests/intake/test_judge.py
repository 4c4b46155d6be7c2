"""The pandera path against a second opinion, row by row."""

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.errors import MusterError
from jobs.intake.judge import Judge
from jobs.intake.preflight import preflight
from jobs.intake.stage import Staged, stage
from jobs.keys import KeySpace
from schemas import customers

from .oracle.corrupt import corrupted
from .oracle.rows import COLUMNS, Verdict, judged

TODAY = date(2026, 11, 21)
KEYS = KeySpace.of("eclipse", "1001")


def staged_rows(folder: Path, rows: list[dict[str, str]]) -> Staged:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    return stage(preflight(path), folder)


def split(staged: Staged, *, strict_ids: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
    judge = Judge.of(staged.file, KEYS, region="ZA", strict_ids=strict_ids, today=TODAY)
    return judge.split(pl.read_parquet(staged.path))


def compare(folder: Path, count: int, seed: int, *, strict_ids: bool = False) -> None:
    """Fails with the seed and the row where the two judges differ."""
    rows = corrupted(count, seed, COLUMNS)
    accepted, quarantined = split(staged_rows(folder, rows), strict_ids=strict_ids)
    found = {row["source_row"]: row for row in (*accepted.iter_rows(named=True), *quarantined.iter_rows(named=True))}
    assert sorted(found) == list(range(1, count + 1))
    for number, row in enumerate(rows, start=1):
        verdict = judged(row, today=TODAY, strict_ids=strict_ids)
        assert seen(found[number]) == expected(verdict), f"seed {seed}, row {number}: {row}"
        if not verdict.refusals:
            assert values(found[number]) == verdict.values | key_of(verdict), f"seed {seed}, row {number}"


def seen(row: dict[str, object]) -> tuple[set[str], set[str]]:
    return codes(row.get("reason_code")), codes(row["warnings"])


def expected(verdict: Verdict) -> tuple[set[str], set[str]]:
    return verdict.refusals, verdict.warnings


def codes(text: object) -> set[str]:
    return set(str(text).split(";")) if text else set()


def values(row: dict[str, object]) -> dict[str, object]:
    return {column: row[column] for column in COLUMNS}


def key_of(verdict: Verdict) -> dict[str, str | None]:
    given = verdict.values["external_unique_id"]
    derived = KEYS.customer(row_ref=verdict.values["row_ref"], national_id=verdict.values["national_id"])
    return {"external_unique_id": given or derived}


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_the_plain_python_judge(tmp_path: Path, seed: int) -> None:
    compare(tmp_path, 2500, seed)


@pytest.mark.slow
def test_agrees_with_strict_identity_numbers(tmp_path: Path) -> None:
    compare(tmp_path, 3000, 11, strict_ids=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_agrees_on_many_more_rows(tmp_path: Path, seed: int) -> None:
    compare(tmp_path, 20_000, seed, strict_ids=seed % 2 == 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PANDERA_VALIDATION_ENABLED", "False"),
        ("PANDERA_VALIDATION_ENABLED", "yes"),
        ("PANDERA_VALIDATION_DEPTH", "SCHEMA_ONLY"),
        ("PANDERA_USE_NARWHALS_BACKEND", "True"),
    ],
)
def test_the_environment_cannot_switch_it_off(tmp_path: Path, variable: str, value: str) -> None:
    import os
    import subprocess
    import sys

    rows = corrupted(200, 5, COLUMNS)
    staged = staged_rows(tmp_path, rows)
    code = (
        "import datetime,pathlib; from jobs.intake.preflight import preflight; from jobs.intake.stage import stage;"
        "from jobs.intake.validate import validate; from jobs.keys import KeySpace; p=pathlib.Path(%r);"
        "v=validate(stage(preflight(p/'rows.csv'),p),p,keys=KeySpace.of('e','1'),today=datetime.date(2026,11,21));"
        "print(v.quarantined_rows)"
    )
    run = [sys.executable, "-c", code % str(tmp_path)]
    switched = subprocess.run(run, env=os.environ | {variable: value}, capture_output=True, text=True, check=True)
    assert int(switched.stdout) >= split(staged)[1].height > 50


def test_a_check_without_a_mask_of_full_height_stops_the_run(tmp_path: Path) -> None:
    staged = staged_rows(tmp_path, corrupted(5, 1, COLUMNS))
    judge = Judge.of(staged.file, KEYS, region="ZA", strict_ids=False, today=TODAY)
    rule = customers.Rule("name_invalid:first_name", (pl.col("first_name") == "?").any())
    broken = customers.schema_of("eclipse", (rule,), required=True)
    with pytest.raises(MusterError, match="not trustworthy"):
        judge._masks(broken, judge_frame(staged))


def judge_frame(staged: Staged) -> pl.DataFrame:
    from jobs.intake.normalise import normalise

    return normalise(pl.read_parquet(staged.path), staged.file, region="ZA")
