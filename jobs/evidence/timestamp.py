"""RFC 3161 time stamps over `manifest.json`: somebody else's word that it was there at a time. The extra `timestamp`.

Only a hash is sent. Whoever checks a stamp needs the authority's certificate, and openssl (README-AUDITOR).
"""

import hashlib
from pathlib import Path

from jobs.errors import Unusable
from jobs.evidence.manifest import MANIFEST, STAMP

SECONDS = 20.0
"""How long an authority may take (chosen): somebody waits for the end of the run."""

HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
"""RFC 3161, 3.4."""


def stamped(content: bytes, url: str) -> bytes:
    """The reply of the authority at `url` (DER). Raises Unusable without the library, OSError when none comes."""
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
    except ImportError:
        hint = "pip install 'muster-onboarding[timestamp]'"
        raise Unusable("timestamp_url is set, and the library that asks is not installed", hint=hint) from None
    import httpx

    asked = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        reply = httpx.post(url, content=asked.as_bytes(), headers=HEADERS, timeout=SECONDS)
        reply.raise_for_status()
        granted = decode_timestamp_response(reply.content)
    except (httpx.HTTPError, ValueError) as error:
        raise OSError(f"the time-stamping authority gave no stamp ({type(error).__name__})") from error
    if granted.status not in {0, 1} or not is_of(reply.content, content):
        raise OSError("the time-stamping authority refused, or stamped something else")
    return reply.content


def is_of(stamp: bytes, content: bytes) -> bool:
    """Whether a stamp speaks of `content`: its imprint is in it. Who made it, this does not say."""
    return hashlib.sha256(content).digest() in stamp


def stamp_problems(folder: Path) -> list[str]:
    """What is wrong with the stamps of a folder's manifests; empty where there is none."""
    pairs = [(path, path.with_suffix("")) for path in sorted(folder.glob(f"manifest*{STAMP.removeprefix(MANIFEST)}"))]
    wrong = [path for path, of in pairs if not of.is_file() or not is_of(path.read_bytes(), of.read_bytes())]
    return [f"{path.name} stamps something else than {path.stem}" for path in wrong]
