"""Whether a bucket can be written, before anything is sent."""

import secrets
import tempfile
from pathlib import Path

from jobs.storage.address import address_of, is_address
from jobs.storage.bucket import opened
from jobs.storage.retention import Retention

PROBE = "muster-probe-"
"""How objects begin that are made to see whether that can be done; they are removed at once."""


def refuse_unwritable_bucket(place: Path | str, retention: Retention | None) -> None:
    """Makes an object below the address `place` and removes it; nothing where `place` is no address.

    Raises Unusable, NotPermitted or Unreachable where that fails, or where objects can't be locked as asked for.
    """
    if not is_address(place):
        return
    bucket, name = opened(address_of(place)), f"{PROBE}{secrets.token_hex(4)}"
    if retention is not None:
        bucket.refuse_unlockable()
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        empty.touch()
        bucket.put(name, empty, retention=None)
    bucket.remove(name)
