"""Where the folder of a run is: here, or a copy of what lies in a bucket."""

from pathlib import Path

from jobs.ledger.rows import RunRow
from jobs.storage import copies
from jobs.storage.retention import Retention


def put_back(run: RunRow) -> None:
    """Ends the work on the folder of `run` before the command ends: whoever goes through many has room for one."""
    copies.give_back(run.folder)


def folder_of(run: RunRow) -> Path:
    """The folder of `run` as a folder here; of one in a bucket, a copy (`jobs/storage/copies.py`). Raises as there."""
    work = str(run.settings.get("work") or "")
    return copies.at_hand(run.folder, work=work, retention=Retention.of(run.settings))
