"""One answer as its bytes come in: what they mean, whether it is whole, and whether anything is left behind it.

The grammar is llhttp's, through httptools, which refuses what different readers would read differently: bare line
feeds, folded headers, two lengths, a length beside chunks. Nothing is known of connections here.
"""

import zlib
from functools import lru_cache

import httptools

from jobs.systems.messages import MOST_BYTES

MAX_HEADER_BYTES = 64 * 1024

MOST_INTERIM = 20
"""Chosen: so many answers of the kind 1xx are let pass before the one that counts."""

WITHOUT_BODY = frozenset({204, 304})
"""They end with their head, whatever that says of a length."""

BEGINNING = b"HTTP/1."


class Unreadable(Exception):
    """The bytes are no answer that can be used. `why`, in words that quote nothing of it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Answer:
    """The answer that counts, after those of the kind 1xx. `done` when it is whole.

    `head_only`: it answers a HEAD, so that it has no body whatever it says. `most`: the largest body, in bytes.
    """

    __slots__ = (
        "_begun",
        "_head_only",
        "_heads",
        "_interim",
        "_most",
        "_parser",
        "_parts",
        "_quiet",
        "_size",
        "_steps",
        "_to_its_end",
        "_why",
        "done",
        "headers",
        "keeps",
        "left",
        "status",
    )

    def __init__(self, *, head_only: bool = False, most: int = MOST_BYTES) -> None:
        self.status: int | None = None
        """None until its head was read."""
        self.headers: dict[str, str] = {}
        """Names in lower case; what came twice is joined by a comma. Trailers are not among them."""
        self.done = self.left = self.keeps = False
        """`left`: bytes came behind it. `keeps`: the target will take another request on the connection."""
        self._head_only, self._most = head_only, most
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._size = self._heads = self._interim = self._steps = self._quiet = 0
        self._begun, self._to_its_end, self._why = b"", False, ""

    @property
    def body(self) -> bytes:
        """As it came, without chunks."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def take(self, data: bytes) -> None:
        """Reads on. Raises Unreadable.

        The last byte is read by itself: an answer that was whole before it has something left behind.
        """
        if len(self._begun) < len(BEGINNING):
            self._begun += data[: len(BEGINNING)]
            if not self._begun.startswith(BEGINNING[: len(self._begun)]):
                raise Unreadable("what came is no HTTP")
        before = self._steps
        if len(data) > 1:
            self._read(data[:-1])
        if self.done:
            self.left = True
        else:
            self._read(data[-1:])
        if self._steps != before:
            self._quiet = 0
            return
        self._quiet += len(data)
        if self._quiet > MAX_HEADER_BYTES:
            raise Unreadable("the answer's headers are too large")

    def end(self) -> None:
        """The target hung up, which ends an answer that has no length. Raises Unreadable where it had not ended."""
        if not self._to_its_end:
            raise Unreadable("the answer was cut" if self.status is not None else "the connection ended")
        self._finish(keeps=False)

    def _read(self, part: bytes) -> None:
        parser = self._parser
        assert parser is not None
        try:
            parser.feed_data(part)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.done:  # else it is what came behind that can't be read
                raise Unreadable(self._why or "what came is no HTTP") from None

    def on_message_begin(self) -> None:
        """A head begins; behind a whole answer nothing is read."""
        if self.done:
            self._refuse("more than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._steps += 1
        self._heads += len(name) + len(value)
        if self._heads > MAX_HEADER_BYTES:
            self._refuse("the answer's headers are too large")
        if self.status is None:
            key, text, headers = _name(name), _text(value), self.headers
            headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """The head is whole: how the answer will end is decided."""
        self._steps += 1
        parser = self._parser
        assert parser is not None
        status = parser.get_status_code()
        if status < 100 or status == 101 or parser.get_http_version() not in {"1.1", "1.0"}:
            self._refuse("what came is no HTTP")
        if status < 200:
            return
        self.status = status
        chunks = self.headers.get("transfer-encoding")
        if chunks is not None and chunks.lower() != "chunked":
            self._refuse("the answer comes in a way that was not asked for")
        if self._head_only or status in WITHOUT_BODY:
            self._finish(keeps=parser.should_keep_alive())
        else:
            self._to_its_end = chunks is None and "content-length" not in self.headers

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.done:
            return
        self._steps += 1
        self._size += len(data)
        if self._size > self._most:
            self._refuse("the answer is too large")
        self._parts.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole, or one of the kind 1xx is."""
        parser = self._parser
        if self.done or parser is None:
            return
        if self.status is not None:
            self._finish(keeps=parser.should_keep_alive())
            return
        self._interim += 1
        self.headers.clear()
        if self._interim > MOST_INTERIM:
            self._refuse("too many interim answers")

    def _finish(self, *, keeps: bool) -> None:
        parser = self._parser
        assert parser is not None
        self.done, self.keeps = True, keeps and parser.get_http_version() == "1.1"
        self._parser = None  # which holds this: the two would wait for the collector

    def _refuse(self, why: str) -> None:
        self._why = self._why or why
        raise Unreadable(why)


@lru_cache(maxsize=256)
def _name(name: bytes) -> str:
    return name.lower().decode("ascii")


def _text(value: bytes) -> str:
    """A header's value: ASCII nearly always, then UTF-8, then what HTTP meant once."""
    try:
        return value.decode().strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()


def unpacked(body: bytes, encoding: str, most: int = MOST_BYTES) -> bytes:
    """`body` without its content coding, never grown beyond `most`: a bomb grows a thousandfold. Raises Unreadable."""
    coding = encoding.strip().lower()
    if coding in {"", "identity"} or not body:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise Unreadable("the answer is packed in a way that was not asked for")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise Unreadable("the answer is not the gzip that it says it is") from None
    if len(plain) > most:
        raise Unreadable("the answer is too large")
    if not unpacking.eof:
        raise Unreadable("the answer was cut (gzip)")
    return plain
