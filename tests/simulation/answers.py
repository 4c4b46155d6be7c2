"""Answers of the model of the target: pages, refusals, times in the vendor's form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Answer:
    """Status and body, before the network has its way with it."""

    status: int
    body: Any = None


def page(records: list[dict[str, Any]], query: Mapping[str, str], most: int = 1000) -> Answer:
    """The records that limit and offset ask for, `most` at most."""
    limit, offset = query.get("limit", "1000"), query.get("offset", "0")
    if not (limit.isdigit() and offset.isdigit()):
        return refusal(400, "IAE002", "limit and offset are numbers from 0")
    return Answer(200, records[int(offset) : int(offset) + min(int(limit), most)])


def refusal(status: int, code: str, words: str) -> Answer:
    """The vendor's error array; its words may hold what was sent."""
    return Answer(status, [{"type": "BUSINESS", "code": code, "description": words, "traceId": f"trace-{code}"}])


NOT_FOUND = refusal(404, "ARCH086", "not found")


def iso(moment: float) -> str:
    """The vendor's form of a time."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def encoded(body: Any) -> bytes:
    """A body on the wire."""
    return b"" if body is None else json.dumps(body).encode()
