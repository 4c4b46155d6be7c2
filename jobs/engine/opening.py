"""How a row begins in a run: by what the ledger knows of it, it is worked on, or settled already. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from jobs.engine.case import CHANGED, GIVEN_UP, Case, warnings_of
from jobs.keys import Pseudonyms, is_hidden
from jobs.ledger.rows import EventRow, Known, OutcomeRow, RecordRow, StepStatus, Transition
from jobs.model import COMPLETE, RESUMABLE, Outcome
from jobs.systems.contract import PROFILE_STEP
from jobs.systems.messages import Trace
from jobs.systems.optional import SHARED
from jobs.systems.row import Row
from jobs.value import replaced, value

CORRECTABLE = frozenset({Outcome.REJECTED, Outcome.FAILED, Outcome.CONFLICT, Outcome.NOT_ELIGIBLE})
"""Final outcomes that are taken up again when the row's data were changed since: that is how a row is mended.

A declined one is not: its KYC would have to be posted again, which only a person may ask for.
"""


@value
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
    if known is None:
        record = RecordRow(ledger_key(row, pseudonyms), fingerprint, _fields(row, pseudonyms), run_id)
        return Case(row, record, {}, resumed=False, hiding=pseudonyms if row.personal_key else None)
    record, changed = known.record, known.record.fingerprint != fingerprint
    if record.outcome in COMPLETE and not changed and not _open_steps(known, steps):
        return _settled(row, record, Outcome.ALREADY_ONBOARDED, None, None, now_ms)
    fields = _fields(row, pseudonyms) if changed else record.pseudonyms
    other_person = record.pseudonyms.get("national_id") != fields.get("national_id")
    begun = any(step.status is not StepStatus.OPEN for step in known.steps.values())
    case = Case(row, replaced(record, run_id=run_id), dict(known.steps), resumed=begun, facts=dict(record.facts))
    case.hiding = pseudonyms if is_hidden(record.key) else None
    case.trace, case.traced = record.trace, record.failed_step or ""
    case.of_the_row = fingerprint, fields
    if changed:
        case.facts.pop(SHARED, None)  # it was decided about the values of then
    if record.outcome is Outcome.FAILED and record.reason_code == GIVEN_UP:
        return _settled(row, record, Outcome.FAILED, record.reason_code, record.reason, now_ms)
    if changed and other_person and (begun or record.outcome in COMPLETE):
        reason = "the ledger knows this key with another identity number"
        return _settled(row, record, Outcome.CONFLICT, "changed_since", reason, now_ms)
    if record.outcome in COMPLETE and not changed:
        return taken_up(case)
    if record.outcome in COMPLETE:
        return _settled(row, record, Outcome.ALREADY_ONBOARDED, "changed_since", CHANGED, now_ms)
    if record.outcome is None or record.outcome in taking.outcomes:
        if changed and begun and not case.facts.get("customer_id"):
            reason = "the data were changed while a write is unanswered; restore them, or decide by hand"
            return _settled(row, record, Outcome.IN_DOUBT, "changed_since", reason, now_ms)
        if changed and not begun:
            case.record = replaced(case.record, fingerprint=fingerprint, pseudonyms=fields)
        return taken_up(to_be_brought(case, steps) if changed and begun else case)
    if changed and record.outcome in CORRECTABLE:
        return mended(case, steps)
    return _settled(row, record, record.outcome, record.reason_code, record.reason, now_ms)


def left_out(
    row: Row, run_id: str, pseudonyms: Pseudonyms, reason_code: str, reason: str | None, now_ms: int
) -> Transition:
    """The outcome of a row that the ledger does not know and that the run did not come to.

    What a fresh case would end with, and in half the time: a stopped run has 100,000 of them to write down at once.
    """
    key, fields = ledger_key(row, pseudonyms), _fields(row, pseudonyms)
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


def _fields(row: Row, pseudonyms: Pseudonyms) -> dict[str, str]:
    return {name: pseudonyms.of(name, value) for name, value in sorted(row.values.items())}


def _open_steps(known: Known, steps: Sequence[str]) -> bool:
    """Whether one of `steps` is not done; that a profile was not brought up to date does not count."""
    found = (known.steps.get(name) for name in steps if name != PROFILE_STEP)
    return any(step is None or step.status is not StepStatus.DONE for step in found)


def _settled(
    row: Row, record: RecordRow, outcome: Outcome, code: str | None, reason: str | None, now_ms: int
) -> Transition:
    """The outcome of a row that this run does not touch; the ledger's `record` stays as it is."""
    failed_step = record.failed_step if outcome is record.outcome else None
    ended = OutcomeRow(
        source_row=row.source_row,
        outcome=outcome,
        row_ref=row.row_ref,
        key=record.key,
        reason_code=code,
        reason=reason,
        failed_step=failed_step,
        facts=record.facts,
        trace=record.trace if outcome is record.outcome else Trace(),
        phone_masked=row.phone_masked,
        national_id_masked=row.national_id_masked,
        warnings=warnings_of(row, record.facts),
    )
    event = EventRow(now_ms, "outcome", ended.source_row, ended.key, failed_step, verdict=outcome, detail=code)
    return Transition(event=event, outcome=ended)
