"""The rows of a run for a worker: as the leader has staged them where that can be reached, else read once more."""

from pathlib import Path

from jobs.errors import Unusable
from jobs.intake.validate import ACCEPTED
from jobs.intake.workspace import PREFIX
from jobs.ledger.rows import RunRow
from jobs.ledger.shards import Leader
from jobs.run.place import Place
from jobs.run.read_input import read_again
from jobs.settings.settings import Settings


def staged(leader: Leader, settings: Settings) -> Path | None:
    """The file of the rows that passed validation, as the leader has it; None where it can't be reached from here.

    The leader's workspace is named after its process, of which there is one: what lies there is of its run.
    """
    found = settings.workplace.glob(f"{PREFIX}{leader.process.tag}_*/{ACCEPTED}")
    return next((path for path in found if path.is_file()), None)


def read_anew(run: RunRow, settings: Settings, place: Place) -> Path:
    """The same file, made anew from the input. Raises Unusable when that is gone, or was changed."""
    batch = read_again(run, settings, place)
    if batch.rows != run.rows:
        raise Unusable(f"the input of run {run.run_id} has {batch.rows:,} rows here, and {run.rows:,} in the ledger")
    return batch.validated.accepted
