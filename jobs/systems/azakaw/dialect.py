"""How Azakaw speaks: an envelope around every reply but a PDF, with `version`, `statusCode`, `messages`, `result`."""

from typing import Any

from jobs.privacy import masking
from jobs.systems.dialect import Dialect
from jobs.systems.json_reply import Unreadable, is_json, parsed
from jobs.systems.messages import Reply, Trace
from jobs.systems.row import Row

PDF = b"%PDF-"
"""What every PDF begins with."""

NAMES = ("first_name", "last_name", "legal_name", "trading_name", "registration_number")
"""Columns that the target may quote in a refusal."""

DUPLICATE_WORDS = ("already exist", "already registered", "duplicate")
"""Chosen: how a 400 may say that it exists already; the documented word is status 409, "Resource already exists"."""

_SHORTEST_NAME = 3
"""Chosen: shorter names are parts of ordinary words."""


class AzakawDialect(Dialect):
    """The worse of two statuses counts, the envelope's `statusCode` and HTTP's; there are no trace ids."""

    rights = "ask the vendor for the permission"

    def status_of(self, reply: Reply) -> int:
        """The worse of the HTTP status and `statusCode`; a code that is no HTTP status counts as 500."""
        code = code_of(reply)
        if code is None or fine(code):
            return reply.status
        return max(reply.status, code if 100 <= code <= 599 else 500)

    def content_of(self, reply: Reply) -> Any:
        """The member `result`. Raises Unreadable, also for an envelope without `statusCode` or with a refusal."""
        body = parsed(reply)
        if not isinstance(body, dict):
            raise Unreadable(f"expected an object, got {type(body).__name__}")
        code = code_of(reply)
        if code is None or not fine(code):
            raise Unreadable("it has no statusCode of success")
        if body.get("result") is None:
            raise Unreadable("it has no result")
        return body["result"]

    def trace_of(self, reply: Reply) -> Trace:
        """HTTP status, and `statusCode` of a refusal."""
        code = code_of(reply)
        return Trace(reply.status, None if code is None or fine(code) else masking.mark(str(code), 40))

    def words_of(self, reply: Reply, row: Row | None = None) -> str:
        """The target's own words, masked and cut to 200 characters, the names of `row` too; else the status."""
        try:
            body = parsed(reply)
        except Unreadable:
            body = None
        given = body.get("messages") if isinstance(body, dict) else None
        words = "; ".join(each for each in given if isinstance(each, str)) if isinstance(given, list) else ""
        for name in [row.get(column) or "" for column in NAMES] if row else ():
            words = words.replace(name, masking.name(name)) if len(name) >= _SHORTEST_NAME else words
        return masking.line(words)[:200] or f"HTTP {self.status_of(reply)}"

    def readable(self, reply: Reply) -> bool:
        """Whether the body is a whole JSON document, or a PDF from its beginning to its end."""
        return b"%%EOF" in reply.body[-1024:] if reply.body.startswith(PDF) else is_json(reply)

    def exists(self, reply: Reply, words: str) -> bool:
        """Whether it is a 409, or a 400 that says so in words."""
        status = self.status_of(reply)
        return status == 409 or (status == 400 and any(word in words.casefold() for word in DUPLICATE_WORDS))

    def answered(self, reply: Reply) -> bool:
        """Says no: without a key no more may be sent after a doubtful reply than after a lost one."""
        return False

    def own(self, reply: Reply) -> bool:
        """Whether it is an envelope."""
        return code_of(reply) is not None


def code_of(reply: Reply) -> int | None:
    """`statusCode`; None when the body is no envelope, or has none."""
    try:
        body = parsed(reply) if reply.body[:1] == b"{" else {}
    except Unreadable:
        return None
    code = body.get("statusCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def fine(code: int) -> bool:
    """Whether a `statusCode` is a success: 2xx, or the 0 that profiles are read with."""
    return code == 0 or 200 <= code < 300


DIALECT = AzakawDialect()
