"""Where the target may listen: the rule for `--base-url`, needed before any network library is loaded."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urlsplit

from jobs.errors import Unusable

HOST = re.compile(r"[A-Za-z0-9._:-]+")
"""Names in ASCII, and addresses; a name in another script is written as the `xn--…` that it is."""

_PATH = re.compile(r"[A-Za-z0-9/._~%-]*")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


PORTS = {"https": 443, "http": 80}


def checked_base_url(url: str, name: str = "--base-url") -> str:
    """`url` without a trailing slash. Raises Unusable, which repeats no secret, for one that would leak or mislead.

    `name`: of the setting, for the sentence.

    https only; plain http is for the loopback interface, where a stand-in listens.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unusable(f"{name} is not a URL") from None
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise Unusable(f"{name} must have no user, password, query or fragment")
    path = parts.path.rstrip("/")
    plain = HOST.fullmatch(host or "") and _PATH.fullmatch(path) and url.isprintable()
    if parts.scheme not in {"http", "https"} or host is None or port == 0 or not plain:
        raise Unusable(f"{name} must look like https://host[:port][/path]")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Unusable(f"{name} must be https: plain http to {host} would show tokens and personal data")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"


def origin_of(url: str) -> str:
    """The one spelling of a sound base URL: `scheme://host:port/path`, in which two of the same target are equal.

    Names are compared as they are written: `localhost` is not 127.0.0.1. Raises Unusable as `checked_base_url`.
    """
    parts = urlsplit(checked_base_url(url))
    host = parts.hostname or ""
    with suppress(ValueError):  # a name
        host = str(ipaddress.ip_address(host))
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{parts.port or PORTS[parts.scheme]}{parts.path}"
