"""A request as the bytes that leave: head and body in one, or nothing at all where it would be no HTTP."""

import re
from collections.abc import Mapping
from functools import lru_cache

_METHOD = re.compile(r"[A-Z]+")

_TARGET = re.compile(r"[!-~]+")
"""Already percent-encoded; neither a space nor a line end."""

_STEP = re.compile(r"/\.{1,2}(?:/|\?|$)")
"""A path that steps out of where it was put: an id of `..` would reach another resource."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
"""Printable ASCII without blanks at its ends: a token of any other kind would end the line, or be read as another."""

_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
"""Methods of which a target expects a length, also where there is no body."""


def written(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The request. Raises ValueError, which quotes nothing, for what is no HTTP."""
    if not _METHOD.fullmatch(method) or not _TARGET.fullmatch(target) or "#" in target or _STEP.search(target):
        raise ValueError("no target of a request")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        if not _is_name(name) or not _VALUE.fullmatch(value):
            raise ValueError("no header of a request")
        lines.append(f"{name}: {value}")
    if body is not None or method in _WITH_LENGTH:
        lines.append(f"content-length: {len(body or b'')}")
    head = "\r\n".join(lines).encode("ascii")
    return b"%b\r\n\r\n%b" % (head, body or b"")


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    """Whether it is a header's name, and none that says how long the request is: that is said here."""
    return bool(_NAME.fullmatch(name)) and name.lower() not in {"content-length", "transfer-encoding"}
