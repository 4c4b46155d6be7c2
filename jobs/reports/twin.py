"""A folder that is changed as a whole: a twin of it is changed, and takes its place in the end.

Whoever looks at the folder sees it as it was or as it became, also after a kill. Files that stay are links to the same
content; every file that is written anew is another one, because it is written beside and renamed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.atomic import sync_folder
from jobs.reports.folder import RunFolder


def twin_path(folder: Path) -> Path:
    """Where the twin of `folder` is made; in a listing it is hidden."""
    return folder.with_name(f".{folder.name}.twin")


def _aside(folder: Path) -> Path:
    """Where `folder` is for the moment in which its twin takes its place."""
    return folder.with_name(f".{folder.name}.before")


_HELD: set[Path] = set()
"""Folders whose lock this process has."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A block in which no other process makes, drops or exchanges a twin of `folder`; waits for its turn.

    The lock is a file beside the folder, because the folder itself is exchanged; it goes with the block. A block inside
    a block is the same one.
    """
    lock = folder.absolute().with_name(f".{folder.name}.lock")
    if lock in _HELD or not lock.parent.is_dir():
        yield
        return
    descriptor = _locked(lock)
    try:
        _HELD.add(lock)
        yield
    finally:
        _HELD.discard(lock)
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(lock: Path) -> int:
    """The lock, taken: of the file that is there, and not of one that its owner has removed meanwhile."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if lock.exists() and os.path.samestat(os.fstat(descriptor), lock.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def drop_locks(out: Path) -> None:
    """Removes the locks below `out` that killed commands left. One that is held stays; who waits for it looks again."""
    for lock in out.glob(".*.lock"):
        with suppress(OSError):  # it is held, or it went away
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), lock.stat()):
                    lock.unlink()
            finally:
                os.close(descriptor)


def twin_of(folder: Path) -> RunFolder:
    """A new twin of `folder`, with all that is in it."""
    drop_twin(folder)
    shutil.copytree(folder, twin_path(folder), symlinks=True, copy_function=_linked)
    return RunFolder.existing(twin_path(folder))


def exchange(folder: Path) -> None:
    """The twin takes the place of `folder`, which is removed with what it alone held."""
    folder.rename(_aside(folder))
    twin_path(folder).rename(folder)
    sync_folder(folder.parent)
    drop_twin(folder)


def restore(folder: Path) -> None:
    """Where a killed `exchange` left no folder: the twin takes its place, or the folder comes back."""
    if folder.exists():
        return
    for path in (twin_path(folder), _aside(folder)):
        if path.is_dir():
            path.rename(folder)
            sync_folder(folder.parent)
            return


def drop_twin(folder: Path) -> None:
    """Removes what a killed command left of a twin, or of the folder whose place one took."""
    for path in (twin_path(folder), _aside(folder)):
        shutil.rmtree(path, ignore_errors=True)


def _linked(source: str, target: str) -> None:
    """The same content under another name; a copy where the file system has no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
