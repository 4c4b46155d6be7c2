"""Documents that a row names by file: looked at when the input is read, read again at the moment of sending.

A reference is a path below one folder. It never leads out of that folder, be it by `..`, by an absolute path or by
a link, because who writes an input file must not choose what is read on this machine. Names are personal: they stand
in no message.
"""

import os
import stat
from collections.abc import Collection
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from jobs.model import Outcome
from jobs.systems.verdict import Unsendable
from jobs.value import value

MOST_BYTES = 5 << 20
"""Of one document (chosen): a third more in base64, which a request still carries in seconds."""

MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}
"""What each kind of document begins with. The name of a file says nothing."""

SEALED = "SHA256SUMS"
"""What the folder of a run, and of downloaded profiles, holds: no document of an input lies there."""

KINDS = frozenset(MAGIC.values())


class Unfit(Exception):
    """The file can't be sent. The message says why, without its name."""


@value
class Attachment:
    """A document as it is sent. To be dropped once it was: contents are never kept for a whole batch."""

    media_type: str
    content: bytes = field(repr=False)


def read(folder: Path, reference: str, most_bytes: int = MOST_BYTES, kinds: Collection[str] = KINDS) -> Attachment:
    """The document that `reference` names below `folder`.

    `most_bytes`: of the file itself; base64 makes a third more. `kinds`: media types that are taken, of KINDS.
    Raises Unsendable with `document_unreadable`.
    """
    try:
        with opened(folder, reference, most_bytes) as file:
            content = file.read(most_bytes + 1)
        return Attachment(media_type(content, most_bytes, kinds), content)
    except Unfit as error:
        why = f"a document of this row can't be sent: {error}"
        raise Unsendable("document_unreadable", why, Outcome.FAILED) from None  # once it is back: muster retry


def defect(folder: Path, reference: str, most_bytes: int = MOST_BYTES, kinds: Collection[str] = KINDS) -> str | None:
    """Why the document can't be sent, without its name; None when it can. Reads its first bytes only."""
    try:
        with opened(folder, reference, most_bytes) as file:
            media_type(file.read(max(map(len, MAGIC))), most_bytes, kinds)
    except Unfit as error:
        return str(error)
    return None


def opened(folder: Path, reference: str, most_bytes: int) -> BinaryIO:
    """The file, for reading: a regular one below `folder`, neither empty nor too large. Raises Unfit."""
    try:
        path, top = (folder / reference).resolve(strict=True), folder.resolve(strict=True)
        if not path.is_relative_to(top):
            raise Unfit("it lies outside of the folder of documents")
        if any((each / SEALED).exists() for each in path.parents[: len(path.parents) - len(top.parents)]):
            raise Unfit("it lies in the folder of a run, which holds other people's data")
        # O_NONBLOCK: a pipe put in its place must not hold the run; O_NOFOLLOW: nor a link that came meanwhile
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError, RuntimeError) as error:
        raise Unfit(getattr(error, "strerror", None) or "its path is unusable") from None
    found = os.fstat(number)
    if stat.S_ISREG(found.st_mode) and 0 < found.st_size <= most_bytes:
        return os.fdopen(number, "rb")
    os.close(number)
    if not stat.S_ISREG(found.st_mode):
        raise Unfit("it is no regular file")
    raise Unfit(f"it is larger than {most_bytes:,} bytes" if found.st_size else "it is empty")


def media_type(content: bytes, most_bytes: int, kinds: Collection[str]) -> str:
    """By the first bytes. Raises Unfit for another kind, and for a file that grew meanwhile."""
    if len(content) > most_bytes:
        raise Unfit(f"it is larger than {most_bytes:,} bytes")
    for magic, kind in MAGIC.items():
        if content.startswith(magic) and kind in kinds:
            return kind
    names = sorted(kind.rpartition("/")[2].upper() for kind in kinds)
    raise Unfit(f"it is neither of {', '.join(names)}")
