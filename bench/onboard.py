"""Rows a second and memory of a whole run against the sandbox in a process of its own, at two sizes.

    python bench/onboard.py 2000 20000

Linear cost shows as a constant time a row, flat memory as a constant peak.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measured(rows: int) -> dict[str, float]:
    """One run of `rows` rows: seconds a row, peak MiB of the job, its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "customers.csv"
        with source.open("wb") as file:
            command = [sys.executable, str(ROOT / "sample_data/generate.py"), "--rows", str(rows), "--seed", "7"]
            subprocess.run(command, stdout=file, check=True)
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "jobs", "sandbox", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            assert sandbox.stdout is not None
            url = sandbox.stdout.readline().split()[1]
            return timed(source, url, rows)
        finally:
            sandbox.terminate()
            sandbox.wait()


def timed(source: Path, url: str, rows: int) -> dict[str, float]:
    """The run itself."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MUSTER_IDENTITY": "operator",
        "MUSTER_PASSWORD": "operator-password",
    }
    arguments = ["run", source.name, "--base-url", url, "--tenant", "1001", "--rate", "1000000/1", "-q"]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "jobs", *arguments], cwd=source.parent, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "exit_code": os.waitstatus_to_exitcode(status),
        "ms_a_row": round(seconds * 1000 / rows, 3),
        "cpu_ms_a_row": round((usage.ru_utime + usage.ru_stime) * 1000 / rows, 3),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for size in [int(text) for text in sys.argv[1:]] or [500, 5000]:
        print(json.dumps(measured(size)), flush=True)
