"""One row on its way: what is known of it, and what each event makes of it. Pure; no I/O, no waiting."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jobs.clock import from_milliseconds
from jobs.keys import Pseudonyms
from jobs.ledger.rows import (
    TRANSITIONS,
    EventRow,
    IdClaim,
    OutcomeRow,
    RecordRow,
    StepRow,
    StepStatus,
    Transition,
)
from jobs.model import Outcome
from jobs.systems.messages import Trace
from jobs.systems.row import Doubt, Row, View
from jobs.systems.spelling import SPELLING
from jobs.systems.verdict import Done, Doubted, Ended, Taken, Undecided, Verdict
from jobs.value import replaced, value

CHANGED = "its data differ from what was sent"


NO_TRACE = Trace()

GIVEN_UP = "given_up"
"""Reason code of a row that a person decided to give up: it stays `failed`, and nothing is sent for it again."""

KEYS = frozenset({"wallet_external_unique_id"})
"""Facts that are keys derived from the row's own; several are joined by `;`."""

FORGOTTEN: Mapping[str, None] = {"bound": None, "write_key": None, "body_sha256": None}
"""What its newest write was made of is no question of a step that is done; it was half of the step's bytes."""

UNSETTLED = frozenset({StepStatus.INTENDED, StepStatus.DOUBTFUL})


@value
class Made:
    """What a write is made of: the facts that the look chose, the key it carries, the SHA-256 of its body in hex."""

    of: Mapping[str, str]
    key: str | None
    body_sha256: str


@dataclass(slots=True)
class Case:
    """A row on its way. `attempts` and their times are of this run; `steps` and `facts` of the key's whole life."""

    row: Row
    record: RecordRow
    steps: dict[str, StepRow]
    resumed: bool
    """Whether an earlier run had begun with it and not finished."""
    facts: dict[str, str] = field(default_factory=dict)
    hiding: Pseudonyms | None = None
    """By what the row's keys, and what they can be found from, are hidden in the ledger; None: they may be there."""
    changed: bool = False
    """Whether the row's data are others than those that were sent under its key."""
    of_the_row: tuple[str, Mapping[str, str]] = ("", {})
    """Fingerprint and pseudonyms of the row as it is now; the record has those of what was sent."""
    attempts: int = 0
    first_attempt_ms: int | None = None
    last_attempt_ms: int | None = None
    trace: Trace = Trace()
    traced: str = ""
    """The step that `trace` is about: an outcome's is that of the step that decided it. Empty: not known."""
    resting: str = ""
    """The step that the row left its worker in the middle of, to be gone on with; empty: none."""
    spent: int = 0
    """Attempts spent on the current step in this run."""
    last_reason: str = ""
    """Why the last attempt settled nothing; for the sentence that ends the row."""
    taken: bool = False
    refused: Ended | None = None
    """The answer that ends the row, unless a look shows that an earlier, unanswered attempt was applied."""
    fresh_customer: bool = False
    unlisted: bool = False
    """Whether a listing showed nobody who has anything of the row's when it was handed out."""
    last_sent_at: float | None = None
    """Monotonic time of the last write that may have been applied."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """What the last look that found nothing chose for the write."""
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the row's looks noted for the next ones (`View.notes`)."""
    sent_at: dict[str, float] = field(default_factory=dict)
    """By step: monotonic time of the last write of this run that may have been applied."""
    looked_at: float = 0.0
    """Monotonic time at which the last look began."""
    throttled_since: float | None = None
    wait_until: float | None = None
    """Monotonic time until which this run waits for the decision."""

    def step(self, name: str) -> StepRow:
        """The state of one step; a new one is OPEN."""
        return self.steps.get(name) or _begun_with(name)

    def view(self, name: str) -> View:
        """What an adapter's look, write and classify may know."""
        step = self.step(name)
        since = step.doubt_since_ms
        doubt = None if since is None else Doubt(from_milliseconds(since), step.doubts)
        return View(
            self.row,
            dict(self.facts),
            doubt,
            taken=self.taken,
            fresh_customer=self.fresh_customer,
            unlisted=self.unlisted and not (self.resumed or self.taken or step.attempts),
            attempts=step.attempts,
            said=self.last_reason,
            bound=dict(step.bound or {}) if self.unsettled(name) else {},
            changed=self.changed,
            notes=self.notes,
        )

    def unsettled(self, name: str) -> bool:
        """Whether a write of the step may have been applied, or was called "exists already" and not looked at since."""
        step = self.step(name)
        return step.doubt_since_ms is not None or step.status in UNSETTLED

    def departs(self, name: str, made: "Made") -> bool:
        """Whether a write made so would be another one than the unanswered write of the step."""
        step = self.step(name)
        if not self.unsettled(name) or step.body_sha256 is None:
            return False
        same_key = self._key_told(step.write_key) == self._key_told(made.key)
        return not same_key or step.body_sha256 not in {made.body_sha256, self._body_told(made.body_sha256)}

    def intend(self, name: str, made: "Made", now_ms: int) -> Transition:
        """About to send: from now on the step may have been applied until a reply says otherwise.

        All that decided on the request is committed with it: after a crash nothing of it is chosen afresh.
        """
        before = self.step(name)
        since = before.doubt_since_ms if before.doubt_since_ms is not None else now_ms
        step = replaced(
            before,
            status=StepStatus.INTENDED,
            attempts=before.attempts + 1,
            doubt_since_ms=since,
            doubts=before.doubts + 1,
            bound=self._told(made.of),
            write_key=self._key_told(made.key),
            body_sha256=self._body_told(made.body_sha256),
        )
        self._move(step)
        self.attempts += 1
        self.first_attempt_ms = self.first_attempt_ms or now_ms
        self.last_attempt_ms = now_ms
        self._know(first_attempt_ms=self.record.first_attempt_ms or now_ms, last_attempt_ms=now_ms)
        event = self._event("intent", now_ms, name, fingerprint=step.body_sha256)
        return self._transition(step, replaced(event, write_key=step.write_key))

    def learn(self, name: str, before: StepRow, verdict: Verdict, now_ms: int) -> Transition:
        """The answer to a write, or its absence. `before` is the step as it was before the intent."""
        self.trace, self.traced = verdict.trace, name
        step = after(before, self.step(name), verdict)
        self._move(step)
        if isinstance(verdict, Done | Undecided | Ended):
            self.facts.update(verdict.facts)
        undecided = self.record.undecided_since_ms or now_ms if isinstance(verdict, Undecided) else None
        self._know(
            facts=self._told(self.facts), trace=verdict.trace, undecided_since_ms=undecided, last_attempt_ms=now_ms
        )
        detail = getattr(verdict, "reason_code", None)
        return self._transition(step, self._event("result", now_ms, name, verdict=verdict, detail=detail))

    def found(self, name: str, finding: Done | Undecided | Ended, now_ms: int) -> Transition | None:
        """What a look settled; None when it changes nothing that the ledger knows."""
        self.facts.update(finding.facts)
        if finding.trace != NO_TRACE:
            self.trace, self.traced = finding.trace, name
        before = self.step(name)
        step = replaced(after(before, before, finding), attempts=before.attempts)
        undecided = self.record.undecided_since_ms or now_ms if isinstance(finding, Undecided) else None
        if (
            step == before
            and self._told(self.facts) == self.record.facts
            and undecided == self.record.undecided_since_ms
        ):
            return None
        self._move(step)
        self._know(facts=self._told(self.facts), trace=self.trace, undecided_since_ms=undecided)
        return self._transition(step, self._event("result", now_ms, name, verdict=finding, detail="read"))

    def brought(self) -> None:
        """The target has the row's data as they are now."""
        if self.changed:
            self.changed = False
            self._know(fingerprint=self.of_the_row[0], pseudonyms=self.of_the_row[1])

    def end(
        self, outcome: Outcome, reason_code: str | None, reason: str | None, step: str | None, now_ms: int
    ) -> Transition:
        """The row's outcome in this run."""
        if self.changed and reason_code is None:
            reason_code, reason = "changed_since", CHANGED
        if step not in {None, self.traced}:
            self.trace = NO_TRACE  # what another step was answered says nothing of this end
        facts = self._told(self.facts)
        self._know(outcome=outcome, reason_code=reason_code, reason=reason, failed_step=step, facts=facts)
        ended = OutcomeRow(
            source_row=self.row.source_row,
            outcome=outcome,
            row_ref=self.row.row_ref,
            key=self.record.key,
            reason_code=reason_code,
            reason=reason,
            failed_step=step,
            facts=facts,
            attempts=self.attempts,
            trace=self.trace,
            phone_masked=self.row.phone_masked,
            national_id_masked=self.row.national_id_masked,
            first_attempt_ms=self.first_attempt_ms,
            last_attempt_ms=self.last_attempt_ms,
            warnings=warnings_of(self.row, self.facts),
        )
        event = EventRow(
            now_ms, "outcome", self.row.source_row, self.record.key, step, verdict=outcome, detail=reason_code
        )
        return Transition(record=self.record, event=event, outcome=ended)

    def standing(self, stop_reason: str) -> tuple[Outcome, str, str | None]:
        """Outcome, reason code and step of a row that the run leaves as it stands."""
        for name, step in self.steps.items():
            if step.status in UNSETTLED:
                return Outcome.IN_DOUBT, "interrupted", name
        for name, step in self.steps.items():
            if step.status is StepStatus.UNDECIDED:
                return Outcome.PENDING, "decision", name
        if self.facts.get("customer_id") or any(step.status is StepStatus.DONE for step in self.steps.values()):
            return Outcome.PENDING, "interrupted", None
        return Outcome.NOT_ATTEMPTED, stop_reason, None

    def claims(self, wanted: Mapping[str, str]) -> tuple[IdClaim, ...]:
        """What this key alone may hold, as the ledger's claims."""
        return tuple(IdClaim(kind, found, self.record.key) for kind, found in wanted.items())

    def unanswered_beside(self, names: Collection[str]) -> str | None:
        """A step that is none of `names` and whose write went unanswered: the row asked for it once; None: none."""
        return next((name for name, step in self.steps.items() if name not in names and step.status in UNSETTLED), None)

    def _key_told(self, key: str | None) -> str | None:
        """A write's key as the ledger may know it."""
        return key if key is None or self.hiding is None else self.hiding.hidden(key)

    def _body_told(self, body_sha256: str) -> str:
        """A body's hash as the ledger may know it: the key is in the body, so that it could be found by trying."""
        return body_sha256 if self.hiding is None else self.hiding.of("body", body_sha256)

    def _told(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Facts as the ledger may know them."""
        if self.hiding is None:
            return dict(facts)
        return {name: self._parts_told(value) if name in KEYS else value for name, value in facts.items()}

    def _parts_told(self, joined: str) -> str:
        return ";".join((self._key_told(part) or "") if part else "" for part in joined.split(";"))

    def _move(self, step: StepRow) -> None:
        """Takes the step to its new state, along the table and no other way."""
        before = self.step(step.name).status
        assert step.status in TRANSITIONS[before], f"a step that is {before} does not become {step.status}"
        self.steps[step.name] = step

    def _know(self, **changes: object) -> None:
        self.record = replaced(self.record, **changes)

    def _transition(self, step: StepRow, event: EventRow) -> Transition:
        return Transition(record=self.record, step=step, event=event)

    def _event(
        self,
        kind: str,
        now_ms: int,
        step: str,
        *,
        fingerprint: str | None = None,
        verdict: Verdict | None = None,
        detail: str | None = None,
        write_key: str | None = None,
    ) -> EventRow:
        name = None if verdict is None else verdict.word
        return EventRow(
            now_ms,
            kind,
            self.row.source_row,
            self.record.key,
            step,
            self.step(step).attempts,
            fingerprint=fingerprint,
            verdict=name,
            trace=self.trace if kind == "result" else NO_TRACE,
            detail=detail,
            write_key=write_key,
        )


@cache
def _begun_with(name: str) -> StepRow:
    """A step of which nothing is known."""
    return StepRow(name, StepStatus.OPEN)


def warnings_of(row: Row, facts: Mapping[str, str]) -> str | None:
    """The warnings of the input, and those that steps left (facts `warning` and SPELLING), joined by `;`."""
    return ";".join(filter(None, (row.warnings, facts.get("warning"), facts.get(SPELLING)))) or None


def after(before: StepRow, now: StepRow, verdict: object) -> StepRow:
    """The step once `verdict` is known. Only Doubted leaves this attempt in doubt; earlier doubts stay till settled.

    "Exists already" may be about this very attempt: something on the way sent it twice, and the second was refused.
    It was answered, so it explains nothing that a look finds; but until a look the step is not provably open.
    A row that ends in doubt, or failed after unanswered requests, keeps them: they explain what a later look finds.
    What the newest write was made of is kept for as long as it may be sent again; the event of its intent has it too.
    """
    match verdict:
        case Done():
            return replaced(now, status=StepStatus.DONE, doubt_since_ms=None, doubts=0, **FORGOTTEN)
        case Undecided():
            return replaced(now, status=StepStatus.UNDECIDED, doubt_since_ms=None, doubts=0)
        case Ended(outcome=Outcome.IN_DOUBT):
            return now if now.status is StepStatus.UNDECIDED else replaced(now, status=StepStatus.DOUBTFUL)
        case Ended(outcome=Outcome.FAILED):
            return replaced(now, status=StepStatus.REFUSED)
        case Ended():
            return replaced(now, status=StepStatus.REFUSED, doubt_since_ms=None, doubts=0)
        case Doubted(answered=True):
            return replaced(now, status=StepStatus.DOUBTFUL, doubts=before.doubts)
        case Doubted():
            return replaced(now, status=StepStatus.DOUBTFUL)
    perhaps = before.doubt_since_ms is not None or isinstance(verdict, Taken)
    status = StepStatus.DOUBTFUL if perhaps else StepStatus.OPEN
    return replaced(now, status=status, doubt_since_ms=before.doubt_since_ms, doubts=before.doubts)
