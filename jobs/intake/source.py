"""The input file as bytes: what it is, its bytes from the disk, expanded. Memory stays flat whatever the file holds.

It looks at the first bytes, never at the name; text is for `jobs/lines.py`.
"""

import codecs
import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import zstandard

from jobs.disk import refuse_unwritable
from jobs.errors import Unusable
from jobs.privacy import file_names
from jobs.value import value

CHUNK = 1 << 20
SLICE = 1 << 10
"""Compressed bytes expanded at once. Chosen: deflate makes at most 1 MiB of them, zstd 32 MiB."""
EXPANSION_FREE = 64 << 20
EXPANSION_RATIO = 200
"""Chosen: beyond 64 MiB, more than 200 bytes out of one byte is a bomb; customer files reach 5 to 30."""
EXPANSION_MOST = 64 << 30
"""Chosen: 64 GiB of text is 50 times the largest file measured."""
ZSTD_WINDOW = 128 << 20

Compression = Literal["gzip", "zstd"]
Stamp = tuple[int, int, int, int]

_FOREIGN = (
    (b"PK\x03\x04", "is a ZIP archive or an Excel workbook (.xlsx); export the sheet as CSV"),
    (b"PK\x05\x06", "is an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook (.xls); export the sheet as CSV"),
    (b"BZh", "is compressed with bzip2; muster reads .gz and .zst"),
    (b"\xfd7zXZ\x00", "is compressed with xz; muster reads .gz and .zst"),
    (b"7z\xbc\xaf", "is a 7-Zip archive; muster reads .gz and .zst"),
    (b"PARE", "is encrypted; muster reads plain Parquet files"),
    (b"%PDF", "is a PDF document; muster reads CSV and Parquet"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class _Expander(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@value
class Source:
    """A regular file and how its bytes are packed. `stamp` changes when the file does (device, inode, size, mtime)."""

    path: Path
    stamp: Stamp
    parquet: bool
    compression: Compression | None

    @property
    def name(self) -> str:
        """What messages call the file."""
        return file_names.shown(self.path.name)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.stamp[2]

    def unchanged(self) -> None:
        """Raises Unusable when the file is no longer what was identified."""
        try:
            now = _stamp(self.path.stat())
        except OSError:
            now = (0, 0, 0, 0)
        if now != self.stamp:
            raise Unusable(f"{self.name} changed while it was read; wait until it is complete and start again")


def identify(path: Path) -> Source:
    """What `path` is, by its first bytes and never by its name. Raises Unusable."""
    refuse_unwritable(path)
    with _opened(path) as file:
        status = os.fstat(file.fileno())
        head = file.read(8)
    if not head:
        raise Unusable(f"{file_names.shown(path.name)} is empty")
    compression = _compression(head)
    if compression is None:
        _refuse_foreign(file_names.shown(path.name), head)
    return Source(path, _stamp(status), parquet=head[:4] == b"PAR1", compression=compression)


def raw(source: Source) -> Iterator[bytes]:
    """The bytes as they lie on the disk. Raises Unusable when the file changed meanwhile."""
    with _opened(source.path) as file:
        while chunk := file.read(CHUNK):
            yield chunk
    source.unchanged()


def sha256(source: Source) -> str:
    """Hex digest of the bytes as they lie on the disk."""
    digest = hashlib.sha256()
    for chunk in raw(source):
        digest.update(chunk)
    return digest.hexdigest()


def expanded(source: Source, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks` decompressed, member after member. Raises Unusable: cut short, damaged, or a bomb."""
    if source.compression is None:
        yield from chunks
        return
    compression = source.compression
    expander: _Expander | None = None
    taken = given = 0
    early = b""
    for chunk in chunks:
        for start in range(0, len(chunk), SLICE):
            piece = chunk[start : start + SLICE]
            taken += len(piece)
            while piece:
                if expander is None or expander.eof:
                    piece, early = early + piece, b""
                    if not piece.strip(b"\x00"):
                        break  # padding after the last member
                    if len(piece) < 4:
                        early = piece  # too little to know what begins here
                        break
                    expander = _Skipped() if _skippable(piece) else _expander(compression)
                block = _expand(source, expander, piece)
                given += len(block)
                refuse_bomb(source, taken, given)
                if block:
                    yield block
                piece = expander.unused_data if expander.eof else b""
    if early or expander is None or not expander.eof:
        raise Unusable(f"{source.name} is cut short: its {compression} stream ends in the middle")


def encoding_of(source: Source, head: bytes, declared: str | None) -> str:
    """The text encoding: as declared, else by byte order mark, else UTF-8. Raises Unusable."""
    if _compression(head) or head[:4] == b"PAR1":
        raise Unusable(f"{source.name} holds another packed file inside its compression; unpack it once")
    _refuse_foreign(source.name, head)
    found = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    told = None if declared is None else _agreeing(source, _declared(declared), found)
    order = {b"\x00\x01\x00\x01": "be", b"\x01\x00\x01\x00": "le"}.get(bytes(byte > 0 for byte in head[:4]))
    if found is None and order and told not in ("utf-16", f"utf-16-{order}"):
        raise Unusable(
            f"{source.name} holds NUL bytes at its start, as UTF-16 without a byte order mark does; "
            f"if it is that, say --encoding utf-16-{order}"
        )
    return told or found or "utf-8"


def _opened(path: Path) -> BinaryIO:
    named = file_names.shown(path.name or path)
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unusable(f"{named} can't be read: {(error.strerror or 'unknown error').lower()}") from None
    except ValueError:
        raise Unusable("the path of the input file holds a NUL character") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise Unusable(f"{named} is no regular file; muster reads its input more than once, so save it first")
    return os.fdopen(number, "rb")


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _compression(head: bytes) -> Compression | None:
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") or _skippable(head) else None


def _skippable(head: bytes) -> bool:
    """A frame of zstd that holds something for others (RFC 8878, 3.1.2)."""
    return len(head) >= 4 and 0x50 <= head[0] <= 0x5F and head[1:4] == b"\x2a\x4d\x18"


class _Skipped:
    """Swallows one skippable frame: magic, length in four bytes, content."""

    def __init__(self) -> None:
        self._head = b""
        self._left: int | None = None
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return self._left == 0

    def decompress(self, data: bytes, /) -> bytes:
        if self._left is None:
            self._head += data
            if len(self._head) < 8:
                return b""
            self._left, data = int.from_bytes(self._head[4:8], "little"), self._head[8:]
        taken = min(self._left, len(data))
        self._left -= taken
        self.unused_data = data[taken:]
        return b""


def _refuse_foreign(name: str, head: bytes) -> None:
    for magic, sentence in _FOREIGN:
        if head.startswith(magic):
            raise Unusable(f"{name} {sentence}")


def _expander(compression: Compression) -> _Expander:
    if compression == "gzip":
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()


def _expand(source: Source, expander: _Expander, piece: bytes) -> bytes:
    try:
        return expander.decompress(piece)
    except (zlib.error, zstandard.ZstdError):
        raise Unusable(f"{source.name} is damaged: its {source.compression} stream can't be expanded") from None


def refuse_bomb(source: Source, taken: int, given: int) -> None:
    """Raises Unusable when `given` bytes are too many to have come out of `taken`."""
    if given > EXPANSION_MOST or (given > EXPANSION_FREE and given > taken * EXPANSION_RATIO):
        raise Unusable(
            f"{source.name} expands to more than {EXPANSION_RATIO} times its size or {EXPANSION_MOST >> 30} GiB; "
            "unpack it yourself if that is meant"
        )


def _declared(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        raise Unusable(f"--encoding {name!r} is no encoding that Python knows; try utf-8, cp1252 or utf-16") from None
    if not getattr(codec, "_is_text_encoding", True):
        raise Unusable(f"--encoding {name!r} is no text encoding; try utf-8, cp1252 or utf-16")
    if codec.name == "utf-7":
        raise Unusable("--encoding utf-7 is not read: one text has many spellings in it; save the file as UTF-8")
    return codec.name


def _agreeing(source: Source, declared: str, found: str | None) -> str:
    """What the byte order mark says where `declared` is the same thing. Raises Unusable where it is not."""
    if found is None:
        return declared
    family = found.removesuffix("-sig")
    if declared.removesuffix("-sig").removesuffix("-le").removesuffix("-be") == family:
        return found
    raise Unusable(
        f"{source.name} begins with the byte order mark of {family.upper()}, and --encoding says {declared}",
        hint="leave --encoding out",
    )
