"""A line that carries the hash of the line before it, and its own: of the access log, and of events as runs wrote them
before they were sealed in blocks.

`hash` is the SHA-256, in hex, of `prev` followed by the canonical object without `hash`; the first `prev` is 64 zeros.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from jobs.errors import MusterError, Unproven
from jobs.evidence.canonical import canonical

GENESIS = "0" * 64
_PLACE = b'"hash":"%b",' % GENESIS.encode()


def linked_line(event: Mapping[str, object], number: int, before: str) -> bytes:
    """The line of `event` as the one with `number`, behind the one whose hash is `before`.

    It is spelt once, with a place for the hash in the middle: `n` and `prev` are behind it.
    """
    start, _, end = canonical({**event, "n": number, "prev": before, "hash": GENESIS}).partition(_PLACE)
    if _PLACE in end:
        raise MusterError("an event holds a place for its hash twice")
    link = hashlib.sha256(b"%b%b%b" % (before.encode(), start, end)).hexdigest()
    return b'%b"hash":"%b",%b\n' % (start, link.encode(), end)


def linked(name: str, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The event of each of the `lines` of the file `name`, with its `n`, `prev` and `hash`.

    Raises `Unproven` naming the first line that doesn't fit.
    """
    before = GENESIS
    for number, line in enumerate(lines, start=1):
        event = _fitting(line, number, before)
        if event is None:
            raise Unproven(f"line {number} of {name} was changed, removed, moved or added")
        before = event["hash"]
        yield event


def _fitting(line: bytes, number: int, before: str) -> dict[str, Any] | None:
    """The event of `line`; None: it does not stand behind the one whose hash is `before`."""
    try:
        event: dict[str, Any] = orjson.loads(line)
        bare = {name: value for name, value in event.items() if name != "hash"}
        link = hashlib.sha256(before.encode() + canonical(bare)).hexdigest()
        intact = line == canonical(event) + b"\n" and (event["hash"], event["prev"]) == (link, before)
        return event if intact and event["n"] == number else None
    except (ValueError, KeyError, AttributeError, TypeError, MusterError):
        return None
