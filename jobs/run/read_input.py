"""The file of a run, read to its end and validated, or read once more."""

from functools import partial
from pathlib import Path

from polars.exceptions import PolarsError

from jobs.batch import Batch, read_batch
from jobs.disk import unusable
from jobs.earlier import Earlier
from jobs.errors import Unusable
from jobs.intake.header import nameless
from jobs.ledger.rows import RunRow
from jobs.privacy import file_names
from jobs.run.keys import keys_of
from jobs.run.place import Place
from jobs.run.signals import apart
from jobs.settings.secrets import secret
from jobs.settings.settings import Settings
from jobs.storage.arrival import arrived, called


def read_new(path: Path, settings: Settings, place: Place, sha256: str | None = None) -> Batch:
    """The file of a new run, with what earlier runs found of its documents.

    `sha256`: what the file must be; None: whatever it is. Raises Unusable.
    """
    batch = read_input(path, settings, place, Earlier.of(settings))
    for sentence in nameless(batch.file.header):
        place.progress.note(sentence)
    _same_input(batch, sha256)
    return batch


def read_again(run: RunRow, settings: Settings, place: Place) -> Batch:
    """The input of `run` as that run judged it. Raises Unusable when it is gone or was changed."""
    path, earlier = Path(run.input_path), Earlier.of(settings, run)
    batch = read_input(path, settings, place, earlier)
    _same_input(batch, run.input_sha256)
    if batch.rows == run.rows:
        return batch
    as_before = read_input(path, settings, place, earlier, before=True)
    return as_before if as_before.rows == run.rows else batch


def read_input(
    path: Path, settings: Settings, place: Place, earlier: Earlier | None = None, *, before: bool = False
) -> Batch:
    """The file, read to its end and validated. Raises Unusable.

    `earlier`: with what runs before found. `before`: its rows counted as an older muster did, so that their numbers are
    those of its run.
    """
    path, today = file_names.found(path), place.clock.now().date()
    try:
        with place.progress.stage("reading and validating", None):
            path = arrived(path, place.work, secret("input_query"))
            return apart(
                partial(read_batch, path, settings, keys_of(settings), place.work, today, earlier, before=before)
            )
    except (OSError, PolarsError) as error:
        told = unusable(error, place.work)
        if told is None:
            raise
        raise told from error


def _same_input(batch: Batch, sha256: str | None) -> None:
    """Raises Unusable when the file is not the one that was recorded."""
    if sha256 is not None and batch.file.sha256 != sha256:
        named = called(batch.file.path)
        raise Unusable(
            f"{named} was changed since that run: its content is another",
            hint=f"run it as a new file: muster run {named}",
        )
