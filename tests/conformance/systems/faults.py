"""What may happen to the first write of a row: answers that refuse it, and answers that are lost or broken."""

from typing import Any

Fault = dict[str, Any]


def _answered(status: int, **more: Any) -> Fault:
    return {"kind": "status", "params": {"status": status}, **more}


ANSWERS: dict[str, Fault] = {
    "400": _answered(400),
    "409": _answered(409),
    "429 (once)": {"kind": "throttle", "nth": 1, "params": {"retry_after": 0}},
    "500": _answered(500),
    "500 (once)": _answered(500, nth=1),
    "502": _answered(502),
    "503": _answered(503),
    "504": _answered(504),
    "a redirect": {"kind": "redirect", "params": {"location": "http://127.0.0.1:9/"}},
}
"""Statuses that concern one row; nothing was committed."""

LOSSES: dict[str, Fault] = {
    "lost, and the write not committed": {"kind": "drop_before_commit", "nth": 1},
    "lost, and the write committed": {"kind": "drop_after_commit", "nth": 1},
    "broken off": {"kind": "drop_mid_reply", "nth": 1},
    "half a body": {"kind": "truncated_body", "nth": 1},
    "not JSON": {"kind": "garbage_body", "nth": 1},
    "empty": {"kind": "empty_body", "nth": 1},
    "a page of HTML": {"kind": "wrong_content_type", "nth": 1},
    "huge": {"kind": "huge_body", "nth": 1, "params": {"bytes": 6_000_000}},
}
"""The first answer is lost or broken; of all but the first of these the write was committed."""

COMMITTED = frozenset(LOSSES) - {"lost, and the write not committed"}

SHARED = ANSWERS | LOSSES
"""Faults that leave the other rows alone, so that one run meets them all."""

NAMES = {fault: "Case" + chr(ord("a") + place) for place, fault in enumerate(SHARED)}
"""The last name of the row that a fault happens to."""

ALONE: dict[str, Fault] = {
    "401 (once)": {"kind": "unauthorized", "nth": 1},
    "401 (always)": {"kind": "unauthorized"},
    "403 (first of the run)": _answered(403, nth=1),
    "403 (later)": _answered(403, nth=2),
    "404": _answered(404),
}
"""Faults that may be about the credential or the address, and so may stop a run. Each has a run of its own."""
