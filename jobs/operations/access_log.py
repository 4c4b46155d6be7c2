"""The access log: who looked somebody up, exported or downloaded, had personal values revealed, or proved somebody.

One line an access, beside the ledger, written before the access; chained as the events of a run are. It names nobody
who was looked up.
"""

import fcntl
import json
import os
import stat
from pathlib import Path

from jobs.clock import Clock, iso
from jobs.disk import advice
from jobs.errors import Unusable
from jobs.evidence.linked_line import GENESIS, linked_line
from jobs.ledger.place import place_of
from jobs.os_user import people
from jobs.settings.settings import Settings

LONGEST_LINE = 4096
"""Bytes; a line has fewer than 1,000."""


def note_access(settings: Settings, clock: Clock, what: str, **facts: object) -> None:
    """Appends one line. Raises Unusable: then nothing is to be shown.

    `what`: `lookup`, `lookup_list`, `export`, `download`, `prove`. `facts`: by what was asked, whether values are
    revealed, of which run; nothing personal.
    """
    path = place_of(settings.ledger).access_log
    place = {"system": settings.system, "tenant": settings.tenant}
    event = {"at": iso(clock.now()), "kind": what, **people(), **place, **facts}
    try:
        _append(path, {name: value for name, value in event.items() if value is not None})
    except OSError as error:
        hint = advice(path.parent, error.errno, "--ledger")
        raise Unusable(f"the access log {path} can't be written: {error.strerror}", hint=hint) from error


def _append(path: Path, event: dict[str, object]) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Unusable(f"others may read {path}", hint=f"chmod 600 {path}")
        number, before = _last(file.fileno(), path)
        line = linked_line(event, number + 1, before)
        if file.write(line) != len(line):
            raise OSError(28, os.strerror(28), str(path))
        os.fsync(file.fileno())


def _last(descriptor: int, path: Path) -> tuple[int, str]:
    """Number and hash of the last line. Raises Unusable where that is none: somebody has changed the file."""
    size = os.fstat(descriptor).st_size
    lines = os.pread(descriptor, LONGEST_LINE, max(0, size - LONGEST_LINE)).splitlines(keepends=True)
    if not lines:
        return 0, GENESIS
    try:
        last = json.loads(lines[-1])
        return int(last["n"]), str(last["hash"])
    except (ValueError, LookupError, TypeError):
        raise Unusable(f"the last line of {path} is none of the access log", hint=f"move {path} away") from None
