"""How a system speaks: what all its replies have in common, and the frame in which the answer to any write is judged.

A vendor's dialect overrides what its pages say otherwise, and nothing else. Nothing here sends, and nothing decides
what follows: that is the engine's.
"""

from collections.abc import Callable
from typing import Any

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems.json_reply import Unreadable, is_json, record_of
from jobs.systems.messages import ReadFailed, Reply, Request, Trace
from jobs.systems.retry_after import retry_after_seconds
from jobs.systems.row import Row
from jobs.systems.verdict import Done, Doubted, Ended, Taken, Throttled, Undecided, Verdict
from jobs.value import replaced

GATEWAY = frozenset({408, 502, 504})
"""Statuses with which something in between gives up waiting; the target itself may still be working."""

REDIRECTED = "the target answered with a redirect, which is never followed"

Refusal = Ended | Doubted | Taken | Throttled


class Dialect:
    """Plain HTTP with JSON bodies: the status says it all. Stateless, so that one object serves every step."""

    taken = forbidden = refused = "{words}"
    """The sentences for a write that exists already, that the credential may not do, and whose data were refused."""
    broken = "the target answered HTTP {status}"
    """The sentence for an answer that does not say whether the write was applied."""
    rights: str | None = None
    """What to do when the credential may not read; None: there is no advice."""

    # What a reply says, as the engine and the steps ask for it.

    def status_of(self, reply: Reply) -> int:
        """The HTTP status. Override it where a body may carry a worse one under 200."""
        return reply.status

    def succeeded(self, reply: Reply) -> bool:
        """Whether the reply claims success; what it then shows may still be unreadable."""
        return 200 <= self.status_of(reply) < 300

    def content_of(self, reply: Reply) -> Any:
        """What a success is about, out of its envelope: the body as an object. Raises Unreadable."""
        return record_of(reply)

    def trace_of(self, reply: Reply) -> Trace:
        """The status, and the vendor's error code and trace id where it has them."""
        return Trace(reply.status)

    def words_of(self, reply: Reply, row: Row | None = None) -> str:
        """Why the target refuses it, with nothing personal: no word of `row`, and masked. Here: the status."""
        return f"HTTP {self.status_of(reply)}"

    def readable(self, reply: Reply) -> bool:
        """Whether the body is whole, in the system's format: JSON of any kind."""
        return is_json(reply)

    # Which refusals mean what.

    def throttled(self, reply: Reply) -> bool:
        """Whether it is refused because of a limit."""
        return self.status_of(reply) == 429

    def exists(self, reply: Reply, words: str) -> bool:
        """Whether a write is refused, with these `words`, because what it makes is there already."""
        return self.status_of(reply) == 409

    def forbids(self, reply: Reply) -> bool:
        """Whether the credential lacks the right."""
        return self.status_of(reply) == 403

    def check_blocked(self, reply: Reply) -> None:
        """Raises NotPermitted for a refusal that would meet every row of the job."""

    def answered(self, reply: Reply) -> bool:
        """Whether a doubtful reply is the target's own, so that it no longer works on the write.

        Override it with False where it may work on even after that: the doubt then counts as unanswered.
        """
        return reply.status not in GATEWAY

    def own(self, reply: Reply) -> bool:
        """Whether a refused login is the target's own word: something before the target may have said it."""
        return self.trace_of(reply).error_code is not None

    # The frames.

    def judged(
        self, reply: Reply, made: Callable[[Any], Done | Undecided | Ended | Doubted], row: Row | None = None
    ) -> Verdict:
        """What the reply to a write means: `made` says it of a success, whose content it is given.

        It raises Unreadable ("it has no id") for one that does not prove what it should. The trace is added here.
        Raises NotPermitted when the whole job is blocked.
        """
        if not self.succeeded(reply):
            return self.refusal(reply, row)
        try:
            return replaced(made(self.content_of(reply)), trace=self.trace_of(reply))
        except Unreadable as error:
            return self.doubtful(reply, str(error))

    def refusal(self, reply: Reply, row: Row | None = None) -> Refusal:
        """What any reply to a write but a success means. Raises NotPermitted when the whole job is blocked."""
        status, trace, words = self.status_of(reply), self.trace_of(reply), self.words_of(reply, row)
        if self.throttled(reply):
            return Throttled(retry_after_seconds(reply.headers, reply.received_at), trace)
        self.check_blocked(reply)
        if self.exists(reply, words):
            return Taken(self.taken.format(words=words), trace)
        if 300 <= status < 400:
            return Ended(Outcome.FAILED, "redirected", REDIRECTED, trace=trace)
        if self.forbids(reply):
            return Ended(Outcome.REJECTED, "forbidden", self.forbidden.format(words=words), trace=trace)
        if status == 408 or not 400 <= status < 500:
            why = self.broken.format(words=words, status=status)
            return Doubted("server_error", why, answered=self.answered(reply), trace=trace)
        return Ended(Outcome.REJECTED, "refused_by_target", self.refused.format(words=words), trace=trace)

    def doubtful(self, reply: Reply, why: str) -> Doubted:
        """A success that does not prove what it should."""
        reason = f"the target answered HTTP {reply.status}, but {why}"
        return Doubted("unreadable_reply", reason, answered=self.answered(reply), trace=self.trace_of(reply))

    def granted(self, reply: Reply, sentence: str, hint: str | None = None) -> Any:
        """The content of the answer to a login. Raises NotPermitted and ValueError like `System.token_of`.

        `sentence`: for a refusal, with `{words}` and `{status}` in it.
        """
        status = self.status_of(reply)
        if not self.succeeded(reply):
            if status != 401 and not self.own(reply):
                raise ValueError(f"HTTP {status} without a code of the target's own")
            raise NotPermitted(sentence.format(words=self.words_of(reply), status=status), hint=hint)
        try:
            return self.content_of(reply)
        except Unreadable as error:
            raise ValueError(str(error)) from None

    def shown(self, request: Request, reply: Reply, take: Callable[[Reply], Any] | None = None) -> Any:
        """What the reply to a read shows, as `take` reads it (None: `content_of`). Raises ReadFailed, NotPermitted."""
        if not self.succeeded(reply):
            raise self.refused_read(request, reply)
        try:
            return (take or self.content_of)(reply)
        except Unreadable as error:
            raise ReadFailed(f"{request.operation}: {error}", self.trace_of(reply)) from None

    def refused_read(self, request: Request, reply: Reply) -> Exception:
        """The exception for a read that the target refused."""
        words = self.words_of(reply)
        if self.forbids(reply):
            return NotPermitted(
                f"the credential may not {request.operation.replace('_', ' ')}: {words}", hint=self.rights
            )
        return ReadFailed(f"{request.operation}: {words}", self.trace_of(reply))
