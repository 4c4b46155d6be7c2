"""The file of a run, read to its end and validated, or read once more."""

from functools import partial
from pathlib import Path

from polars.exceptions import PolarsError

from jobs.batch import Batch, read_batch
from jobs.disk import unusable
from jobs.earlier import Earlier
from jobs.errors import Unusable
from jobs.run.context import Place
from jobs.run.signals import apart
from jobs.run.wiring import keys_of
from jobs.settings.settings import Settings


def read_input(path: Path, settings: Settings, place: Place, earlier: Earlier | None = None) -> Batch:
    """The file, read to its end and validated; `earlier`: with what runs before found. Raises Unusable."""
    today = place.clock.now().date()
    try:
        with place.progress.stage("reading and validating", None):
            return apart(partial(read_batch, path, settings, keys_of(settings), place.work, today, earlier))
    except (OSError, PolarsError) as error:
        told = unusable(error, place.work)
        if told is None:
            raise
        raise told from error


def same_input(batch: Batch, sha256: str | None) -> None:
    """Raises Unusable when the file is not the one that was recorded. None: whatever it is."""
    if sha256 is not None and batch.file.sha256 != sha256:
        raise Unusable(
            f"{batch.file.path} was changed since that run: its content is another",
            hint=f"run it as a new file: muster run {batch.file.path}",
        )
