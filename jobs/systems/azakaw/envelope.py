"""Azakaw's envelope around every reply but a PDF: `version`, `statusCode`, `messages`, `result`. Nothing here sends."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.privacy import masking
from jobs.systems.json_reply import Unreadable, parsed
from jobs.systems.messages import ReadFailed, Reply, Request, Trace
from jobs.systems.verdict import Again, Doubted, Ended, Taken, Throttled
from jobs.transport.retry import retry_after_seconds

PDF = b"%PDF-"
"""What every PDF begins with."""

UNAVAILABLE = frozenset({403, 404, 405, 501})
"""Statuses with which an operation is not there for this credential."""

DUPLICATE_WORDS = ("already exist", "already registered", "duplicate")
"""Chosen: how a 400 may say that it exists already; the documented word is status 409, "Resource already exists"."""

_SHORTEST_NAME = 3
"""Chosen: shorter names are parts of ordinary words."""


@lru_cache(maxsize=2)
def _content(body: bytes) -> Any:
    """The body as JSON, kept because one reply is asked about several times and a list is long. Raises Unreadable."""
    return parsed(Reply(200, {}, body, datetime.min.replace(tzinfo=UTC)))


def code_of(reply: Reply) -> int | None:
    """`statusCode`; None when the body is no envelope, or has none."""
    if reply.body[:1] != b"{":
        return None
    try:
        code = _content(reply.body).get("statusCode")
    except Unreadable:
        return None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def fine(code: int) -> bool:
    """Whether a `statusCode` is a success: 2xx, or the 0 that profiles are read with."""
    return code == 0 or 200 <= code < 300


def status_of(reply: Reply) -> int:
    """The worse of the HTTP status and `statusCode`; a code that is no HTTP status counts as 500."""
    code = code_of(reply)
    if code is None or fine(code):
        return reply.status
    return max(reply.status, code if 100 <= code <= 599 else 500)


def trace_of(reply: Reply) -> Trace:
    """HTTP status, and `statusCode` of a refusal; Azakaw has no trace ids."""
    code = code_of(reply)
    return Trace(reply.status, None if code is None or fine(code) else str(code)[:40])


def result_of(reply: Reply) -> Any:
    """`result` of a success. Raises Unreadable, also for an envelope without `statusCode` or with a refusal."""
    body = _content(reply.body)
    if not isinstance(body, dict):
        raise Unreadable(f"expected an object, got {type(body).__name__}")
    code = code_of(reply)
    if code is None or not fine(code):
        raise Unreadable("it has no statusCode of success")
    if body.get("result") is None:
        raise Unreadable("it has no result")
    return body["result"]


def readable(reply: Reply) -> bool:
    """Whether the body is a whole JSON document, or a PDF from its beginning to its end."""
    if reply.body.startswith(PDF):
        return b"%%EOF" in reply.body[-1024:]
    try:
        _content(reply.body)
    except Unreadable:
        return False
    return True


def description_of(reply: Reply, names: Iterable[str] = ()) -> str:
    """The target's own words, masked and cut to 200 characters, `names` too; the status when it said nothing."""
    try:
        body = _content(reply.body)
    except Unreadable:
        body = None
    given = body.get("messages") if isinstance(body, dict) else None
    words = "; ".join(each for each in given if isinstance(each, str)) if isinstance(given, list) else ""
    for name in names:
        words = words.replace(name, masking.name(name)) if len(name) >= _SHORTEST_NAME else words
    printable = "".join(char if char.isprintable() else " " for char in words)
    return masking.text(printable)[:200] or f"HTTP {status_of(reply)}"


def refusal(reply: Reply, names: Iterable[str] = ()) -> Again | Ended | Doubted | Taken | Throttled:
    """What any reply to a write but a success means. `names` are masked in the target's words."""
    status, trace, words = status_of(reply), trace_of(reply), description_of(reply, names)
    if status == 429:
        return Throttled(retry_after_seconds(reply.headers, reply.received_at), trace)
    if status == 409 or (status == 400 and any(word in words.casefold() for word in DUPLICATE_WORDS)):
        return Taken(words, trace)
    if 300 <= status < 400:
        reason = "the target answered with a redirect, which is never followed"
        return Ended(Outcome.FAILED, "redirected", reason, trace=trace)
    if status == 403:
        return Ended(Outcome.REJECTED, "forbidden", words, trace=trace)
    if status == 408 or status >= 500 or status < 200:
        return doubtful(reply, "server_error", f"the target answered HTTP {status}")
    return Ended(Outcome.REJECTED, "refused_by_target", words, trace=trace)


def doubtful(reply: Reply, code: str, reason: str) -> Doubted:
    """A reply that does not say whether the write was applied.

    It counts like none at all, so that no more is sent after it than after a lost one: no key makes a repetition
    harmless here.
    """
    return Doubted(code, reason, answered=False, trace=trace_of(reply))


def refused_read(request: Request, reply: Reply) -> Exception:
    """The exception for a read that the target refused."""
    words = description_of(reply)
    if status_of(reply) == 403:
        return NotPermitted(
            f"the credential may not {request.operation.replace('_', ' ')}: {words}",
            hint="ask the vendor for the permission",
        )
    return ReadFailed(f"{request.operation}: {words}", trace_of(reply))
