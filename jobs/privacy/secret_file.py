"""A secret in a file: who else may read it, and what in it is the secret."""

import codecs
import grp
import os
import pwd
import stat
from pathlib import Path

from jobs.errors import Unusable

MOUNTED = frozenset({"tmpfs", "ramfs"})
"""File systems in memory, in which orchestrators hand secrets to a container."""

UNUSUAL = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins with that of UTF-16
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def refuse_foreign(path: Path, status: os.stat_result, what: str) -> None:
    """Raises Unusable for a file that another user owns, or can write: who can is who decides what it says.

    Root's files are taken, as orchestrators mount them. A group may write that is its owner's own, as some systems make
    one for each user.
    """
    if status.st_uid not in {0, os.geteuid()}:
        raise Unusable(f"{what}: {path} belongs to another user", hint=f"make a file of your own; or chown it: {path}")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o002 or (mode & 0o020 and not _own_group(status)):
        raise Unusable(f"{what}: others may write {path}", hint=f"chmod go-w {path}")


def _own_group(status: os.stat_result) -> bool:
    """Whether the group of a file is that of its owner alone, which bears the owner's name."""
    try:
        return grp.getgrgid(status.st_gid).gr_name == pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return False


def secret_of(path: Path, variable: str) -> str:
    """The text of `path`, which the variable `variable` names. Raises Unusable, never with the text.

    Nobody else may be able to read it: mode 0600 or stricter, or as an orchestrator mounts it (see `mounted`).
    """
    try:
        status = path.stat()
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise Unusable(f"{variable}: {path} can't be read ({type(error).__name__})") from error
    if stat.S_IMODE(status.st_mode) & 0o077 and not mounted(path, status):
        raise Unusable(f"{variable}: others may read {path}", hint=f"chmod 600 {path}")
    refuse_foreign(path, status, variable)
    if mark := next((mark for mark in UNUSUAL if content.startswith(mark)), None):
        raise Unusable(f"{variable}: {path} is {UNUSUAL[mark]}", hint="save it as UTF-8")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable(f"{variable}: {path} can't be read (it is no UTF-8)") from None  # the error holds the secret


def bare(text: str, variable: str, *, lines: bool) -> str | None:
    """The secret in `text`: without a byte order mark before it and line ends behind it; None where nothing is left.

    `lines`: whether it may have several (PEM). Raises Unusable, without the text, for signs that no secret holds.
    """
    secret = text.removeprefix("\ufeff").rstrip("\r\n")
    if "\x00" in secret or (not lines and ("\n" in secret or "\r" in secret)):
        what = "a NUL" if "\x00" in secret else "a line break"
        raise Unusable(f"{variable} holds {what} inside the secret", hint="put nothing but the secret into it")
    return secret or None


def mounted(path: Path, status: os.stat_result) -> bool:
    """Whether a file with bits for others was laid there by root for this process alone.

    Nobody may write it, and it lies in a folder that only we can enter, or in a read-only file system in memory.
    """
    if status.st_uid != 0 or stat.S_IMODE(status.st_mode) & ~0o444:
        return False
    real, named = path.resolve(), path.parent.resolve()
    folders = {real.parent, named} if real.is_relative_to(named) else {real.parent}
    return any(map(_ours_alone, folders)) or _in_memory(real, status.st_dev)


def _ours_alone(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid in {0, os.geteuid()} and not status.st_mode & 0o077


def _in_memory(path: Path, device: int) -> bool:
    if not os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        return False
    kinds = (line.partition(" - ")[2].split(" ", 1)[0] for line in mounts if line.split(" ", 3)[2] == number)
    return not MOUNTED.isdisjoint(kinds)
