"""Ledger values as columns of its tables, and back. No statement, no connection."""

import json
from collections.abc import Mapping
from functools import lru_cache

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


def _trace(trace: Trace) -> dict[str, object]:
    """A target may send anything back as its code or trace id: a person's number too."""
    if trace.error_code is None and trace.trace_id is None:
        return {"http_status": trace.http_status, "error_code": None, "trace_id": None}
    code, trace_id = mark(trace.error_code or "", 40), mark(trace.trace_id or "", 80)
    return {"http_status": trace.http_status, "error_code": code or None, "trace_id": trace_id or None}


def record_columns(row: RecordRow, space_id: int) -> dict[str, object]:
    """A record as its columns; facts and pseudonyms as JSON with sorted names."""
    return {
        "space_id": space_id,
        "key": row.key,
        "fingerprint": row.fingerprint,
        "pseudonyms": _json(row.pseudonyms),
        "outcome": row.outcome,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "failed_step": row.failed_step,
        "facts": _json(row.facts),
        **_trace(row.trace),
        "first_attempt_ms": row.first_attempt_ms,
        "last_attempt_ms": row.last_attempt_ms,
        "undecided_since_ms": row.undecided_since_ms,
        "run_id": row.run_id,
    }


def record_of(row: RowMapping) -> RecordRow:
    """The record of a row of `record`."""
    return RecordRow(
        key=row["key"],
        fingerprint=row["fingerprint"],
        pseudonyms=json.loads(row["pseudonyms"]),
        run_id=row["run_id"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason_code=row["reason_code"],
        reason=row["reason"],
        failed_step=row["failed_step"],
        facts=json.loads(row["facts"]),
        trace=Trace(row["http_status"], row["error_code"], row["trace_id"]),
        first_attempt_ms=row["first_attempt_ms"],
        last_attempt_ms=row["last_attempt_ms"],
        undecided_since_ms=row["undecided_since_ms"],
    )


def step_columns(row: StepRow, key: str, space_id: int) -> dict[str, object]:
    """A step of `key` as its columns."""
    return {
        "space_id": space_id,
        "key": key,
        "name": row.name,
        "status": row.status,
        "attempts": row.attempts,
        "doubt_since_ms": row.doubt_since_ms,
        "doubts": row.doubts,
        "bound": None if row.bound is None else _json(row.bound),
        "write_key": row.write_key,
        "body_sha256": row.body_sha256,
    }


def step_of(row: RowMapping) -> StepRow:
    """The step of a row of `step`."""
    return StepRow(
        name=row["name"],
        status=StepStatus(row["status"]),
        attempts=row["attempts"],
        doubt_since_ms=row["doubt_since_ms"],
        doubts=row["doubts"],
        bound=None if row["bound"] is None else json.loads(row["bound"]),
        write_key=row["write_key"],
        body_sha256=row["body_sha256"],
    )


def event_columns(row: EventRow, run_id: str) -> dict[str, object]:
    """An event of a run as its columns."""
    return {
        "run_id": run_id,
        "at_ms": row.at_ms,
        "kind": row.kind,
        "source_row": row.source_row,
        "key": row.key,
        "step": row.step,
        "attempt": row.attempt,
        "fingerprint": row.fingerprint,
        "verdict": row.verdict,
        **_trace(row.trace),
        "detail": row.detail,
        "write_key": row.write_key,
    }


def outcome_columns(row: OutcomeRow, run_id: str) -> dict[str, object]:
    """An outcome of a run as its columns; facts that have a column of their own go there."""
    return {
        "run_id": run_id,
        "source_row": row.source_row,
        "row_ref": row.row_ref,
        "external_unique_id": row.key,
        "outcome": row.outcome,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "failed_step": row.failed_step,
        **{column: row.facts.get(column) or None for column in FACT_COLUMNS},
        "attempts": row.attempts,
        **_trace(row.trace),
        "phone_masked": row.phone_masked,
        "national_id_masked": row.national_id_masked,
        "first_attempt_ms": row.first_attempt_ms,
        "last_attempt_ms": row.last_attempt_ms,
        "warnings": row.warnings,
    }


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
