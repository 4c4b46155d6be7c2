"""`events.ndjson`: what happened, one canonical JSON object a line, each chained to the one before it.

Canonical form: UTF-8, keys sorted, no blanks, no floats, characters of `printable.ESCAPES` as `\\u....`.
`hash` is the SHA-256, in hex, of `prev` followed by the canonical object without `hash`; the first `prev` is 64 zeros.
The chain shows every line changed, removed, moved or added, except the last ones cut off: for that the manifest
holds the number of lines and the last hash.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from jobs.errors import MusterError, Unproven
from jobs.printable import ESCAPES
from jobs.reports.folder import RunFolder
from jobs.value import value

GENESIS = "0" * 64
_RESERVED = {"n", "prev", "hash"}
_UNSAFE = re.compile("|".join(re.escape(character) for character in ESCAPES if ord(character) > 0x1F).encode())


@value
class Chain:
    """The ends of a chain; both hashes are 64 zeros when it has no event."""

    first_hash: str = GENESIS
    last_hash: str = GENESIS
    count: int = 0

    def extended(self, link: str) -> "Chain":
        """The chain with one more event, whose hash is `link`."""
        return Chain(link if self.count == 0 else self.first_hash, link, self.count + 1)


def write_events(events: Iterable[Mapping[str, object]], folder: RunFolder) -> Chain:
    """Writes the file and gives the ends of its chain.

    Events are JSON values without floats, and without the keys `n`, `prev` and `hash`, which are added; `MusterError`
    for anything else. What is personal has been masked before it came here.
    """
    chain = Chain()
    with folder.open_atomic("events.ndjson") as draft, draft.open("wb") as lines:
        for event in events:
            if not _RESERVED.isdisjoint(event):
                raise MusterError("an event may not name its own place in the chain")
            line, link = _chained(event, chain.count + 1, chain.last_hash)
            lines.write(line)
            chain = chain.extended(link)
    return chain


def verify_events(
    path: Path, expected: Chain | None = None, hear: Callable[[Mapping[str, Any]], None] = lambda _: None
) -> Chain:
    """Reads the file again and gives the ends of its chain; `hear` is told each event that fits.

    Raises `Unproven` naming the first line that doesn't fit, or when the ends differ from `expected`.
    """
    chain = Chain()
    with path.open("rb") as lines:
        for line in lines:
            event, link = _verified(line, chain)
            chain = chain.extended(link)
            hear(event)
    if expected is not None and chain != expected:
        raise Unproven(
            f"{path.name} ends after {chain.count} events; {expected.count} were written, with another last hash"
        )
    return chain


def chained_line(event: Mapping[str, object], number: int, before: str) -> bytes:
    """The line of `event` as the one with `number`, behind the one whose hash is `before`."""
    return _chained(event, number, before)[0]


_PLAIN = frozenset({str, int, bool, type(None)})
"""What nearly every value is; anything else is looked into."""


def canonical(event: Mapping[str, object]) -> bytes:
    """The one spelling of `event`, without a line end. Raises `MusterError` for floats and what JSON doesn't know."""
    if not _PLAIN.issuperset(map(type, event.values())) and _holds_float(event):
        raise MusterError("an event holds a float; write an integer or text, which have one spelling only")
    try:
        text = orjson.dumps(event, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError as error:
        raise MusterError(f"an event can't be written as JSON: {type(error).__name__}") from None
    if text.isascii() and b"\x7f" not in text:  # nearly always, and a tenth of the search's time
        return text
    return _UNSAFE.sub(lambda match: ESCAPES[match[0].decode()].encode(), text)


def _chained(event: Mapping[str, object], number: int, before: str) -> tuple[bytes, str]:
    """The line of `event` with its place in the chain, and its hash.

    It is spelt once, with a place for the hash in the middle: `n` and `prev` are behind it.
    """
    start, _, end = canonical({**event, "n": number, "prev": before, "hash": GENESIS}).partition(_PLACE)
    if _PLACE in end:
        raise MusterError("an event holds a place for its hash twice")
    link = hashlib.sha256(b"%b%b%b" % (before.encode(), start, end)).hexdigest()
    return b'%b"hash":"%b",%b\n' % (start, link.encode(), end), link


_PLACE = b'"hash":"%b",' % GENESIS.encode()


def _link(prev: str, body: Mapping[str, object]) -> str:
    return hashlib.sha256(prev.encode() + canonical(body)).hexdigest()


def _verified(line: bytes, chain: Chain) -> tuple[Mapping[str, Any], str]:
    """The event of `line`, which is the next one of `chain`, and its hash."""
    number = chain.count + 1
    try:
        event = orjson.loads(line)
        stated = event.pop("hash")
        intact = line == canonical({**event, "hash": stated}) + b"\n" and stated == _link(chain.last_hash, event)
    except (ValueError, KeyError, AttributeError, TypeError, MusterError):
        intact = False
    if not intact or event["prev"] != chain.last_hash or event["n"] != number:
        raise Unproven(f"line {number} of events.ndjson was changed, removed, moved or added")
    return event, str(stated)


def _holds_float(value: object) -> bool:
    if isinstance(value, float):
        return True
    if isinstance(value, Mapping):
        return any(_holds_float(item) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds_float(item) for item in value)
