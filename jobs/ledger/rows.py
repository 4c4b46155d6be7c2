"""What goes into the ledger and comes out of it, as frozen values."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from jobs.model import Outcome
from jobs.systems.messages import Trace
from jobs.value import value


class StepStatus(StrEnum):
    """Where a step is. `TRANSITIONS` says what it may become."""

    INTENDED = "intended"
    """The intent is committed; the request may be under way, or the process died with it."""
    DONE = "done"
    UNDECIDED = "undecided"
    """Written and acknowledged; the decision is outstanding."""
    REFUSED = "refused"
    """The row ended at this step."""
    DOUBTFUL = "doubtful"
    """Perhaps applied; not settled yet."""
    OPEN = "open"
    """Provably not applied; may be sent again."""


_READ = frozenset({StepStatus.DONE, StepStatus.UNDECIDED, StepStatus.REFUSED, StepStatus.DOUBTFUL})
"""What a look may find."""

TRANSITIONS: Mapping[StepStatus, frozenset[StepStatus]] = {
    StepStatus.OPEN: _READ | {StepStatus.INTENDED},
    StepStatus.INTENDED: _READ | {StepStatus.INTENDED, StepStatus.OPEN},
    StepStatus.DOUBTFUL: _READ | {StepStatus.INTENDED},
    StepStatus.UNDECIDED: _READ - {StepStatus.DOUBTFUL},
    StepStatus.REFUSED: _READ | {StepStatus.INTENDED},
    StepStatus.DONE: frozenset(),
}
"""What the engine makes of a step that is in each state, by a write, its answer or a look.

A person may do more: a decision opens a doubtful step again (`NOT_DONE`) or calls it done (`OURS`; undecided, where
nothing can be read), a corrected row opens a refused one, and KYC that is asked for again opens whatever it was.
"""


@value
class StepRow:
    """The state of one step of one key, and what its newest write was made of."""

    name: str
    status: StepStatus
    attempts: int = 0
    doubt_since_ms: int | None = None
    doubts: int = 0
    bound: Mapping[str, str] | None = None
    """The facts that the newest write was made of; None: there was none, or an older muster sent it."""
    write_key: str | None = None
    """The idempotency key of the newest write; None: it carries none."""
    body_sha256: str | None = None
    """Of the newest write's body, in hex; None: there was none, or an older muster sent it."""


@value
class RecordRow:
    """All that is known of one key. `facts` holds customer_id, wallet_id, decision_status and the like."""

    key: str
    fingerprint: str
    pseudonyms: Mapping[str, str]
    run_id: str
    outcome: Outcome | None = None
    reason_code: str | None = None
    reason: str | None = None
    failed_step: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()
    first_attempt_ms: int | None = None
    last_attempt_ms: int | None = None
    undecided_since_ms: int | None = None


@value
class Known:
    """A key as the ledger knows it: its record and its steps by name."""

    record: RecordRow
    steps: Mapping[str, StepRow]


@value
class EventRow:
    """One line of history. `kind`: run_start, intent, result, outcome, run_end."""

    at_ms: int
    kind: str
    source_row: int | None = None
    key: str | None = None
    step: str | None = None
    attempt: int | None = None
    fingerprint: str | None = None
    verdict: str | None = None
    trace: Trace = Trace()
    detail: str | None = None
    write_key: str | None = None
    """Of an intent: the idempotency key that its request carries; None: it carries none."""


@value
class IdClaim:
    """That `key` alone holds what the target calls `id`, of `kind` `customer` or `wallet`."""

    kind: str
    id: str
    key: str


@value
class OutcomeRow:
    """How one input row of one run ended."""

    source_row: int
    outcome: Outcome
    row_ref: str | None = None
    key: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    failed_step: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    trace: Trace = Trace()
    phone_masked: str | None = None
    national_id_masked: str | None = None
    first_attempt_ms: int | None = None
    last_attempt_ms: int | None = None
    warnings: str | None = None


@value
class Part:
    """The shard of a run whose rows are written, and the fencing number of who writes."""

    shard: int
    epoch: int
    first_row: int
    last_row: int


@value
class Transition:
    """What changes together in one commit, for one row. Rows are whole: the last of a key wins."""

    record: RecordRow | None = None
    step: StepRow | None = None
    """Of `record`, which must be given with it."""
    event: EventRow | None = None
    outcome: OutcomeRow | None = None
    claims: tuple[IdClaim, ...] = ()
    """Made only where no other key holds the same; who does is the result of the commit."""

    def __post_init__(self) -> None:
        """A step without its record would be lost in silence."""
        assert self.step is None or self.record is not None


@value
class RunRow:
    """One run. `exit_code` None: still running, or it died."""

    run_id: str
    system: str
    tenant: str
    command: str
    input_path: str
    input_sha256: str
    rows: int
    folder: str
    settings: Mapping[str, object]
    facts: Mapping[str, object]
    started_ms: int
    ended_ms: int | None
    exit_code: int | None
    summary: Mapping[str, object] | None
