"""A JSON reply as values: parsed once and strictly, identifiers, texts. Nothing here knows a system."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from jobs.systems.exchange import Reply

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """The body is not what the document promises."""


def parsed(reply: Reply) -> Any:
    """The body as JSON. Raises Unreadable (empty, cut, not UTF-8, nested too deep, a name given twice).

    orjson is strict about text and numbers but keeps the last of two equal names; which one the target meant nobody
    can know, so the standard reader looks for those (8 µs a reply).
    """
    try:
        body = orjson.loads(reply.body)
        json.loads(reply.body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON ({len(reply.body)} bytes)") from error
    return body


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Raises ValueError when a name stands twice in one object."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is given twice")


def is_json(reply: Reply) -> bool:
    """Whether the body is JSON at all."""
    try:
        parsed(reply)
    except Unreadable:
        return False
    return True


def record_of(reply: Reply) -> Mapping[str, Any]:
    """The body as one object. Raises Unreadable."""
    body = parsed(reply)
    if not isinstance(body, dict):
        raise Unreadable(f"expected an object, got {type(body).__name__}")
    return body


def records_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The body as an array of objects. Raises Unreadable."""
    body = parsed(reply)
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise Unreadable(f"expected an array of objects, got {type(body).__name__}")
    return body


def identifier(value: object) -> str | None:
    """A server id, given as number or text, in a form that is safe in a path; None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value)
    return text if _IDENTIFIER.fullmatch(text) else None


def text_of(record: Mapping[str, Any], field: str) -> str | None:
    """A text or whole number as text; None when absent, empty or of another type."""
    value = record.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return str(value) or None


def word_of(record: Mapping[str, Any], field: str) -> str | None:
    """A text on which something is decided; None when absent, null or empty. Raises Unreadable for any other type."""
    value = record.get(field)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"its {field} is no text")
    return value or None


def moment_of(value: object) -> datetime | None:
    """A time such as `2026-05-19T08:30:00.000Z`, in UTC; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def segment(value: str) -> str:
    """`value` as one path segment: nothing in it can leave its place."""
    return quote(value, safe="")
