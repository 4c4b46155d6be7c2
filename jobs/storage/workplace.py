"""Where the command of this process has its files on the way, copies of folders that lie in buckets among them."""

from pathlib import Path

COPIES = ".copies"
"""The folder of the copies there."""

_PLACE = [Path("runs")]


def work_in(place: Path) -> None:
    """Files on the way lie in `place` from now on."""
    _PLACE[0] = place


def copies_in(place: Path | None = None) -> Path:
    """The folder of the copies, in `place` or where this process works."""
    return (_PLACE[0] if place is None else place) / COPIES
