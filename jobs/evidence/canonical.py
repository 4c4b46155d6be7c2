"""The one spelling of an event as JSON: no blanks, no floats, nothing that breaks a line or drives a terminal."""

import re
from collections.abc import Mapping

import orjson

from jobs.errors import MusterError
from jobs.printable import ESCAPES

_UNSAFE = re.compile("|".join(re.escape(character) for character in ESCAPES if ord(character) > 0x1F).encode())

_PLAIN = frozenset({str, int, bool, type(None)})
"""What nearly every value is; anything else is looked into."""


def canonical(event: Mapping[str, object], *, by_name: bool = True) -> bytes:
    """`event` without a line end: UTF-8, characters of `printable.ESCAPES` as `\\u....`.

    `by_name`: members are sorted by name; else they stay in their order. Raises `MusterError` for floats and for what
    JSON doesn't know.
    """
    if not _PLAIN.issuperset(map(type, event.values())) and _holds_float(event):
        raise MusterError("an event holds a float; write an integer or text, which have one spelling only")
    try:
        text = orjson.dumps(event, option=_SORTED if by_name else orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError as error:
        raise MusterError(f"an event can't be written as JSON: {type(error).__name__}") from None
    return _escaped(text)


def canonical_text(text: str) -> bytes:
    """A text as a value of `canonical`, in its quotes."""
    return _escaped(orjson.dumps(text))


def _escaped(text: bytes) -> bytes:
    if text.isascii() and b"\x7f" not in text:  # nearly always, and a tenth of the search's time
        return text
    return _UNSAFE.sub(lambda match: ESCAPES[match[0].decode()].encode(), text)


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _holds_float(value: object) -> bool:
    if isinstance(value, float):
        return True
    if isinstance(value, Mapping):
        return any(_holds_float(item) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds_float(item) for item in value)
