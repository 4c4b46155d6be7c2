"""Whether the objects of a run are in their bucket as they have to be: all of them, and locked where that was asked."""

from jobs.evidence.manifest import MANIFEST
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import seals
from jobs.publishing.place import folder_of
from jobs.storage.address import address_of, is_address
from jobs.storage.bucket import Absent, opened
from jobs.storage.retention import Retention


def undelivered(run: RunRow) -> list[str]:
    """That the bucket has no manifest of `run`, as a sentence; empty where it has, or nothing was sealed."""
    if not is_address(run.folder) or not seals(run) or (folder_of(run) / MANIFEST).exists():
        return []
    return [
        f"{run.folder} has no {MANIFEST}: another machine delivers it, or a delivery was broken off (docs/cloud.md)"
    ]


def unretained(run: RunRow) -> list[str]:
    """Objects of `run` that are not locked as its settings ask for, a sentence each; empty where nothing was asked.

    One that is missing is no matter of its lock. Raises what the bucket refuses.
    """
    retention = Retention.of(run.settings)
    if retention is None or not is_address(run.folder):
        return []
    bucket, problems = opened(address_of(run.folder)), []
    for name in sorted(filter(retention.holds, bucket.seen())):
        try:
            missing = bucket.unlocked(name, retention)
        except Absent:
            continue
        if missing is not None:
            problems.append(f"{name}: {retention.mode} for {retention.days} days was asked for, and {missing}")
    return problems
