"""What rows cost whose decision never comes: a run that leaves them pending, the resume after it, and `status`.

    python bench/pending.py 500 5000

Flat means: the same time a row, the same number of connections, and memory that grows by a kilobyte or so a row.
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUCK = "Kycstuck"
"""Last name of customers whose KYC the sandbox leaves PENDING for ever."""


def measured(rows: int) -> dict[str, object]:
    """A run over `rows` rows that all stay pending, and what comes after it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "customers.csv", rows)
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "jobs", "sandbox", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            assert sandbox.stdout is not None
            url = sandbox.stdout.readline().split()[1]
            there = ["--base-url", url, "--tenant", "1001", "--rate", "1000000/1", "-q"]
            return {
                "rows": rows,
                "run": timed(folder, rows, "run", "customers.csv", *there, "--decision-wait", "10"),
                "resume": timed(folder, rows, "resume", *there, "--decision-wait", "1"),
                "status": timed(folder, rows, "status"),
            }
        finally:
            sandbox.terminate()
            sandbox.wait()


def write(path: Path, rows: int) -> None:
    """Made-up customers of that last name."""
    generate = [sys.executable, str(ROOT / "sample_data/generate.py"), "--rows", str(rows), "--seed", "7"]
    text = subprocess.run(generate, stdout=subprocess.PIPE, check=True, text=True).stdout
    with path.open("w", newline="", encoding="utf-8") as file:
        reader = csv.DictReader(io.StringIO(text))
        writer = csv.DictWriter(file, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows({**row, "last_name": STUCK} for row in reader)


def timed(folder: Path, rows: int, *arguments: str) -> dict[str, object]:
    """One command: seconds, milliseconds a row, peak MiB, and the most connections that it had at once."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MUSTER_IDENTITY": "operator",
        "MUSTER_PASSWORD": "operator-password",
    }
    began, most = time.perf_counter(), 0
    command = [sys.executable, "-m", "jobs", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        most = max(most, connections(process.pid))
        time.sleep(0.2)
    seconds = time.perf_counter() - began
    return {
        "exit_code": os.waitstatus_to_exitcode(ended[1]),
        "seconds": round(seconds, 1),
        "ms_a_row": round(seconds * 1000 / rows, 2),
        "peak_mib": round(ended[2].ru_maxrss / 1024),
        "connections": most,
    }


def connections(pid: int) -> int:
    """How many sockets the process has open; 0 where /proc does not tell."""
    try:
        return sum(str(link.readlink()).startswith("socket:") for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [500, 2000]:
        print(json.dumps(measured(size)), flush=True)
