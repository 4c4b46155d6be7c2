"""The input file as text: decoded strictly, split into physical lines. It does not know CSV."""

import codecs
import io
import re
from collections.abc import Iterable, Iterator

from jobs.errors import Unusable
from jobs.intake.source import Source

_BEYOND_ASCII = re.compile(r"[A-Za-z]{0,2}[^\x00-\x7f][A-Za-z]{0,2}")
LINE_LIMIT = 16 << 20
"""Characters of one physical line. Chosen: 256 fields of the longest size."""


def decoded(source: Source, chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """`chunks` as text, without a byte order mark. Raises Unusable with byte, line and column of what is no text."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = line = column = 0
    first = True
    for chunk in _then_none(chunks):
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeError as error:
            raise _undecodable(source, error, encoding, (offset - len(pending), line, column)) from None
        offset += len(chunk or b"")
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        breaks = text.count("\n")
        line += breaks
        column = len(text) - text.rfind("\n") - 1 if breaks else column + len(text)
        if text:
            yield text


def doubting(source: Source, chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """`chunks` as they are. Raises Unusable at their end: `encoding` was declared, and the file is UTF-8.

    Text in another encoding is no valid UTF-8 by chance, as soon as it has some letters beyond ASCII. Of very few signs
    of two bytes nobody can tell; they are not guessed at. UTF-16 has a NUL in each delimiter and end of line.
    """
    if encoding.startswith("utf-8"):
        yield from chunks
        return
    decoder, seen = codecs.getincrementaldecoder("utf-8")("strict"), ""
    wide = encoding.startswith(("utf-16", "utf-32"))
    valid = True
    for chunk in _then_none(chunks):
        if valid and not (chunk is not None and chunk.isascii() and not decoder.getstate()[0]):
            try:
                text = decoder.decode(chunk or b"", final=chunk is None)
            except UnicodeDecodeError:
                valid = False
            else:
                seen = seen or _beyond_ascii(text)
        if valid and wide and chunk:
            valid, seen = b"\x00" not in chunk, seen or chunk[:4].decode("ascii", "ignore")
        if chunk is not None:
            yield chunk
    if valid and seen:
        raise Unusable(
            f"{source.name} is UTF-8 from end to end, and --encoding says {encoding}: "
            f"it holds {seen!r}, which would be sent as {seen.encode().decode(encoding, 'replace')!r}",
            hint=f"leave --encoding out; if it is {encoding} none the less, save it as UTF-8",
        )


def _beyond_ascii(text: str) -> str:
    """The first sign that is not ASCII, with at most two letters on each side: enough to know it by, no whole name."""
    found = _BEYOND_ASCII.search(text)
    return found[0] if found else ""


class Lines:
    """Physical lines with their ends (LF, CRLF, lone CR), and what was seen on the way.

    `quotes`, `lone_cr`, `marks` (NUL or byte order mark): whether the text read so far holds any; polars drops such a
    mark at the start of the first row. `count`: ends of lines, LF only.
    """

    def __init__(self, source: Source, texts: Iterable[str]) -> None:
        self._source = source
        self._texts = texts
        self.quotes = False
        self.lone_cr = False
        self.marks = False
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        tail = ""
        fed = False
        for text in self._texts:
            cut = text.rfind("\n") + 1
            if not cut:
                tail += text
                self._refuse_endless(tail)
                continue
            block, tail, fed = tail + text[:cut], text[cut:], True
            self._look(block)
            yield from io.StringIO(block, newline="")
        self._look(tail)
        if self.lone_cr and not fed:
            self._refuse_cr()
        yield from io.StringIO(tail, newline="")

    def _look(self, block: str) -> None:
        self.count += block.count("\n") + (block[-1:] not in ("", "\n"))
        self.quotes = self.quotes or '"' in block
        self.marks = self.marks or "\x00" in block or "\ufeff" in block
        self.lone_cr = self.lone_cr or block.count("\r") != block.count("\r\n")

    def _refuse_endless(self, tail: str) -> None:
        if len(tail) <= LINE_LIMIT:
            return
        if "\r" in tail:
            self._refuse_cr()
        raise Unusable(
            f"{self._source.name} has a line of more than {LINE_LIMIT:,} characters; it is no CSV of customers"
        )

    def _refuse_cr(self) -> None:
        raise Unusable(
            f"{self._source.name} ends its lines with CR only (old Macintosh); save it with LF or CRLF line ends"
        )


def _then_none(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from chunks
    yield None


def _undecodable(source: Source, error: UnicodeError, encoding: str, at: tuple[int, int, int]) -> Unusable:
    offset, line, column = at
    shown = "UTF-8" if encoding.startswith("utf-8") else encoding
    if not isinstance(error, UnicodeDecodeError):
        return Unusable(f"{source.name} is not {shown}: the text can't be decoded after line {line + 1}")
    good = error.object[: error.start].decode(encoding, "ignore")
    breaks = good.count("\n")
    column = len(good) - good.rfind("\n") if breaks else column + len(good) + 1
    advice = "try --encoding cp1252" if shown == "UTF-8" else "try another --encoding"
    return Unusable(
        f"{source.name} is not {shown}: byte {offset + error.start + 1:,} (0x{error.object[error.start]:02X}), "
        f"line {line + breaks + 1:,}, column {column:,}; {advice}"
    )
