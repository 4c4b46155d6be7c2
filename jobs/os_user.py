"""Who runs muster, as the kernel says: an environment variable is nobody's name."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

NO_LOGIN = 2**32 - 1
"""How Linux says that no login session began a process: a scheduler did (proc(5))."""


def os_user() -> str:
    """The name of the user whom muster works as; `uid 1000` where it has none, as in a container."""
    return _name(os.geteuid())


def people(environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Who works, whose process it is, who logged in, and who called sudo: each a fact of its own, None: unknown.

    The first three are the kernel's; `sudo_user` is the word of the environment, and shown as that.
    """
    environ = os.environ if environ is None else environ
    login = _login()
    return {
        "user": os_user(),
        "real_user": _name(os.getuid()),
        "login_user": None if login is None else _name(login),
        "sudo_user": environ.get("SUDO_USER") or None,
    }


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _login() -> int | None:
    """The user id of the login session; None where there is none, or the kernel does not tell."""
    try:
        found = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if found == NO_LOGIN else found
