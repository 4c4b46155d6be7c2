"""Ledger values as lines of its tables, and back. No statement, no connection.

A line has its table's columns in their order. (As names and values it costs a transition a fifth more.)
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import RowMapping

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

_text = json.encoder.encode_basestring_ascii


def _json(values: Mapping[str, str]) -> str:
    """With sorted names and a blank behind each colon: searches in the ledger rely on it."""
    return _spelt(tuple(values.items()))


@lru_cache(maxsize=4096)
def _spelt(values: tuple[tuple[str, str], ...]) -> str:
    """A row's pseudonyms and facts are written with each of its seven transitions, and seldom others than before."""
    return "{" + ", ".join([f"{_text(name)}: {_text(value)}" for name, value in sorted(values)]) + "}"


def _trace(trace: Trace) -> tuple[int | None, str | None, str | None]:
    """A target may send anything back as its code or trace id: a person's number too."""
    if trace.error_code is None and trace.trace_id is None:
        return trace.http_status, None, None
    code, trace_id = mark(trace.error_code or "", 40), mark(trace.trace_id or "", 80)
    return trace.http_status, code or None, trace_id or None


def record_line(row: RecordRow, space_id: int) -> tuple[object, ...]:
    """A record as its columns; facts and pseudonyms as JSON with sorted names."""
    return (
        space_id,
        row.key,
        row.fingerprint,
        _json(row.pseudonyms),
        None if row.outcome is None else row.outcome.value,
        row.reason_code,
        row.reason,
        row.failed_step,
        _json(row.facts),
        *_trace(row.trace),
        row.first_attempt_ms,
        row.last_attempt_ms,
        row.undecided_since_ms,
        row.run_id,
    )


def record_of(line: Sequence[Any]) -> RecordRow:
    """The record of a row of `record`."""
    _, key, fingerprint, pseudonyms, outcome, code, reason, step, facts, *trace, first, last, undecided, run_id = line
    return RecordRow(
        key=key,
        fingerprint=fingerprint,
        pseudonyms=orjson.loads(pseudonyms),
        run_id=run_id,
        outcome=Outcome(outcome) if outcome else None,
        reason_code=code,
        reason=reason,
        failed_step=step,
        facts=orjson.loads(facts),
        trace=Trace(*trace),
        first_attempt_ms=first,
        last_attempt_ms=last,
        undecided_since_ms=undecided,
    )


def step_line(row: StepRow, key: str, space_id: int) -> tuple[object, ...]:
    """A step of `key` as its columns."""
    return (
        space_id,
        key,
        row.name,
        row.status.value,
        row.attempts,
        row.doubt_since_ms,
        row.doubts,
        None if row.bound is None else _json(row.bound),
        row.write_key,
        row.body_sha256,
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
        bound=None if bound is None else orjson.loads(bound),
        write_key=write_key,
        body_sha256=body_sha256,
    )


def event_line(row: EventRow, run_id: str) -> tuple[object, ...]:
    """An event of a run as its columns, without its number."""
    return (
        run_id,
        row.at_ms,
        row.kind,
        row.source_row,
        row.key,
        row.step,
        row.attempt,
        row.fingerprint,
        None if row.verdict is None else str(row.verdict),
        *_trace(row.trace),
        row.detail,
        row.write_key,
    )


def outcome_line(row: OutcomeRow, run_id: str) -> tuple[object, ...]:
    """An outcome of a run as its columns; facts that have a column of their own go there."""
    facts = row.facts
    return (
        run_id,
        row.source_row,
        row.row_ref,
        row.key,
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
