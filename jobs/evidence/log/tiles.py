"""The log as files, as c2sp.org/tlog-tiles lays them out: `checkpoint`, `tile/LEVEL/N`, `tile/entries/N`.

Whoever serves the folder as it is serves a log that foreign programs read. Entries are hashes and ids of runs: nothing
in them is personal, and nothing is ever taken out.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobs.atomic import atomic
from jobs.errors import Unproven
from jobs.evidence.log import merkle
from jobs.evidence.log.checkpoint import Checkpoint, parsed
from jobs.evidence.manifest import Signer

WIDTH = 256
"""Hashes of a full tile, by the specification."""

CHECKPOINT = "checkpoint"


class Log:
    """The log in a folder, which is made with its first entry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self) -> Checkpoint | None:
        """The newest one; None: there is no log yet. Raises Unproven when it is none."""
        path = self.folder / CHECKPOINT
        return parsed(path.read_text(encoding="utf-8")) if path.exists() else None

    def entries(self) -> list[bytes]:
        """All entries that the checkpoint counts. Raises Unproven when one is missing."""
        known = self.checkpoint()
        size = known.size if known is not None else 0
        found: list[bytes] = []
        for number in range((size + WIDTH - 1) // WIDTH):
            path = self.folder / _place("entries", number, min(WIDTH, size - number * WIDTH))
            try:
                found += _unbundled(path.read_bytes())
            except OSError as error:
                raise Unproven(f"{path} of the log can't be read: {error.strerror}") from None
        if len(found) < size:
            raise Unproven(f"the log {self.folder} has {len(found)} entries, its checkpoint counts {size}")
        return found[:size]

    def extend(self, known: Sequence[bytes], more: Sequence[bytes], origin: str, sign: Signer | None) -> Checkpoint:
        """Appends `more` behind `known`, which are all entries; the checkpoint is written last."""
        entries = [*known, *more]
        leaves = [merkle.leaf(entry) for entry in entries]
        bundles = [(_bundled(entries[first : first + WIDTH]), first) for first in range(0, len(entries), WIDTH)]
        for bundle, first in bundles:
            self._write(_place("entries", first // WIDTH, min(WIDTH, len(entries) - first)), bundle)
        for level, hashes in enumerate(_levels(leaves)):
            for first in range(0, len(hashes), WIDTH):
                tile = hashes[first : first + WIDTH]
                self._write(_place(str(level), first // WIDTH, len(tile)), b"".join(tile))
        made = Checkpoint(origin, len(leaves), merkle.root(leaves)).signed(sign)
        self._write(Path(CHECKPOINT), made.note.encode())
        return made

    def problems(self) -> list[str]:
        """What is wrong with it; empty when its entries have the root of its checkpoint, or when there is none."""
        try:
            known = self.checkpoint()
            if known is None:
                return []
            found = merkle.root(map(merkle.leaf, self.entries()))
        except Unproven as error:
            return [error.message]
        return [] if found == known.root else [f"the entries of the log {self.folder} are not those of its checkpoint"]

    def lacks(self, before: Checkpoint) -> str | None:
        """Why the log does not begin with what `before` counted; None: all of it is still there."""
        leaves = [merkle.leaf(entry) for entry in self.entries()]
        if before.size > len(leaves):
            return f"a checkpoint counts {before.size} entries, the log has {len(leaves)}: some were taken away"
        if merkle.root(leaves[: before.size]) != before.root:
            return f"the first {before.size} entries of the log are not those of an earlier checkpoint"
        return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block in which nobody else appends. The drafts of a command that was killed in one are removed first."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for draft in self.folder.rglob(".*.tmp"):
                draft.unlink()
            yield
        finally:
            os.close(descriptor)

    def _write(self, place: Path, content: bytes) -> None:
        path = self.folder / place
        if path.exists() and path.read_bytes() == content:
            return
        for around in reversed(place.parents):
            (self.folder / around).mkdir(mode=0o700, exist_ok=True)
        with atomic(path) as draft:
            draft.write_bytes(content)


def _levels(leaves: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The hashes of each level of tiles: those of one are the roots over 256 of the one below."""
    hashes = leaves
    while hashes:
        yield hashes
        whole = len(hashes) // WIDTH
        hashes = [merkle.root(hashes[place * WIDTH : (place + 1) * WIDTH]) for place in range(whole)]


def _place(level: str, number: int, width: int) -> Path:
    """`tile/0/x001/x234/067`, with `.p/WIDTH` behind it where the tile is not full."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    path = Path("tile", level, *groups)
    return path if width == WIDTH else path.with_name(f"{path.name}.p") / str(width)


def _bundled(entries: Sequence[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _unbundled(bundle: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(bundle):
        end = place + 2 + int.from_bytes(bundle[place : place + 2], "big")
        yield bundle[place + 2 : end]
        place = end
