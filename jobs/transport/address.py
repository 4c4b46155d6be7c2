"""Where the target may listen: the rule for `--base-url`, needed before any network library is loaded."""

import re
from urllib.parse import urlsplit

from jobs.errors import Unusable

_HOST = re.compile(r"[A-Za-z0-9._:-]+")
"""Names in ASCII, and addresses; a name in another script is written as the `xn--…` that it is."""

_PATH = re.compile(r"[A-Za-z0-9/._~%-]*")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked_base_url(url: str) -> str:
    """`url` without a trailing slash. Raises Unusable, which repeats no secret, for one that would leak or mislead.

    https only; plain http is for the loopback interface, where a stand-in listens.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unusable("--base-url is not a URL") from None
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise Unusable("--base-url must have no user, password, query or fragment")
    path = parts.path.rstrip("/")
    plain = _HOST.fullmatch(host or "") and _PATH.fullmatch(path) and url.isprintable()
    if parts.scheme not in {"http", "https"} or host is None or port == 0 or not plain:
        raise Unusable("--base-url must look like https://host[:port][/path]")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Unusable(f"--base-url must be https: plain http to {host} would show tokens and personal data")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"
