"""Time and memory of reading and validating, at two sizes.

python bench/validate.py 100000 1000000
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measured(rows: int) -> dict[str, float]:
    """One validation of `rows` rows, 2 % of them dirty: microseconds a row and peak MiB."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "customers.csv"
        generate = [sys.executable, str(ROOT / "sample_data/generate.py"), "--rows", str(rows), "--seed", "7"]
        with source.open("wb") as file:
            subprocess.run([*generate, "--dirty", "0.02"], stdout=file, check=True)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "validate", source.name, "-q"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        _, _, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "us_a_row": round(seconds * 1e6 / rows, 2),
        "cpu_us_a_row": round((usage.ru_utime + usage.ru_stime) * 1e6 / rows, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [100_000, 400_000]:
        print(json.dumps(measured(size)), flush=True)
