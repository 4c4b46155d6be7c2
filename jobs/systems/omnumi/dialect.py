"""How Omnumi speaks: `data` of a success, and errors of which the catalogue says what they mean for a row."""

from collections.abc import Mapping
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems.dialect import Dialect, Refusal
from jobs.systems.json_reply import Unreadable, record_of
from jobs.systems.messages import Reply, Trace
from jobs.systems.omnumi.catalogue import Judged, Meaning, errors_of, kind_of, worst
from jobs.systems.row import Row
from jobs.systems.verdict import Doubted, Ended


class OmnumiDialect(Dialect):
    """The worst of several errors counts; the vendor has no trace id."""

    def content_of(self, reply: Reply) -> Mapping[str, Any]:
        """The member `data`. Raises Unreadable."""
        data = record_of(reply).get("data")
        if not isinstance(data, dict):
            raise Unreadable("it has no customerAccountId")
        return data

    def trace_of(self, reply: Reply) -> Trace:
        """The status and the `type` of the first error."""
        kinds = [kind_of(error) for error in errors_of(reply)] if not reply.ok else []
        return Trace(reply.status, kinds[0] if kinds else None)

    def refusal(self, reply: Reply, row: Row | None = None) -> Refusal:
        """Limits and redirects are as usual; what an error means otherwise the catalogue says. Raises NotPermitted."""
        if self.throttled(reply) or 300 <= reply.status < 400:
            return super().refusal(reply, row)
        error = worst(reply, row)
        trace = Trace(reply.status, error.kind)
        if error.meaning is Meaning.BLOCKED:
            raise NotPermitted(error.reason, hint="check --tenant and MUSTER_TOKEN, or ask the vendor about the tenant")
        if reply.status in {404, 405}:
            raise NotPermitted(f"the target has no such path (HTTP {reply.status})", hint="check --base-url")
        if reply.status == 403:
            return Ended(Outcome.REJECTED, "forbidden", "the target does not allow it (HTTP 403)", trace=trace)
        if reply.status == 408 or reply.status >= 500 or reply.status < 200:
            why = f"the target answered HTTP {reply.status}"
            return Doubted("server_error", why, answered=self.answered(reply), trace=trace)
        if reply.status == 413:
            why = "the documents are too large for the target"
            return Ended(Outcome.REJECTED, "refused_by_target", why, trace=trace)
        return told(error, trace)


def told(error: Judged, trace: Trace) -> Ended | Doubted:
    """An error of the catalogue as the end of a row, or as a doubt."""
    if error.meaning is Meaning.EXISTS:
        return Ended(Outcome.CONFLICT, error.code, error.reason, trace=trace)
    if error.meaning is Meaning.INVALID:
        return Ended(Outcome.REJECTED, error.code, error.reason, trace=trace)
    return Doubted(error.code, error.reason, answered=True, trace=trace)


DIALECT = OmnumiDialect()
