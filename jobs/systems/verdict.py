"""What a look or a reply can mean for one step of one row. The engine alone decides what follows from it.

`word` is what the ledger and `events.ndjson` call it: it is on disk, and never changes.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from jobs.model import Outcome
from jobs.systems.messages import Trace
from jobs.value import value


@value
class Done:
    """The step is complete; `facts` are added to what is known of the row (`customer_id`, `wallet_id` ...)."""

    word: ClassVar[str] = "done"
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()
    claims: Mapping[str, str] = field(default_factory=dict)
    """What only this key may hold, as kind (`customer`, `wallet`) and the target's id.

    The engine does not accept a claim on what another key of the ledger holds: that answer is about somebody else.
    """


@value
class Absent:
    """Read and proven: not there. Only a look may say so; the write may be sent.

    `facts`: what the look chose and the write is made of. They are committed with the intent, and given back as
    `View.bound` for as long as that write is open.
    """

    word: ClassVar[str] = "absent"
    facts: Mapping[str, str] = field(default_factory=dict)


@value
class Undecided:
    """The write is done, the decision is outstanding: the row is parked and read again later."""

    word: ClassVar[str] = "undecided"
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()
    polled: bool = True
    """Whether looking again in this run may show more; otherwise the row ends `pending` at once."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """What only this key may hold, as in `Done`."""


@value
class Ended:
    """The row ends here with `outcome`; nothing more is sent for it."""

    word: ClassVar[str] = "ended"
    outcome: Outcome
    reason_code: str
    reason: str
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()
    proves: bool = False
    """Whether it shows what became of this step's newest write (a decision that only it can have caused).

    Otherwise the engine does not believe it while such a write is younger than the settling time.
    """
    claims: Mapping[str, str] = field(default_factory=dict)
    """What only this key may hold, as in `Done`."""


@value
class Unclear:
    """Reading could not settle it, now or after waiting: the row ends `in_doubt`, for a person."""

    word: ClassVar[str] = "unclear"
    reason_code: str
    reason: str
    trace: Trace = Trace()


@value
class Again:
    """Provably not applied and perhaps passing: may be sent again, an attempt is spent."""

    word: ClassVar[str] = "again"
    reason_code: str
    reason: str
    trace: Trace = Trace()


@value
class Throttled:
    """Refused before processing because of a limit: comes back later, no attempt is spent.

    `retry_after_seconds` is what the target asked for; None when it did not say.
    """

    word: ClassVar[str] = "throttled"
    retry_after_seconds: float | None
    trace: Trace = Trace()


@value
class Doubted:
    """Sent and perhaps applied. Settled by looking, never by believing.

    `answered`: the target did reply (an error page, half a body), so it is no longer working on it.
    """

    word: ClassVar[str] = "doubted"
    reason_code: str
    reason: str
    answered: bool
    trace: Trace = Trace()


@value
class Taken:
    """The target says that it exists already (409 and its dialects). Judged by looking, never believed."""

    word: ClassVar[str] = "taken"
    reason: str
    trace: Trace = Trace()


Finding = Done | Absent | Undecided | Ended | Unclear

Verdict = Done | Undecided | Ended | Again | Throttled | Doubted | Taken


class Unsendable(Exception):
    """The request can't be made from what the row names; nothing was sent, and the row ends with `outcome`."""

    def __init__(self, reason_code: str, reason: str, outcome: Outcome = Outcome.REJECTED) -> None:
        super().__init__(reason)
        self.reason_code, self.reason, self.outcome = reason_code, reason, outcome
