"""Passwords as they were given: in clear, or pre-hashed with BCrypt. Hashes are compared by the system's libcrypt.

Where that library is missing or knows no BCrypt, a pre-hashed password is stored, but no login with it succeeds.
"""

import ctypes
import hmac
import re
from collections.abc import Callable
from functools import cache

BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")

LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", None)
"""Where `crypt` is found: the two names of libcrypt, then the program itself (musl has it in its C library)."""

COST = 12
"""Highest cost that is taken (chosen): it holds the sandbox up for a quarter of a second, each more twice as long."""


def matches(stored: str, sent: str) -> bool:
    """Is `sent`, in clear, the password that was stored? The stored hash itself is not."""
    if BCRYPT.fullmatch(stored) is None:
        return hmac.compare_digest(stored.encode(), sent.encode())
    crypt = _crypt()
    return crypt is not None and hmac.compare_digest(stored.encode(), crypt(sent.encode(), stored.encode()) or b"")


def too_costly(password: str) -> bool:
    """Is it a hash whose comparison would hold the sandbox up?"""
    found = BCRYPT.fullmatch(password)
    return found is not None and int(found.group(1)) > COST


@cache
def _crypt() -> Callable[[bytes, bytes], bytes | None] | None:
    """`crypt` of the system; None when there is none."""
    for name in LIBRARIES:
        try:
            # PyDLL keeps the interpreter's lock: `crypt` answers in one static buffer.
            function = ctypes.PyDLL(name).crypt
        except (OSError, AttributeError):
            continue
        function.restype, function.argtypes = ctypes.c_char_p, (ctypes.c_char_p, ctypes.c_char_p)
        return lambda password, salt, function=function: function(password, salt)  # type: ignore[misc]  # ctypes has no types
    return None
