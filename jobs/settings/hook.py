"""Where notices go: a command or a URL, which may hold a secret and is shown without it."""

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from jobs.transport.address import LOOPBACK


@dataclass(frozen=True, slots=True, repr=False)
class Hook:
    """A command with its arguments, or a URL. As text it shows no more than the program or the host."""

    words: tuple[str, ...]
    url: str | None = None

    def __str__(self) -> str:
        if self.url is None:
            return self.words[0] + (" ..." if len(self.words) > 1 else "")
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}/..."

    __repr__ = __str__


def hook(text: str) -> Hook:
    """A URL (https, or http on this machine), else a command as a shell splits it; no shell runs it."""
    if "://" in text.split(" ", 1)[0]:
        return hook_url(text)
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        words = ()
    if not words or "\0" in text:
        raise ValueError("a command, or a URL such as https://hooks.example/...")
    return Hook(words)


def hook_url(text: str) -> Hook:
    """A URL alone."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not safe or not host or parts.username or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a URL such as https://hooks.example/..., or http on this machine")
    return Hook((), text)
