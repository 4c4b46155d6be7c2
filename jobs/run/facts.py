"""Who runs muster, where and with what: facts for the ledger and the manifest."""

import getpass
import os
import platform
import socket

from jobs import __version__


def run_facts() -> dict[str, object]:
    """Host, user, process and versions; nothing secret."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {
        "host": socket.gethostname(),
        "user": user,
        "pid": os.getpid(),
        "muster": __version__,
        "python": platform.python_version(),
    }
