"""How Eclipse speaks: objects and arrays without an envelope, and arrays of errors with a code and a trace id."""

from collections.abc import Mapping
from typing import Any

from jobs.errors import NotPermitted
from jobs.privacy import masking
from jobs.systems.dialect import Dialect
from jobs.systems.json_reply import Unreadable, parsed, text_of
from jobs.systems.messages import Reply, Trace
from jobs.systems.row import Row

DUPLICATE_CODES = frozenset({"USR004"})
"""The vendor's error example; also accepted under status 400."""

LIMIT_CODES = frozenset({"RLT001"})
JOB_WIDE_CODES = frozenset({"PNF001"})
"""Tenant configuration missing: every row would fail alike."""

FORBIDDEN_CODES = frozenset({"SEC001"})
"""No rights; the same as status 403, about the credential or about one row."""

NOT_FOUND_CODES = frozenset({"ARCH086"})


class EclipseDialect(Dialect):
    """The status counts, and beside it the codes of the errors."""

    rights = "use an operator credential (TENANT_SYSTEM or LEVEL_nn) of this tenant"

    def trace_of(self, reply: Reply) -> Trace:
        """Status, first code and first trace id. The vendor: always surface the traceId."""
        errors = errors_of(reply) if not reply.ok else []
        code = next((text_of(error, "code") for error in errors if text_of(error, "code")), None)
        trace = next((text_of(error, "traceId") for error in errors if text_of(error, "traceId")), None)
        return Trace(reply.status, code and masking.mark(code, 40), trace and masking.mark(trace, 80))

    def words_of(self, reply: Reply, row: Row | None = None) -> str:
        """The target's own words, masked and cut to 200 characters; the status when it said nothing."""
        words = "; ".join(text for error in errors_of(reply) if (text := text_of(error, "description")))
        return masking.line(words)[:200] or f"HTTP {reply.status}"

    def throttled(self, reply: Reply) -> bool:
        """Whether it is a 429, or has the limit code under any status."""
        return reply.status == 429 or (not reply.ok and bool(codes_of(reply) & LIMIT_CODES))

    def exists(self, reply: Reply, words: str) -> bool:
        """Whether it is a 409, or has a code of duplicates."""
        return reply.status == 409 or (400 <= reply.status < 500 and bool(codes_of(reply) & DUPLICATE_CODES))

    def forbids(self, reply: Reply) -> bool:
        """Whether it is a 403, or has a code of missing rights or configuration."""
        return reply.status == 403 or bool(codes_of(reply) & (JOB_WIDE_CODES | FORBIDDEN_CODES))

    def check_blocked(self, reply: Reply) -> None:
        """Raises NotPermitted when the tenant is not configured."""
        if codes_of(reply) & JOB_WIDE_CODES:
            code = self.trace_of(reply).error_code
            raise NotPermitted(f"the target blocks the whole job: {self.words_of(reply)} ({code})")


def errors_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The error array of a reply with status >= 400, or of a 2xx that carries one; empty when there is none."""
    try:
        body = parsed(reply)
    except Unreadable:
        return []
    items = body if isinstance(body, list) else [body]
    return [item for item in items if isinstance(item, dict) and ("code" in item or "traceId" in item)]


def codes_of(reply: Reply) -> frozenset[str]:
    """All vendor codes in the reply's error array."""
    return frozenset(code for error in errors_of(reply) if (code := text_of(error, "code")))


DIALECT = EclipseDialect()
