"""`make demo`: every way a row can end, against the built-in sandbox on this machine. Nothing leaves it.

Ends with 0 when the job did what the sample is meant to show; the job's own exit code is explained.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from jobs.keys import KeySpace
from jobs.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "demo"
INPUT = ROOT / "sample_data" / "every_outcome_30.csv"

FIRST = {
    "onboarded": 16,
    "declined": 2,
    "pending": 1,
    "not_eligible": 2,
    "rejected": 1,
    "conflict": 3,
    "quarantined": 3,
    "failed": 1,
    "in_doubt": 1,
}
"""What the first run must show: sample_data/README.md, with two of the plain rows made to fail by faults."""

AGAIN = {
    "onboarded": 1,
    "already_onboarded": 16,
    "declined": 2,
    "pending": 1,
    "not_eligible": 2,
    "rejected": 1,
    "conflict": 3,
    "quarantined": 3,
    "failed": 1,
}
"""The second run, the faults gone: the doubt is settled by reading, finished rows are left alone."""


def key(row_ref: str, tenant: int) -> str:
    """The key that a row of the sample gets."""
    return KeySpace.of("eclipse", str(tenant)).customer(row_ref=row_ref, national_id=None)


def faults(sandbox: Sandbox) -> list[dict[str, Any]]:
    """One create that the target never manages, and one wallet whose answer is lost while nothing can be read."""
    never, lost = key("CRM-000001015", sandbox.tenant), key("CRM-000001016", sandbox.tenant)
    return [
        {
            "operation": "create_customer",
            "nth": "every",
            "match": {"externalUniqueId": never},
            "kind": "status",
            "params": {"status": 500},
        },
        {
            "operation": "create_wallet",
            "nth": "every",
            "match": {"externalUniqueId": lost},
            "kind": "drop_after_commit",
        },
        {
            "operation": "list_wallets",
            "nth": list(range(2, 100)),  # the first one is read before the wallet is made
            "match": {"externalUniqueId": lost},
            "kind": "status",
            "params": {"status": 500},
        },
    ]


def muster(sandbox: Sandbox, *options: str) -> tuple[int, dict[str, Any]]:
    """One run of the sample as a user would start it; its exit code and its summary."""
    environment = {
        **os.environ,
        "MUSTER_IDENTITY": sandbox.identity,
        "MUSTER_PASSWORD": sandbox.password,
        "MUSTER_BASE_URL": sandbox.base_url,
        "MUSTER_TENANT": str(sandbox.tenant),
    }
    command = [sys.executable, "-m", "jobs", "run", str(INPUT), "--rate", "200/1", "--decision-poll", "1", *options]
    before = set((PLACE / "runs").glob("*"))
    code = subprocess.run(command, cwd=PLACE, env=environment, check=False).returncode
    folder = (set((PLACE / "runs").glob("*")) - before).pop()
    return code, json.loads((folder / "summary.json").read_text())


def expect(what: str, code: int, summary: dict[str, Any], outcomes: dict[str, int]) -> bool:
    """Says whether a run showed what it should."""
    seen = {name: count for name, count in summary["outcomes"].items() if count}
    good = seen == outcomes and code == summary["exit_code"] == 1
    print(f"\n{what}: {'as it should be' if good else f'NOT as it should be: {seen}, expected {outcomes}'}.")
    print(f"The job itself ended with {code} ({summary['exit_meaning']}), because this sample is full of trouble.")
    return good


def main() -> int:
    """Both runs; 0 when both showed what they should."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    with Sandbox() as sandbox:
        for person in json.loads((ROOT / "sample_data" / "planted.json").read_text()):
            sandbox.plant(**person)
        sandbox.faults(faults(sandbox))
        print("A file with every kind of row, against a sandbox that loses answers:\n", flush=True)
        first = expect("First run", *muster(sandbox, "--decision-wait", "4"), FIRST)
        sandbox.faults([])
        print("\nThe same file again, the sandbox behaving:\n", flush=True)
        again = expect("Second run", *muster(sandbox, "--decision-wait", "2"), AGAIN)
    reports = sorted((PLACE / "runs").glob("*/report.html"))
    print("\nLook at " + " and ".join(str(report.relative_to(ROOT)) for report in reports))
    return 0 if first and again else 1


if __name__ == "__main__":
    sys.exit(main())
