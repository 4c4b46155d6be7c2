"""A private folder for the files on the way: staged and validated rows, which are personal, gone when the run ends."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.disk import advice
from jobs.errors import Unusable
from jobs.ledger.lease import process_started

PREFIX = ".work-"


@contextmanager
def workspace(out: Path) -> Iterator[Path]:
    """A new folder (0700) below `out`, removed at the end; those that dead processes left are removed first.

    It lies beside the results and not in the system's temporary folder, which others may read and which may be small.
    """
    made = not out.exists()
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(out)
        folder = out / f"{PREFIX}{os.getpid()}-{process_started(os.getpid()) or 0}"
        folder.mkdir(mode=0o700, parents=True)  # again, where a run that left nothing has just removed them
    except OSError as error:
        hint = advice(out, error.errno, "--out")
        raise Unusable(f"{out} can't be written: {error.strerror}", hint=hint) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made:
            with suppress(OSError):
                out.rmdir()  # only when nothing was left there


def _sweep(out: Path) -> None:
    for folder in out.glob(f"{PREFIX}*-*"):
        pid, _, started = folder.name.removeprefix(PREFIX).partition("-")
        if pid.isdigit() and started.isdigit() and process_started(int(pid)) != int(started):
            shutil.rmtree(folder, ignore_errors=True)
