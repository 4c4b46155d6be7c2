"""`events.ndjson`: what happened, one JSON object a line, sealed in blocks of which each holds the seal before it.

The first line is the header; the lines behind it are those of `short_line.py`. After `BLOCK` lines, and at the end,
stands a seal: the SHA-256 of the lines from the seal before it (or the header) to the line before itself. So a line
changed, removed, moved or added is found, and in which block it was; the last seal says that it is the last. What is
cut off and sealed anew differs from the manifest, which holds the number of events and the last hash.

Logs of form 1, which runs wrote before (`linked_line.py`), and the access log read in the same way.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from jobs.errors import Unproven
from jobs.evidence.canonical import canonical
from jobs.evidence.linked_line import GENESIS, linked
from jobs.evidence.short_line import FORM, Lengthener, Shortener
from jobs.reports.folder import RunFolder
from jobs.value import value

BLOCK = 100
"""Lines under one seal, the seal before them included (chosen: a seal costs two bytes a line then)."""

_HEADER = b'{"form":%d,' % FORM
_SEAL, _LAST = b'{"seal":', b',"last":true}\n'


@value
class Chain:
    """The ends of a chain; both hashes are 64 zeros when it has no event."""

    first_hash: str = GENESIS
    last_hash: str = GENESIS
    count: int = 0
    """Events, without header and seals."""


class _Sealed:
    """Lines as they are written or read: the open block, and the chain of those before it."""

    def __init__(self) -> None:
        self.block: list[bytes] = []
        """The lines under the seal to come; the seal before them is the first of them."""
        self._first = 1
        self._hashes = (GENESIS, GENESIS)

    @property
    def place(self) -> str:
        """Which lines the open block has."""
        return f"lines {self._first} to {self._first + len(self.block) - 1}"

    def close(self, at: object, *, last: bool) -> bytes:
        """The lines of the open block as bytes. Its seal begins the next one. `at`: of its last event."""
        content = b"".join(self.block)
        found, end = hashlib.sha256(content).hexdigest(), self._first + len(self.block) - 1
        told: dict[str, object] = {"seal": {"from": self._first, "to": end}, "sha256": found, "at": at}
        seal = canonical({**told, "last": True} if last else told, by_name=False) + b"\n"
        self._hashes = (found if self._first == 1 else self._hashes[0], found)
        self.block, self._first = [seal], end + 1
        return content

    def chain(self, count: int) -> Chain:
        """The ends of what is sealed, which has `count` events."""
        return Chain(*self._hashes, count)


def write_events(events: Iterable[Mapping[str, object]], folder: RunFolder) -> Chain:
    """Writes the file and gives the ends of its chain.

    Events are JSON values without floats, and without members that lines have (`RESERVED`); `MusterError`
    for anything else. What is personal has been masked before it came here. A key, fingerprint or the like that is None
    does not come back.
    """
    sealed, shortener, count, at = _Sealed(), Shortener(), 0, None
    with folder.open_atomic("events.ndjson") as draft, draft.open("wb") as lines:
        for count, event in enumerate(events, start=1):
            line = shortener.line(event)
            if count == 1:
                sealed.block.append(canonical(shortener.header, by_name=False) + b"\n")
            elif len(sealed.block) >= BLOCK:
                lines.write(sealed.close(at, last=False))
            sealed.block.append(line)
            at = event.get("at")
        if count:
            lines.write(sealed.close(at, last=True))
            lines.writelines(sealed.block)
    return sealed.chain(count)


def verify_events(
    path: Path, expected: Chain | None = None, hear: Callable[[Mapping[str, Any]], None] = lambda _: None
) -> Chain:
    """Reads the file again and gives the ends of its chain; `hear` is told each event that fits, as it was written.

    Raises `Unproven` naming the first line, or block of lines, that doesn't fit, or when the ends differ from
    `expected`.
    """
    read = _unsealed if is_short(path) else _unlinked
    with path.open("rb") as lines:
        chain = read(path.name, lines, hear)
    if expected is not None and chain != expected:
        raise Unproven(
            f"{path.name} ends after {chain.count} events; {expected.count} were written, with another last hash"
        )
    return chain


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Each event of a file that verified, with `n`, the number of its line."""
    short = is_short(path)
    with path.open("rb") as lines:
        if not short:
            yield from map(orjson.loads, lines)
            return
        lengthener = Lengthener(orjson.loads(next(lines)))
        for number, line in enumerate(lines, start=2):
            if not line.startswith(_SEAL):
                yield {**lengthener.event(orjson.loads(line)), "n": number}


def is_short(path: Path) -> bool:
    """Whether the file has short lines; else all of an event stands in its line (form 1)."""
    with path.open("rb") as lines:
        return lines.read(len(_HEADER)) == _HEADER


def _unlinked(name: str, lines: BinaryIO, hear: Callable[[Mapping[str, Any]], None]) -> Chain:
    first, last, count = GENESIS, GENESIS, 0
    for count, event in enumerate(linked(name, lines), start=1):
        first, last = event["hash"] if count == 1 else first, event["hash"]
        hear(event)
    return Chain(first, last, count)


def _unsealed(name: str, lines: BinaryIO, hear: Callable[[Mapping[str, Any]], None]) -> Chain:
    """Compares each block with its seal before it tells its events."""
    sealed, lengthener, count, ended = _Sealed(), Lengthener({}), 0, False
    for block, seal in _blocks(lines):
        sealed.block[1:] = block[1:] if sealed.block else block  # a seal is there already
        place, last = sealed.place, seal.endswith(_LAST)
        try:
            told = [orjson.loads(line) for line in block if not line.startswith(_SEAL)]
            if not count:
                lengthener = Lengthener(told.pop(0))
            events = [lengthener.event(line) for line in told]
            at = events[-1].get("at")
        except (ValueError, LookupError, AttributeError, TypeError):
            raise Unproven(_broken(name, place)) from None
        sealed.close(at, last=last)
        if ended or sealed.block != [seal]:
            raise Unproven(_broken(name, place))
        count, ended = count + len(events), last
        for event in events:
            hear(event)
    if not ended:
        raise Unproven(f"{name} was cut off: its last seal is missing")
    return sealed.chain(count)


def _blocks(lines: Iterable[bytes]) -> Iterator[tuple[list[bytes], bytes]]:
    """Each block with the line behind it, which should be its seal; empty where the file ends without one."""
    block: list[bytes] = []
    for line in lines:
        if block and (line.startswith(_SEAL) or len(block) > BLOCK):
            yield block, line
            block = []
        block.append(line)
    if len(block) > 1:
        yield block, b""


def _broken(name: str, place: str) -> str:
    return f"{place} of {name}: one was changed, removed, moved or added"
