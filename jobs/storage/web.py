"""A file at an https address, read whole. It is what other clouds hand out as links that hold for an hour."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.storage.address import Address
from jobs.storage.bucket import ATTEMPTS, CONNECT_SECONDS, SECONDS, Seen, refused
from jobs.storage.written import written

if TYPE_CHECKING:
    import httpx


def fetch_page(address: Address, to: Path, query: str | None) -> Seen:
    """Writes what is at `address` to the new file `to`. `query`: what stands behind the `?`, a secret.

    Redirects are not followed: the secret was for this host. Raises what `refused` says.
    """
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it prints URLs with their queries
    url = httpx.URL(str(address)).copy_with(query=query.lstrip("?").encode() if query else None)
    why = ""
    timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
    with httpx.Client(timeout=timeout, headers={"Accept-Encoding": "identity"}) as client:
        for _ in range(ATTEMPTS):
            try:
                with client.stream("GET", url) as answer:
                    if answer.status_code < 500:
                        return _read(address, answer, to)
                    why = f"HTTP {answer.status_code}"
            except httpx.HTTPError as error:
                why = type(error).__name__
    raise refused(str(address), None, why)


def _read(address: Address, answer: "httpx.Response", to: Path) -> Seen:
    if answer.status_code != 200:
        raise refused(str(address), answer.status_code, f"HTTP {answer.status_code}")
    written(to, answer.iter_raw(1 << 20))
    return Seen(to.stat().st_size, answer.headers.get("ETag", answer.headers.get("Last-Modified", "")))
