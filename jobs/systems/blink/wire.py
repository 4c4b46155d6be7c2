"""bLink's replies as values: problems, pages, what a read or a refused write means. Nothing here knows a row."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems.json_reply import Unreadable, record_of, records_of, text_of
from jobs.systems.messages import Reader, ReadFailed, Reply, Request, Trace
from jobs.systems.retry_after import retry_after_seconds
from jobs.systems.row import View
from jobs.systems.verdict import Doubted, Ended, Throttled, Unclear

PAGE_SIZE = 100
"""Chosen; the specification only says 1 or more, and a bank may give less."""

MOST_PAGES = 10_000
"""Chosen: a listing of more than a million customers is no listing."""

CURSORS = ("nextcursor", "x-next-cursor")
"""Headers of the next page: that of OpenWealth, and that of another module of bLink."""

KINDS = frozenset(
    {
        "invalidPayload",
        "malformedPayload",
        "invalidToken",
        "expiredToken",
        "insufficientPrivileges",
        "noAccessToResource",
        "resourceDoesNotExist",
        "resourceNotReady",
        "resourceTooLarge",
        "wrongMethod",
        "operationNotAllowed",
        "technicalError",
        "notImplemented",
        "serviceUnavailable",
    }
)
"""The types of problem that the specification has; any other text is the bank's own and is not repeated."""

REDIRECTED = "the target answered with a redirect, which is never followed"

NOT_OFFERED = frozenset({405, 501})
"""Statuses with which a bank says that it has no such operation."""


class NotOffered(ReadFailed):
    """The bank has no such operation."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation}: the bank does not offer it")
        self.operation = operation


def kind_of(reply: Reply) -> str | None:
    """The type of the problem, where the reply is one and the type is one of the specification's."""
    try:
        kind = record_of(reply).get("type")
    except Unreadable:
        return None
    last = kind.rsplit("/", 1)[-1] if isinstance(kind, str) else ""
    return last if last in KINDS else None


def refuses_a_grant(reply: Reply) -> bool:
    """Whether it is a problem of the specification's, or names an `error` as RFC 6749, 5.2 has it."""
    try:
        return kind_of(reply) is not None or text_of(record_of(reply), "error") is not None
    except Unreadable:
        return False


def trace_of(reply: Reply) -> Trace:
    """Status, type of problem, and the correlation id that came back."""
    correlation = reply.headers.get("x-correlation-id", "")[:64]
    kind = None if reply.ok else kind_of(reply)
    return Trace(reply.status, kind, correlation if correlation.isprintable() and correlation else None)


def described(reply: Reply) -> str:
    """Status and type. The problem's own words are left out: they may quote names and contacts of the bank's client."""
    kind = kind_of(reply)
    return f"{kind} (HTTP {reply.status})" if kind else f"HTTP {reply.status}"


def forbidden(operation: str, reply: Reply) -> NotPermitted:
    """A refusal of the consent or the client as a whole."""
    return NotPermitted(
        f"the consent does not allow to {operation.replace('_', ' ')}: {described(reply)}",
        hint="check --tenant (the provider's id), the scope of the consent and the client's certificate",
    )


def refusal(operation: str, reply: Reply) -> Ended | Doubted | Throttled:
    """What any reply to a write but a 2xx means. Raises NotPermitted.

    A 5xx is not the bank's answer: the bank may have applied it behind the hub, so it counts as unanswered.
    """
    trace = trace_of(reply)
    if reply.status == 429:
        return Throttled(retry_after_seconds(reply.headers, reply.received_at), trace)
    if reply.status in NOT_OFFERED:
        return not_offered(operation, trace)
    if 300 <= reply.status < 400:
        return Ended(Outcome.FAILED, "redirected", REDIRECTED, trace=trace)
    if reply.status == 408 or reply.status >= 500 or reply.status < 200:
        return Doubted("server_error", f"the target answered HTTP {reply.status}", answered=False, trace=trace)
    if reply.status == 403 and kind_of(reply) != "noAccessToResource":
        raise forbidden(operation, reply)
    words = f"the bank refused it: {described(reply)}; the correlation id leads to its words"
    return Ended(Outcome.REJECTED, "refused_by_target", words, trace=trace)


def not_offered(operation: str, trace: Trace | None = None) -> Ended:
    """The end of a row that asks for what the bank does not have."""
    return Ended(Outcome.REJECTED, "not_offered", unoffered(operation), trace=trace or Trace())


def unoffered(operation: str) -> str:
    """In words."""
    return f"the bank does not offer to {operation.replace('_', ' ')}"


def doubtful(reply: Reply, why: str) -> Doubted:
    """A 2xx whose body does not prove what it should."""
    reason = f"the target answered HTTP {reply.status}, but {why}"
    return Doubted("unreadable_reply", reason, answered=True, trace=trace_of(reply))


def id_of(record: Mapping[str, Any], member: str) -> str | None:
    """An identification as text: a text as it is, or a positive whole number; None for anything else."""
    value = record.get(member)
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if type(value) is int and value > 0 else None


def acknowledged(view: View) -> bool:
    """Whether every write that is not seen yet was answered with a 2xx, so that sending it again could double it."""
    return view.doubt is not None and view.doubt.sent == 0 and view.said != REDIRECTED


def ended(view: View, outcome: Outcome, code: str, reason: str) -> Ended | Unclear:
    """The end of a row that needs no write, or can't have one; in doubt while a write of its own is unanswered."""
    return (
        Ended(outcome, code, reason)
        if view.doubt is None
        else Unclear("unanswered", f"a write went unanswered, and {reason}")
    )


async def read(reader: Reader, request: Request) -> Reply | None:
    """A successful reply; None where there is nothing, or nothing for us.

    Raises ReadFailed, NotOffered, NotPermitted.
    """
    reply = await reader.read(request)
    if reply.ok:
        return reply
    if reply.status in NOT_OFFERED:
        raise NotOffered(request.operation)
    if reply.status == 404 and kind_of(reply) != "resourceNotReady":
        return None
    if reply.status == 403:
        if kind_of(reply) == "noAccessToResource":
            return None
        raise forbidden(request.operation, reply)
    raise ReadFailed(f"{request.operation}: {described(reply)}", trace_of(reply))


async def read_record(reader: Reader, request: Request) -> Mapping[str, Any] | None:
    """One object; see `read`."""
    reply = await read(reader, request)
    try:
        return None if reply is None else record_of(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: {error}") from error


async def read_records(reader: Reader, request: Request) -> list[Mapping[str, Any]] | None:
    """An array of objects; see `read`."""
    reply = await read(reader, request)
    try:
        return None if reply is None else records_of(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: {error}") from error


async def pages(reader: Reader, operation: str, path: str) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All pages of a list. Raises ReadFailed when a cursor comes twice, NotOffered, NotPermitted."""
    query: tuple[tuple[str, str], ...] = (("limit", str(PAGE_SIZE)),)
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        reply = await read(reader, Request(operation, "GET", path, query))
        if reply is None:
            raise ReadFailed(f"{operation}: the target has no such path; check --base-url")
        try:
            yield records_of(reply)
        except Unreadable as error:
            raise ReadFailed(f"{operation}: {error}") from error
        cursor = next((reply.headers[name] for name in CURSORS if reply.headers.get(name)), None)
        if cursor is None:
            return
        if cursor in seen:
            raise ReadFailed(f"{operation}: a cursor came twice, so the list has no end")
        seen.add(cursor)
        query = (("limit", str(PAGE_SIZE)), ("cursor", cursor))
    raise ReadFailed(f"{operation}: more than {MOST_PAGES} pages")
