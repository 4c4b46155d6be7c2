"""`SHA256SUMS`: the hash of every file of a folder, in the form that `sha256sum -c` reads."""

import hashlib
import re
from pathlib import Path

from jobs.errors import Unproven
from jobs.reports.folder import RunFolder

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\n]+)\n")


def write_sums(folder: RunFolder) -> str:
    """Writes `SHA256SUMS` over every file of the folder but itself; gives its own hash, in hex.

    Folders inside (`reconcile-...`, `profiles-...`) are left out: each has its own.
    """
    lines = [f"{sha256(path)}  {path.name}\n" for path in files_of(folder.path) if path.name != SUMS]
    return sha256(folder.write_bytes(SUMS, "".join(lines).encode()))


def read_sums(path: Path) -> dict[str, str]:
    """The hash of each file that the `SHA256SUMS` in folder `path` names. Raises `Unproven` for a malformed line."""
    sums: dict[str, str] = {}
    with (path / SUMS).open(encoding="utf-8", errors="replace", newline="") as lines:
        for number, line in enumerate(lines, start=1):
            found = _LINE.fullmatch(line)
            if not found or found[2] <= next(reversed(sums), ""):
                raise Unproven(f"line {number} of {SUMS} is malformed, out of order or repeats a file")
            sums[found[2]] = found[1]
    return sums


def files_of(path: Path) -> list[Path]:
    """Everything in the folder that isn't a folder, by name; links too, so that they are seen."""
    return sorted(entry for entry in path.iterdir() if entry.is_symlink() or not entry.is_dir())


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
