"""What takes the place of a password that a target replaces at each use (a rotated refresh token), kept for next time.

It goes back into the file that the password came from. One that came from a variable can only be remembered until this
process ends; then somebody has to be told, because the target refuses the used one.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from jobs.atomic import atomic

_LATEST: dict[str, str] = {}
"""The successor in force by the password that was given, for this process alone."""

_TOLD: set[str] = set()


def latest(given: str | None) -> str | None:
    """The password in force in the place of the one that was given."""
    return None if given is None else _LATEST.get(given, given)


def keeper(given: str | None, variable: str, file: Path | None) -> Callable[[str], None] | None:
    """Keeps a successor of `given` in `file`, where it came from one, and in memory; None when nothing was given.

    What can't be kept for the next run is said on stderr once, without the value.
    """
    if given is None:
        return None

    def keep(successor: str) -> None:
        _LATEST[given] = successor
        if file is None:
            _tell(variable, f"put it into a file of mode 0600 that {variable}_FILE names, to have it replaced there")
            return
        try:
            write(file, successor)
        except OSError as error:
            _tell(variable, f"{file} can't be written ({type(error).__name__})")

    return keep


def write(file: Path, successor: str) -> None:
    """Replaces the content of `file`, whole or not at all, mode 0600. Raises OSError."""
    with atomic(file.resolve()) as draft:
        draft.write_text(successor + "\n", encoding="utf-8")


def _tell(variable: str, why: str) -> None:
    if variable in _TOLD:
        return
    _TOLD.add(variable)
    sys.stderr.write(
        f"muster: warning: the target replaced {variable}, and the new one ends with this process: {why}; "
        "the next run needs a new one\n"
    )
