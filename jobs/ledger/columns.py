"""Ledger values as lines of its tables, and back. No statement, no connection.

A line has its table's columns in their order. (As names and values it costs a transition a fifth more.) Runs and keys
are the numbers that stand for them, where a line is written; `kept` makes bytes of the texts.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from jobs.ledger.packed import pack, pack_all
from jobs.ledger.rows import EventRow, OutcomeRow, RecordRow, RunRow, StepRow, StepStatus
from jobs.model import Outcome
from jobs.privacy.masking import mark
from jobs.systems.messages import Trace

FACT_COLUMNS = (
    "customer_id",
    "wallet_id",
    "wallet_external_unique_id",
    "decision_status",
    "failed_checks",
    "customer_origin",
)
"""Facts that have a column of their own in `outcome`."""


def kept(values: Sequence[object]) -> tuple[object, ...]:
    """A line as it lies in the table: what is a text is packed."""
    return tuple([pack(value) if isinstance(value, str) else value for value in values])


def _trace(trace: Trace) -> tuple[int | None, str | None, str | None]:
    """A target may send anything back as its code or trace id: a person's number too."""
    if trace.error_code is None and trace.trace_id is None:
        return trace.http_status, None, None
    code, trace_id = mark(trace.error_code or "", 40), mark(trace.trace_id or "", 80)
    return trace.http_status, code or None, trace_id or None


def _packed_trace(trace: Trace) -> tuple[object, ...]:
    status, code, trace_id = _trace(trace)
    return status, None if code is None else pack(code), None if trace_id is None else pack(trace_id)


def record_line(row: RecordRow, space_id: int, key: int, run: int) -> tuple[object, ...]:
    """A record as its columns, packed."""
    customer = row.facts.get("customer_id")
    return (
        space_id,
        key,
        pack(row.fingerprint),
        pack_all(row.pseudonyms),
        None if row.outcome is None else pack(row.outcome.value),
        None if row.reason_code is None else pack(row.reason_code),
        None if row.reason is None else pack(row.reason),
        None if row.failed_step is None else pack(row.failed_step),
        pack(customer) if customer else None,
        pack_all(row.facts),
        *_packed_trace(row.trace),
        row.first_attempt_ms,
        row.last_attempt_ms,
        row.undecided_since_ms,
        run,
    )


def record_of(line: Sequence[Any]) -> RecordRow:
    """The record of a row of `record`."""
    _, key, fingerprint, pseudonyms, outcome, code, reason, step, _, facts, *trace, first, last, undecided, run_id = (
        line
    )
    return RecordRow(
        key=key,
        fingerprint=fingerprint,
        pseudonyms=pseudonyms,
        run_id=run_id,
        outcome=Outcome(outcome) if outcome else None,
        reason_code=code,
        reason=reason,
        failed_step=step,
        facts=facts,
        trace=Trace(*trace),
        first_attempt_ms=first,
        last_attempt_ms=last,
        undecided_since_ms=undecided,
    )


def step_line(row: StepRow, space_id: int, key: int) -> tuple[object, ...]:
    """A step of `key` as its columns, packed."""
    return (
        space_id,
        key,
        pack(row.name),
        pack(row.status.value),
        row.attempts,
        row.doubt_since_ms,
        row.doubts,
        None if row.bound is None else pack_all(row.bound),
        None if row.write_key is None else pack(row.write_key),
        None if row.body_sha256 is None else pack(row.body_sha256),
    )


def step_of(line: Sequence[Any]) -> StepRow:
    """The step of a row of `step`."""
    _, _, name, status, attempts, since_ms, doubts, bound, write_key, body_sha256 = line
    return StepRow(
        name=name,
        status=StepStatus(status),
        attempts=attempts,
        doubt_since_ms=since_ms,
        doubts=doubts,
        bound=bound,
        write_key=write_key,
        body_sha256=body_sha256,
    )


def event_line(row: EventRow, run: int, seq: int | None, key: int | None) -> tuple[object, ...]:
    """An event of a run as its columns, packed; without its number where the table gives it (`seq` None)."""
    return (
        run,
        *(() if seq is None else (seq,)),
        row.at_ms,
        pack(row.kind),
        row.source_row,
        key,
        None if row.step is None else pack(row.step),
        row.attempt,
        None if row.fingerprint is None else pack(row.fingerprint),
        None if row.verdict is None else pack(str(row.verdict)),
        *_packed_trace(row.trace),
        None if row.detail is None else pack(row.detail),
        None if row.write_key is None else pack(row.write_key),
    )


def outcome_line(row: OutcomeRow, run: int | str, key: int | str | None) -> tuple[object, ...]:
    """An outcome of a run as its columns; facts that have a column of their own go there."""
    facts = row.facts
    return (
        run,
        row.source_row,
        row.row_ref,
        key,
        row.outcome.value,
        row.reason_code,
        row.reason,
        row.failed_step,
        *[facts.get(column) or None for column in FACT_COLUMNS],
        row.attempts,
        *_trace(row.trace),
        row.phone_masked,
        row.national_id_masked,
        row.first_attempt_ms,
        row.last_attempt_ms,
        row.warnings,
    )


def run_of(row: RowMapping) -> RunRow:
    """The run of a row of `run` joined with its batch and space."""
    return RunRow(
        run_id=row["run_id"],
        system=row["system"],
        tenant=row["tenant"],
        command=row["command"],
        input_path=row["input_path"],
        input_sha256=row["input_sha256"],
        rows=row["rows"],
        folder=row["folder"],
        settings=json.loads(row["settings"]),
        facts=json.loads(row["facts"]),
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        exit_code=row["exit_code"],
        summary=json.loads(row["summary"]) if row["summary"] else None,
    )
