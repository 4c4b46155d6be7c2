"""Merkle trees as of RFC 6962, section 2.1, with SHA-256: roots, proofs of inclusion and of consistency. Pure.

Hashes are 32 bytes. A tree is given by the hashes of its leaves, oldest first.
"""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf(content: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\0" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over all leaves, in one pass."""
    whole: list[tuple[int, bytes]] = []  # the roots of complete subtrees, each with its height, high ones first
    for found in leaves:
        height, top = 0, found
        while whole and whole[-1][0] == height:
            top = node(whole.pop()[1], top)
            height += 1
        whole.append((height, top))
    if not whole:
        return EMPTY
    _, top = whole.pop()
    while whole:
        top = node(whole.pop()[1], top)
    return top


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the leaf at `index` (from 0) to the root, the nearest first."""
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root(leaves[middle:high]))
            high = middle
        else:
            path.append(root(leaves[low:middle]))
            low = middle
    return path[::-1]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The hashes that show that the first `size` leaves (at least 1) are still the same, as of RFC 6962, 2.1.2."""
    path: list[bytes] = []
    low, high, whole = 0, len(leaves), True
    while size < high - low:
        half = _split(high - low)
        if size <= half:
            path.append(root(leaves[low + half : high]))
            high = low + half
        else:
            path.append(root(leaves[low : low + half]))
            low, size, whole = low + half, size - half, False
    return ([] if whole else [root(leaves[low:high])]) + path[::-1]


def root_by_inclusion(found: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which `path` leads from the leaf hash `found`; None when it is no path of such a tree."""
    place, last, top = index, size - 1, found
    if not 0 <= index < size:
        return None
    for beside in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            top = node(beside, top)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            top = node(top, beside)
        place, last = place // 2, last // 2
    return top if last == 0 else None


def is_consistent(size: int, before: bytes, now_size: int, now: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows that the tree with the root `now` begins with that of `before` (RFC 9162, 2.1.4.2)."""
    if not 0 < size <= now_size:
        return False
    if size == now_size:
        return before == now and not path
    hashes = [before, *path] if size & (size - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = size - 1, now_size - 1
    while place % 2:
        place, last = place // 2, last // 2
    old = new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = node(beside, old), node(beside, new)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            new = node(new, beside)
        place, last = place // 2, last // 2
    return old == before and new == now and last == 0


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
