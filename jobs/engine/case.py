"""One row on its way: what is known of it, and what each event makes of it. Pure; no I/O, no waiting."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.clock import from_milliseconds
from jobs.keys import Pseudonyms, is_hidden
from jobs.ledger.rows import (
    TRANSITIONS,
    EventRow,
    IdClaim,
    Known,
    OutcomeRow,
    RecordRow,
    StepRow,
    StepStatus,
    Transition,
)
from jobs.model import COMPLETE, RESUMABLE, Outcome
from jobs.systems.contract import PROFILE_STEP
from jobs.systems.messages import Trace
from jobs.systems.optional import SHARED
from jobs.systems.row import Doubt, Row, View
from jobs.systems.spelling import SPELLING
from jobs.systems.verdict import Done, Doubted, Ended, Taken, Undecided, Verdict
from jobs.value import replaced, value

CHANGED = "its data differ from what was sent"


CORRECTABLE = frozenset({Outcome.REJECTED, Outcome.FAILED, Outcome.CONFLICT, Outcome.NOT_ELIGIBLE})
"""Final outcomes that are taken up again when the row's data were changed since: that is how a row is mended.

A declined one is not: its KYC would have to be posted again, which only a person may ask for.
"""

NO_TRACE = Trace()

GIVEN_UP = "given_up"
"""Reason code of a row that a person decided to give up: it stays `failed`, and nothing is sent for it again."""

KEYS = frozenset({"wallet_external_unique_id"})
"""Facts that are keys derived from the row's own; several are joined by `;`."""

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
        known = self.steps.get(name)
        return StepRow(name, StepStatus.OPEN) if known is None else known

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


def warnings_of(row: Row, facts: Mapping[str, str]) -> str | None:
    """The warnings of the input, and those that steps left (facts `warning` and SPELLING), joined by `;`."""
    return ";".join(filter(None, (row.warnings, facts.get("warning"), facts.get(SPELLING)))) or None


def after(before: StepRow, now: StepRow, verdict: object) -> StepRow:
    """The step once `verdict` is known. Only Doubted leaves this attempt in doubt; earlier doubts stay till settled.

    "Exists already" may be about this very attempt: something on the way sent it twice, and the second was refused.
    It was answered, so it explains nothing that a look finds; but until a look the step is not provably open.
    A row that ends in doubt, or failed after unanswered requests, keeps them: they explain what a later look finds.
    """
    match verdict:
        case Done():
            return replaced(now, status=StepStatus.DONE, doubt_since_ms=None, doubts=0)
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


@dataclass(frozen=True, slots=True)
class Taking:
    """What a run does with a key that the ledger knows: which outcomes it goes on with."""

    outcomes: frozenset[Outcome] = RESUMABLE


def ledger_key(row: Row, pseudonyms: Pseudonyms) -> str:
    """The row's key as the ledger and the reports know it: a pseudonym where somebody's number is or leads to it."""
    return pseudonyms.hidden(row.key) if row.personal_key else row.key


def ledger_keys(rows: Iterable[Row], pseudonyms: Pseudonyms) -> list[str]:
    """All keys under which the ledger may know `rows`: an older muster hid none that was derived."""
    return [key for row in rows for key in {ledger_key(row, pseudonyms): None, row.key: None}]


def known_of(row: Row, known: Mapping[str, Known], pseudonyms: Pseudonyms) -> Known | None:
    """What is known of `row`, among what the ledger gave for `ledger_keys`."""
    return known.get(ledger_key(row, pseudonyms)) or known.get(row.key)


def open_case(
    row: Row,
    known: Known | None,
    run_id: str,
    pseudonyms: Pseudonyms,
    taking: Taking,
    now_ms: int,
    *,
    steps: Sequence[str] = (),
) -> Case | Transition:
    """A case to work on, or the outcome that is settled already.

    The same key with other data than before is reported as `changed_since` and never silently sent again.
    `steps`: those that the row has to go through; a row that ended well without one of them is not complete yet.
    """
    fingerprint = pseudonyms.fingerprint(row.values)
    fields = {name: pseudonyms.of(name, value) for name, value in sorted(row.values.items())}
    if known is None:
        record = RecordRow(ledger_key(row, pseudonyms), fingerprint, fields, run_id)
        return Case(row, record, {}, resumed=False, hiding=pseudonyms if row.personal_key else None)
    record, changed = known.record, known.record.fingerprint != fingerprint
    other_person = record.pseudonyms.get("national_id") != fields.get("national_id")
    begun = any(step.status is not StepStatus.OPEN for step in known.steps.values())
    case = Case(row, replaced(record, run_id=run_id), dict(known.steps), resumed=begun, facts=dict(record.facts))
    case.hiding = pseudonyms if is_hidden(record.key) else None
    case.trace, case.traced = record.trace, record.failed_step or ""
    case.of_the_row = fingerprint, fields
    if changed:
        case.facts.pop(SHARED, None)  # it was decided about the values of then
    if record.outcome is Outcome.FAILED and record.reason_code == GIVEN_UP:
        return _settled(case, Outcome.FAILED, record.reason_code, record.reason, now_ms)
    if changed and other_person and (begun or record.outcome in COMPLETE):
        reason = "the ledger knows this key with another identity number"
        return _settled(case, Outcome.CONFLICT, "changed_since", reason, now_ms)
    open_steps = [name for name in steps if name != PROFILE_STEP and case.step(name).status is not StepStatus.DONE]
    if record.outcome in COMPLETE and open_steps and not changed:
        return taken_up(case)
    if record.outcome in COMPLETE:
        code = "changed_since" if changed else None
        return _settled(case, Outcome.ALREADY_ONBOARDED, code, CHANGED if changed else None, now_ms)
    if record.outcome is None or record.outcome in taking.outcomes:
        if changed and begun and not case.facts.get("customer_id"):
            reason = "the data were changed while a write is unanswered; restore them, or decide by hand"
            return _settled(case, Outcome.IN_DOUBT, "changed_since", reason, now_ms)
        if changed and not begun:
            case.record = replaced(case.record, fingerprint=fingerprint, pseudonyms=fields)
        return taken_up(to_be_brought(case, steps) if changed and begun else case)
    if changed and record.outcome in CORRECTABLE:
        return mended(case, steps)
    return _settled(case, record.outcome, record.reason_code, record.reason, now_ms)


def left_out(
    row: Row, run_id: str, pseudonyms: Pseudonyms, reason_code: str, reason: str | None, now_ms: int
) -> Transition:
    """The outcome of a row that the ledger does not know and that the run did not come to.

    What a fresh case would end with, and in half the time: a stopped run has 100,000 of them to write down at once.
    """
    key = ledger_key(row, pseudonyms)
    fields = {name: pseudonyms.of(name, value) for name, value in sorted(row.values.items())}
    outcome = Outcome.NOT_ATTEMPTED
    return Transition(
        record=RecordRow(
            key, pseudonyms.fingerprint(row.values), fields, run_id, outcome, reason_code=reason_code, reason=reason
        ),
        event=EventRow(now_ms, "outcome", row.source_row, key, verdict=outcome, detail=reason_code),
        outcome=OutcomeRow(
            source_row=row.source_row,
            outcome=outcome,
            row_ref=row.row_ref,
            key=key,
            reason_code=reason_code,
            reason=reason,
            phone_masked=row.phone_masked,
            national_id_masked=row.national_id_masked,
            warnings=row.warnings,
        ),
    )


def to_be_brought(case: Case, steps: Sequence[str]) -> Case:
    """A begun row whose data were changed: reported as such, unless one of its `steps` brings them to the target."""
    case.changed = True
    if PROFILE_STEP in steps and case.step(PROFILE_STEP).status is StepStatus.DONE:
        case.steps[PROFILE_STEP] = replaced(case.steps[PROFILE_STEP], status=StepStatus.OPEN)
    return case


def mended(case: Case, steps: Sequence[str]) -> Case:
    """A refused row whose data were corrected: the refused step is open again.

    They count as sent, unless a customer is there to whom one of its `steps` has to bring them first.
    """
    case.steps = {
        name: replaced(step, status=StepStatus.OPEN) if step.status is StepStatus.REFUSED else step
        for name, step in case.steps.items()
    }
    to_be_brought(case, steps)
    if PROFILE_STEP not in steps or not case.facts.get("customer_id"):
        case.brought()
    return taken_up(case)


def taken_up(case: Case) -> Case:
    """Its earlier outcome no longer holds: a run that dies with it must leave it open, not `failed` or `rejected`."""
    case.record = replaced(case.record, outcome=None, reason_code=None, reason=None, failed_step=None)
    return case


def _settled(case: Case, outcome: Outcome, code: str | None, reason: str | None, now_ms: int) -> Transition:
    """The outcome of a row that this run does not touch; the ledger's record stays as it is."""
    record = case.record
    failed_step = record.failed_step if outcome is record.outcome else None
    ended = OutcomeRow(
        source_row=case.row.source_row,
        outcome=outcome,
        row_ref=case.row.row_ref,
        key=record.key,
        reason_code=code,
        reason=reason,
        failed_step=failed_step,
        facts=record.facts,
        trace=record.trace if outcome is record.outcome else Trace(),
        phone_masked=case.row.phone_masked,
        national_id_masked=case.row.national_id_masked,
        warnings=warnings_of(case.row, record.facts),
    )
    event = EventRow(now_ms, "outcome", ended.source_row, ended.key, failed_step, verdict=outcome, detail=code)
    return Transition(event=event, outcome=ended)
