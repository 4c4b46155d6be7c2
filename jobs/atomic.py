"""Files that are there whole or not at all, also after a power cut, and for their owner alone."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NOT_FOR_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP})
"""How a file system says that it syncs no folders."""


@contextmanager
def atomic(target: Path, *, first: bool = False) -> Iterator[Path]:
    """An empty draft beside `target`, mode 0600; it becomes `target` when the block ends well, else it is removed.

    The draft is on the disk before it has its name, and the name before the block is left. `first`: a file that is
    there already stays as it is, for another process was quicker. Raises OSError.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        yield draft
        _settle(draft)
        if first:
            with suppress(FileExistsError):
                os.link(draft, target)
        else:
            draft.replace(target)
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes a new name in `folder` survive a power cut, where the file system can. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_FOR_FOLDERS:
            raise
    finally:
        os.close(descriptor)


def _settle(draft: Path) -> None:
    """Mode and content reach the disk before the name does."""
    descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
