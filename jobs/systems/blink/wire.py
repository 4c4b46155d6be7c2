"""How bLink speaks: problems, pages, what a read or a refused write means. Nothing here knows a row."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.privacy import masking
from jobs.systems.dialect import REDIRECTED, Dialect, Refusal
from jobs.systems.json_reply import Unreadable, is_json, record_of, records_of, text_of
from jobs.systems.messages import Reader, ReadFailed, Reply, Request, Trace
from jobs.systems.row import Row, View
from jobs.systems.verdict import Ended, Unclear

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

NOT_OFFERED = frozenset({405, 501})
"""Statuses with which a bank says that it has no such operation."""


class NotOffered(ReadFailed):
    """The bank has no such operation."""

    def __init__(self, operation: str, trace: Trace | None = None) -> None:
        super().__init__(f"{operation}: the bank does not offer it", trace)
        self.operation = operation

    def ends(self, view: View) -> Ended | Unclear:
        """The end of the row whose look was told so."""
        return ended(view, Outcome.REJECTED, "not_offered", unoffered(self.operation), self.trace)


def kind_of(reply: Reply) -> str | None:
    """The type of the problem, where the reply is one and the type is one of the specification's."""
    try:
        kind = record_of(reply).get("type")
    except Unreadable:
        return None
    last = kind.rsplit("/", 1)[-1] if isinstance(kind, str) else ""
    return last if last in KINDS else None


class BlinkDialect(Dialect):
    """Problems in JSON, and a correlation id in a header.

    A problem's own words are left out: they may quote names and contacts of the bank's client.
    """

    refused = "the bank refused it: {words}; the correlation id leads to its words"

    def trace_of(self, reply: Reply) -> Trace:
        """Status, type of problem, and the correlation id that came back."""
        correlation = masking.mark(reply.headers.get("x-correlation-id", ""), 64)
        kind = None if reply.ok else kind_of(reply)
        return Trace(reply.status, kind, correlation if correlation.isprintable() and correlation else None)

    def words_of(self, reply: Reply, row: Row | None = None) -> str:
        """Status and type."""
        kind = kind_of(reply)
        return f"{kind} (HTTP {reply.status})" if kind else f"HTTP {reply.status}"

    def readable(self, reply: Reply) -> bool:
        """Whether it is JSON of any kind, or nothing at all where none was announced, as a health check may answer."""
        announced = "json" in reply.headers.get("content-type", "")
        return is_json(reply) or not (reply.body or announced)

    def exists(self, reply: Reply, words: str) -> bool:
        """No: a bank takes every contact twice, so that a 409 is about the data."""
        return False

    def forbids(self, reply: Reply) -> bool:
        """No: a 403 without `noAccessToResource` stops the job (`forbidden`), and with it is about the row."""
        return False

    def answered(self, reply: Reply) -> bool:
        """Whether it is a 2xx: behind a 5xx of the hub the bank may still have applied it."""
        return reply.ok

    def own(self, reply: Reply) -> bool:
        """Whether it is a problem of the specification's, or names an `error` as RFC 6749, 5.2 has it."""
        try:
            return kind_of(reply) is not None or text_of(record_of(reply), "error") is not None
        except Unreadable:
            return False


DIALECT = BlinkDialect()


def forbidden(operation: str, reply: Reply) -> NotPermitted:
    """A refusal of the consent or the client as a whole."""
    return NotPermitted(
        f"the consent does not allow to {operation.replace('_', ' ')}: {DIALECT.words_of(reply)}",
        hint="check --tenant (the provider's id), the scope of the consent and the client's certificate",
    )


def refusal(operation: str, reply: Reply) -> Refusal:
    """What any reply to a write but a 2xx means. Raises NotPermitted."""
    if reply.status in NOT_OFFERED:
        return not_offered(operation, DIALECT.trace_of(reply))
    if reply.status == 403 and kind_of(reply) != "noAccessToResource":
        raise forbidden(operation, reply)
    return DIALECT.refusal(reply)


def not_offered(operation: str, trace: Trace | None = None) -> Ended:
    """The end of a row that asks for what the bank does not have."""
    return Ended(Outcome.REJECTED, "not_offered", unoffered(operation), trace=trace or Trace())


def unoffered(operation: str) -> str:
    """The sentence for an operation that the bank has not."""
    return f"the bank does not offer to {operation.replace('_', ' ')}"


def id_of(record: Mapping[str, Any], member: str) -> str | None:
    """An identification as text: a text as it is, or a positive whole number; None for anything else."""
    value = record.get(member)
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if type(value) is int and value > 0 else None


def acknowledged(view: View) -> bool:
    """Whether every write that is not seen yet was answered with a 2xx, so that sending it again could double it."""
    return view.doubt is not None and view.doubt.sent == 0 and view.said != REDIRECTED


def ended(view: View, outcome: Outcome, code: str, reason: str, trace: Trace | None = None) -> Ended | Unclear:
    """The end of a row that needs no write, or can't have one; in doubt while a write of its own is unanswered.

    `trace`: of the read that decided it; None: several did.
    """
    told = trace or Trace()
    if view.doubt is None:
        return Ended(outcome, code, reason, trace=told)
    return Unclear("unanswered", f"a write went unanswered, and {reason}", told)


async def read(reader: Reader, request: Request) -> Reply | None:
    """A successful reply; None where there is nothing, or nothing for us.

    Raises ReadFailed, NotOffered, NotPermitted.
    """
    reply = await reader.read(request)
    if reply.ok:
        return reply
    if reply.status in NOT_OFFERED:
        raise NotOffered(request.operation, DIALECT.trace_of(reply))
    if reply.status == 404 and kind_of(reply) != "resourceNotReady":
        return None
    if reply.status == 403:
        if kind_of(reply) == "noAccessToResource":
            return None
        raise forbidden(request.operation, reply)
    raise ReadFailed(f"{request.operation}: {DIALECT.words_of(reply)}", DIALECT.trace_of(reply))


async def read_record(reader: Reader, request: Request) -> Mapping[str, Any] | None:
    """One object, which is read as `read` does; None where there is nothing."""
    reply = await read(reader, request)
    try:
        return None if reply is None else record_of(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: {error}") from error


async def read_records(reader: Reader, request: Request) -> list[Mapping[str, Any]] | None:
    """An array of objects, which is read as `read` does; None where there is nothing."""
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
