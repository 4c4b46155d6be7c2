"""A run as a span of OpenTelemetry, in the JSON form of OTLP over HTTP, for any collector.

One span: its trace id is made of the run id, so that whoever has one finds the other. No library is needed for it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jobs import __version__
from jobs.errors import ExitCode
from jobs.reports.summary import Summary

PATH = "/v1/traces"
"""Where a collector takes spans (OTLP/HTTP)."""

INTERNAL, OK, ERROR = 1, 1, 2
"""SPAN_KIND_INTERNAL, STATUS_CODE_OK and STATUS_CODE_ERROR of the protocol."""

FINISHED = frozenset({ExitCode.OK, ExitCode.ATTENTION, ExitCode.PENDING})
"""Ends of a run that came to its end."""


def resource_spans(summary: Summary) -> dict[str, Any]:
    """The body of a request to `PATH`."""
    resource = {"service.name": "muster", "service.version": __version__}
    scope = {"name": "muster", "version": __version__}
    spans = [{"scope": scope, "spans": [_span(summary)]}]
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": spans}]}


def _span(summary: Summary) -> dict[str, Any]:
    digest = hashlib.sha256(summary.run_id.encode()).hexdigest()
    finished = summary.exit_code in FINISHED
    facts: dict[str, str | int] = {
        "muster.run_id": summary.run_id,
        "muster.command": summary.command,
        "muster.system": summary.system,
        "muster.tenant": summary.tenant,
        "muster.exit_code": int(summary.exit_code),
        "muster.rows": summary.input.rows,
        "muster.requests.mutating": summary.requests.mutating,
    }
    facts |= {f"muster.rows.{outcome}": rows for outcome, rows in summary.outcome_counts().items()}
    return {
        "traceId": digest[:32],
        "spanId": digest[32:48],
        "name": f"muster {summary.command}",
        "kind": INTERNAL,
        "startTimeUnixNano": _nanoseconds(summary.started_at),
        "endTimeUnixNano": _nanoseconds(summary.ended_at),
        "attributes": _attributes(facts),
        "status": {"code": OK} if finished else {"code": ERROR, "message": summary.exit_meaning},
    }


def _attributes(facts: Mapping[str, str | int]) -> list[dict[str, Any]]:
    """Whole numbers are texts in this form of the protocol."""
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in facts.items()
    ]


def _nanoseconds(moment: str) -> str:
    return f"{round(datetime.fromisoformat(moment).timestamp() * 1000)}000000"
