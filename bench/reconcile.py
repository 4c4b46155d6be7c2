"""Time and memory of reconciling a run with an extract of the target, both of the same size.

    python bench/reconcile.py 100000 1000000

Planted: 0.5 % of the customers are missing, 0.3 % are only at the target, 1 % have another name.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from jobs.batch import Batch, read_batch
from jobs.keys import KeySpace
from jobs.ledger.rows import OutcomeRow, RunRow, Transition
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.publishing.findings import INTENTS_SENT
from jobs.settings.precedence import settings

ROOT = Path(__file__).resolve().parent.parent

SUMMARY = {
    "equations": [{"name": INTENTS_SENT, "kind": "books", "left": 0, "right": 0}],
    "requests": {"mutating": 0},
    "reconciliation": {},
    "notes": [],
    "exit_code": 0,
}
"""What a reconciliation reads of the run's own summary."""


def measured(rows: int) -> dict[str, object]:
    """One reconciliation of `rows` rows: seconds, peak MiB, and what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare = [sys.executable, __file__, "--prepare", str(folder), str(rows)]  # its memory is not to be measured
        subprocess.run(prepare, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "reconcile", "run-1", "--against", "extract.csv", "-q"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MUSTER_TENANT": "1001"},
        )
        _, _, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        (result,) = (folder / "runs" / "run-1").glob("reconcile-*")
        classes = json.loads((result / "summary.json").read_bytes())["reconciliation"]
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "cpu_us_a_row": round((usage.ru_utime + usage.ru_stime) * 1e6 / rows, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "found": {kind: count for kind, count in Counter(classes).items() if count},
    }


def prepare(folder: Path, rows: int) -> None:
    """An input, a ledger that calls every row of it onboarded, and an extract with differences."""
    os.chdir(folder)
    source = folder / "customers.csv"
    generate = [sys.executable, str(ROOT / "sample_data/generate.py"), "--rows", str(rows), "--seed", "7"]
    with source.open("wb") as file:
        subprocess.run(generate, stdout=file, check=True)
    work = folder / "work"
    work.mkdir()
    chosen = settings({"tenant": "1001"}, environ={})
    batch = read_batch(source, chosen, KeySpace.of("eclipse", "1001"), work, datetime.now(UTC).date())
    write_ledger(folder, source, batch)
    write_extract(folder, batch)


def write_ledger(folder: Path, source: Path, batch: Batch) -> None:
    """The run `run-1` with its outcomes."""
    run_folder = folder / "runs" / "run-1"
    run_folder.mkdir(parents=True)
    facts = {"tenant": "1001", "system": "eclipse", "region": "ZA"}
    run = RunRow(
        "run-1", "eclipse", "1001", "run", str(source), batch.file.sha256, batch.rows, str(run_folder), facts, {}, 0,
        None, None, None,
    )  # fmt: skip
    with Store.opened("sqlite:///muster.db") as store:
        space_id = store.space("eclipse", "1001")
        store.begin_run(space_id, run)
        for accepted in batch.accepted(50_000):
            ended = [
                OutcomeRow(
                    row.source_row,
                    Outcome.ONBOARDED,
                    key=row.key,
                    facts={
                        "customer_id": str(row.source_row + 10_000_000),
                        "wallet_id": str(row.source_row + 50_000_000),
                    },
                )
                for row in accepted
            ]
            store.apply(space_id, 0, "run-1", [Transition(outcome=each) for each in ended])
        store.end_run("run-1", ended_ms=1, exit_code=0, summary=SUMMARY)


def write_extract(folder: Path, batch: Batch) -> None:
    """What the target would export, shuffled."""
    row = pl.col("source_row")
    theirs = (
        pl.scan_parquet(batch.validated.accepted)
        .select(
            (row + 10_000_000).cast(pl.String).alias("customerId"),
            pl.when(row % 100 == 7).then(pl.lit("Another")).otherwise("first_name").alias("firstName"),
            pl.col("last_name").alias("lastName"),
            pl.col("phone").alias("phone1"),
            "email",
            pl.col("national_id").alias("nationalIdentityNumber"),
            pl.lit("PASSED").alias("kycStatus"),
            (row + 50_000_000).cast(pl.String).alias("walletId"),
            pl.lit("ACTIVE").alias("status"),
            row,
        )
        .collect()
    )
    strangers = theirs.head(batch.rows * 3 // 1000).with_columns(("9" + pl.col("customerId")).alias("customerId"))
    kept = pl.concat([theirs.filter(row % 200 != 13), strangers]).sample(fraction=1, shuffle=True, seed=7)
    kept.drop("source_row").write_csv(folder / "extract.csv")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        for size in [int(text) for text in sys.argv[1:]] or [100_000]:
            print(json.dumps(measured(size)), flush=True)
