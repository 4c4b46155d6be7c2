"""The proxy that calls go through where somebody names one; what the environment names is not used, and said."""

from collections.abc import Mapping
from dataclasses import field
from urllib.parse import unquote, urlsplit

from jobs.errors import Unusable
from jobs.transport.address import HOST, LOOPBACK
from jobs.value import value

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
"""What other programs take a proxy from, in capitals or not."""


@value
class Proxy:
    """`url`: scheme, host and port, which is all that is ever shown."""

    url: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User and password; None: the proxy asks for none."""

    def __str__(self) -> str:
        return self.url

    @property
    def here(self) -> bool:
        """Whether it listens on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK


def checked_proxy(text: str) -> Proxy:
    """`http://[user:password@]host[:port]`, or https. Raises Unusable, which repeats nothing of it."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unusable("--proxy is not a URL") from None
    if parts.scheme not in {"http", "https"} or not HOST.fullmatch(host or "") or parts.path not in {"", "/"}:
        raise Unusable("--proxy must look like http://host:port", hint="http and https are known, SOCKS is not")
    if port == 0 or "?" in text or "#" in text or not text.isprintable():
        raise Unusable("--proxy must look like http://host:port")
    shown = f"[{host}]" if ":" in (host or "") else host
    credentials = None
    if parts.username is not None:
        credentials = unquote(parts.username), unquote(parts.password or "")
    return Proxy(f"{parts.scheme}://{shown}{f':{port}' if port else ''}", credentials)


def unused_proxy(environ: Mapping[str, str], host: str) -> str | None:
    """The variable that names a proxy for `host` to other programs; None: there is none, or NO_PROXY excepts it."""
    folded = {name.lower(): name for name, value in environ.items() if value}
    named = next((folded[name.lower()] for name in VARIABLES if name.lower() in folded), None)
    excepted = {name.strip().lstrip(".") for name in environ.get(folded.get("no_proxy", ""), "").lower().split(",")}
    around = "*" in excepted or any(f".{host}".endswith(f".{name}") for name in excepted - {""})
    return None if around else named
