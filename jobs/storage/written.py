"""A new file that others may not read, out of chunks of bytes."""

import os
from collections.abc import Iterable
from pathlib import Path


def written(to: Path, chunks: Iterable[bytes]) -> None:
    """Writes `chunks` to the file `to`, mode 0600; what was there before is replaced. Raises OSError."""
    to.unlink(missing_ok=True)
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
