"""What a disk or a folder refused, in words: which file system, what is free there, and what to do about it."""

import errno
import os
import re
from pathlib import Path

from jobs.errors import Unusable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
VAGUE = frozenset({None, errno.EIO})
"""What a full disk may be called on the way through a library."""

BARRED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

LEAST_FREE_INODES = 100
"""Chosen: a run makes some thirty files."""

UNITS = ((10**9, "GB"), (10**6, "MB"))

LEAST_FREE_BYTES = 500 * 1024 * 1024
"""Chosen: a run of 100,000 rows leaves some 300 MB of ledger, reports and work files."""


class MachineFailed(Unusable):
    """A disk, the memory or a library of this machine refused something: no matter of the file, nor of muster."""

    code = "machine"


def refused(error: BaseException) -> OSError | None:
    """What the system refused, also where a library reports it as an error of its own; None: it is something else."""
    for each in (error, *error.args):
        if isinstance(each, OSError) and each.errno is not None:
            return each
    found = re.search(r"\(os error ([0-9]{1,3})\)|transport error", str(error))
    if found is None:
        return error if isinstance(error, OSError) else None
    number = int(found[1] or errno.EIO)  # "transport error" is all that polars' Parquet writer says of a full disk
    return OSError(number, os.strerror(number))


def unusable(error: BaseException, place: Path | None = None) -> MachineFailed | None:
    """What this machine can't do, in a sentence with a hint; None: `error` is a defect of muster.

    `place`: the folder that is meant where the system names no file. Something may have been sent already.
    """
    if isinstance(error, MemoryError):
        return MachineFailed("there is no more memory", hint="give muster more of it, or a smaller file")
    if isinstance(error, ImportError):  # too many open files, a disk that fails, half an installation
        return MachineFailed(
            f"a library can't be loaded: {error.msg}",
            hint="start again; if that does not help, install muster anew",
        )
    system = refused(error)
    if system is None:
        return None
    where = system.filename if isinstance(system.filename, str) else place
    return MachineFailed(
        f"{system.strerror or f'a file or the network failed ({system})'}{f': {where}' if where else ''}",
        hint=advice(Path(where or "."), system.errno),
    )


def advice(path: Path, number: int | None = None, option: str | None = None) -> str:
    """What to do where `path` can't be written, with what is free there. `number`: the system's error, where known.

    `option` names what would put the file elsewhere; None: it has to be there.
    """
    folder = existing(path)
    elsewhere = f", or give {option}" if option else ""
    try:
        room = os.statvfs(folder)
    except OSError:
        return f"look at {folder}{elsewhere}"
    free, no_inode = room.f_bavail * room.f_frsize, room.f_files > 0 and room.f_favail < LEAST_FREE_INODES
    where = f"{mount_of(folder)}: {amount(free)} of {amount(room.f_blocks * room.f_frsize)} are free"
    if room.f_files:
        where += f", and {room.f_favail:,} of {room.f_files:,} inodes"
    if number in BARRED or room.f_flag & os.ST_RDONLY:
        return f"make {folder} writable for this user{elsewhere}"
    if no_inode:
        return f"remove files there ({where}){elsewhere}"
    if number in FULL or (number in VAGUE and free < LEAST_FREE_BYTES):
        return f"free space there ({where}){elsewhere}"
    return f"look at the disk ({where}){elsewhere}"


def amount(size: int) -> str:
    """`12 KB`, `3.4 GB`; in units of 1,000."""
    factor, unit = next(((factor, unit) for factor, unit in UNITS if size >= factor), (1000, "KB"))
    return f"{size / factor:,.{0 if unit == 'KB' else 1}f} {unit}"


def existing(path: Path) -> Path:
    """`path` when it is a folder, else the nearest folder above it that exists."""
    path = path.absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def mount_of(folder: Path) -> Path:
    """Where the file system of `folder` is mounted."""
    while not folder.is_mount() and folder != folder.parent:
        folder = folder.parent
    return folder


def refuse_unwritable(path: Path) -> None:
    """Raises Unusable for a path that no report, ledger or terminal can show."""
    try:
        whole = str(path.absolute())
    except OSError:  # the working directory is gone, which others say
        whole = str(path)
    if written_so(whole):
        return
    raise Unusable(
        f"the path of {shown(path.name)} is not UTF-8, and reports could not say which file it was",
        hint="rename the file, or the folder above it that has such a name",
    )


def written_so(text: str) -> bool:
    """Whether `text`, as the machine gave it, is UTF-8."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def shown(text: str) -> str:
    """`text` with a sign in the place of each byte that is not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
