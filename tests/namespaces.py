"""Programs in namespaces of their own, as containers have; a test that may not make any is skipped with the reason."""

import os
import subprocess
from functools import cache

import pytest

POD = ("--pid", "--fork", "--mount-proc", "--uts")
"""What a container has of its own, but for its files and its network."""


def within(*kinds: str) -> list[str]:
    """The words that start a program in new namespaces of these `kinds` (options of unshare(1)). Skips the test."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    words = ("unshare", *user, *kinds)
    if why := refused(words):
        pytest.skip(f"not tested here, {' '.join(words)} is refused: {why}")
    return list(words)


def pod(host: str) -> list[str]:
    """The words that start a program as process 1 of a container whose host name is `host`. Skips the test."""
    return [*within(*POD), "sh", "-c", 'hostname "$0" && exec "$@"', host]


@cache
def refused(words: tuple[str, ...]) -> str | None:
    """Why `words` can't start a program; None when they can."""
    try:
        done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.strip() or f"exit {done.returncode}" if done.returncode else None
