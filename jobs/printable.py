"""Text of others made inert for people: one line, no colours, no reordering. Masks nothing, escapes no HTML."""

import re

_CODES = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,  # Arabic letter mark
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),  # line and paragraph separators, bidirectional embeddings and overrides
    *range(0x2066, 0x206A),  # bidirectional isolates
)

ESCAPES: dict[str, str] = {chr(code): f"\\u{code:04x}" for code in _CODES if chr(code) != "\t"}
"""Each character that breaks a line, drives a terminal or turns text around, and the visible form it is written in."""

_UNSAFE = re.compile("[" + "".join(re.escape(character) for character in ESCAPES) + "]")


_UNSAFE_IN_JSON = re.compile("[" + "".join(re.escape(sign) for sign in ESCAPES if ord(sign) > 0x1F) + "]")


def escaped(document: str) -> str:
    """A JSON document with the characters of `ESCAPES` as JSON escapes them; it means the same, line ends stay."""
    return _UNSAFE_IN_JSON.sub(lambda match: ESCAPES[match[0]], document)


def printable(text: str) -> str:
    """`text` with the characters of `ESCAPES` written as `\\u000a` and the like. A tab stays."""
    return _UNSAFE.sub(lambda match: ESCAPES[match[0]], text)
