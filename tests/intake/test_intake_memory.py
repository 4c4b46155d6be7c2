"""Reading and validating in flat memory: ten times the rows, hardly more of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURED = """
import datetime, pathlib, sys
from jobs.keys import KeySpace
from jobs.intake.preflight import preflight
from jobs.intake.quarantine import write_quarantine
from jobs.intake.stage import stage
from jobs.intake.validate import validate
folder = pathlib.Path(sys.argv[1])
found = stage(preflight(folder / "in.csv"), folder)
today = datetime.date(2026, 11, 21)
result = validate(found, folder, keys=KeySpace.of("e", "1"), today=today, window=20_000)
write_quarantine(found, result.quarantined, folder / "quarantine.csv")
status = pathlib.Path("/proc/self/status").read_text()
print(result.rows, status.split("VmHWM:")[1].split()[0])
"""


def peak(folder: Path, rows: int) -> int:
    """KiB of the largest resident size while `rows` rows, 5 % of them dirty, are read and validated."""
    command = [sys.executable, ROOT / "sample_data" / "generate.py", "--rows", str(rows), "--dirty", "0.05"]
    with (folder / "in.csv").open("wb") as out:
        subprocess.run(command, check=True, stdout=out)
    run = [sys.executable, "-c", MEASURED, str(folder)]
    count, memory = subprocess.run(run, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    assert int(count) == rows
    return int(memory)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = peak(tmp_path, 100_000), peak(tmp_path, 1_000_000)

    assert large < small * 1.8, (small, large)
