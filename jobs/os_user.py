"""The user of the operating system whom muster works for."""

import getpass
import os


def os_user() -> str:
    """The name of the user; `uid 1000` where it has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
