"""Who runs muster, where and with what: facts for the ledger and the manifest."""

import os
import platform
import socket

from jobs import __version__
from jobs.os_user import people


def run_facts() -> dict[str, object]:
    """Host, users, process and versions; nothing secret."""
    return {
        "host": socket.gethostname(),
        **people(),
        "pid": os.getpid(),
        "muster": __version__,
        "python": platform.python_version(),
    }
