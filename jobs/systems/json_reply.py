"""A JSON reply as values: parsed once and strictly, identifiers, texts. Nothing here knows a system."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from jobs.systems.messages import Reply

_IDENTIFIER = re.compile(r"(?=.*[A-Za-z1-9])[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What is safe in a path and names something: `007` does; `0`, `-1` and a UUID of zeros stand for nobody."""

_NOTHING = frozenset({"null", "none", "undefined", "nan"})
"""What programs write in the place of an id that they have not got."""

_LARGEST = 2**63 - 1
"""The largest id that is a number: a signed long of 64 bits (chosen); no two readers agree on larger ones."""


class Unreadable(Exception):
    """The body is not what the document promises."""


def parsed(reply: Reply) -> Any:
    """The body as JSON, parsed once however often it is asked for, so that nobody may change it.

    Raises Unreadable (empty, cut, not UTF-8, nested too deep, a name given twice).
    """
    return reply.once(_parsed)


def _parsed(reply: Reply) -> Any:
    """Reads strictly.

    orjson is strict about text and numbers but keeps the last of two equal names; which one the target meant nobody
    can know. What it writes again byte by byte has none; in other spellings (blanks, escapes) the standard reader
    looks for them (8 µs a reply).
    """
    try:
        body = orjson.loads(reply.body)
        if not _is_spelt_so(body, reply.body):
            _PAIRS(reply.body.decode())
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON ({len(reply.body)} bytes)") from error
    return body


def _is_spelt_so(body: Any, text: bytes) -> bool:
    try:
        return orjson.dumps(body) == text
    except orjson.JSONEncodeError:  # nested deeper than it writes
        return False


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Raises ValueError when a name stands twice in one object."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is given twice")


_PAIRS = json.JSONDecoder(object_pairs_hook=_once).decode


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
    """A server id, given as a positive whole number or as text, which stays as it is; None when it is not one.

    None for booleans, for numbers with a fraction or beyond 64 bits, and for words and numbers that stand for nobody.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if isinstance(value, int):
        return str(value) if 0 < value <= _LARGEST else None
    return value if _IDENTIFIER.fullmatch(value) and value.casefold() not in _NOTHING else None


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
    return value if value.isalnum() and value.isascii() else quote(value, safe="")
