"""The sample files are what their README says, and can be made again."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from stdnum.za import idnr

from jobs.intake.preflight import preflight
from jobs.intake.stage import stage
from jobs.intake.validate import Validated, validate
from jobs.keys import KeySpace
from jobs.systems import JOBS, SYSTEMS

SAMPLES = Path(__file__).parents[2] / "sample_data"
README = (SAMPLES / "README.md").read_text("utf-8")
TABLE = re.findall(r"^\| `(\S+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (.*) \|$", README, re.MULTILINE)


def judged(path: Path, folder: Path) -> Validated:
    """What is found in a file; one for another system than Eclipse, or for another job, begins with that name."""
    encoding = "cp1252" if "cp1252" in path.name else None
    first = path.name.partition("_")[0]
    job = f"eclipse:{first}"
    system = first if first in SYSTEMS else job if job in JOBS else "eclipse"
    found = stage(preflight(path, encoding=encoding, system=system), folder)
    keys = KeySpace.of(system, "1001")
    return validate(found, folder, keys=keys, today=date(2026, 11, 21))


@pytest.mark.few(4)
@pytest.mark.parametrize(("name", "rows", "accepted", "quarantined", "warnings", "reasons"), TABLE)
def test_the_totals_of_the_readme_are_true(
    tmp_path: Path, name: str, rows: str, accepted: str, quarantined: str, warnings: str, reasons: str
) -> None:
    found = judged(SAMPLES / name, tmp_path)
    totals = (found.rows, found.accepted_rows, found.quarantined_rows, found.warnings)

    assert totals == tuple(map(int, (rows, accepted, quarantined, warnings)))
    assert ("; ".join(f"{code} {count}" for code, count in sorted(found.reasons.items())) or "none") == reasons


def test_the_readme_names_every_input_file() -> None:
    files = {path.name for path in SAMPLES.iterdir() if path.suffix in (".csv", ".parquet")}
    assert {row[0] for row in TABLE} == files


def test_the_samples_can_be_made_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", tmp_path], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".parquet"}

    assert made == {name: (SAMPLES / name).read_bytes() for name in made}
    assert len(made) == 7


def test_text_and_parquet_hold_the_same_customers(tmp_path: Path) -> None:
    frames = []
    for name in ("clean_20.csv", "clean_20.parquet"):
        (tmp_path / name).mkdir()
        frames.append(pl.read_parquet(judged(SAMPLES / name, tmp_path / name).accepted))

    assert frames[0].equals(frames[1])


def test_dirty_shows_every_reason_code(tmp_path: Path) -> None:
    codes = {code.partition(":")[0] for name in ("dirty_60.csv",) for code in judged(SAMPLES / name, tmp_path).reasons}
    table = "missing phone_invalid email_invalid national_id_invalid name_invalid date_invalid key_invalid"
    assert codes == {*table.split(), "duplicate_in_file", "column_count", "encoding", "spreadsheet"}


def test_planted_customers_collide_with_three_rows(tmp_path: Path) -> None:
    planted = json.loads((SAMPLES / "planted.json").read_text("utf-8"))
    accepted = pl.read_parquet(judged(SAMPLES / "every_outcome_30.csv", tmp_path).accepted)
    shared = accepted.filter(
        pl.col("phone").is_in([one["phone1"] for one in planted])
        | pl.col("national_id").is_in([one["nationalIdentityNumber"] for one in planted])
    )

    assert shared["source_row"].to_list() == [25, 26, 27]


def test_generated_customers_are_unique_and_rightly_numbered(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    command = [sys.executable, SAMPLES / "generate.py", "--rows", "20000", "--seed", "3"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    found = judged(path, tmp_path)

    assert (found.accepted_rows, found.warnings) == (20_000, 0)
    assert all(map(idnr.is_valid, pl.read_parquet(found.accepted)["national_id"].head(2000)))
