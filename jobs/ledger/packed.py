"""Text as bytes, as short as what it is: a word, a UUID, digits, hex, or else the text itself. No text has two forms.

| bytes | text |
|---|---|
| none | none |
| one | the word of that number (`words.py`) |
| 0, then UTF-8 | a text that the other forms would be taken for |
| 1, then bytes | an even number of hex digits, four at least |
| 2, then a number | up to 18 digits that do not begin with 0 |
| 3, a count, then UTF-8 | asterisks, and what follows them: a masked value |
| 4, 5, 6, then 16 bytes | a UUID; behind `cust-`; behind `wal-` |
| 7, then 16 bytes | 32 hex digits behind `hidden-` |
| 32 or more, then UTF-8 | the text as it is |

Half a surrogate pair, which a target may send and UTF-8 does not have, is kept as its own three bytes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from jobs.ledger.words import BYTES, WORDS

AS_IT_IS, HEX, DIGITS, MASKED, UUID, CUSTOMER, WALLET, HIDDEN = range(8)
PLAIN = 32
"""The first byte that begins a text as it is."""

_PREFIXES = {"": UUID, "cust-": CUSTOMER, "wal-": WALLET}
_PREFIX = {number: prefix for prefix, number in _PREFIXES.items()}
_FORM = re.compile(
    r"(?P<prefix>cust-|wal-|)(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|hidden-(?P<hidden>[0-9a-f]{32})"
    r"|(?P<digits>[1-9][0-9]{0,17})"
    r"|(?P<hex>(?:[0-9a-f]{2}){2,})"
    r"|(?P<stars>\*{2,255})(?P<rest>(?:[^*].*)?)",
    re.DOTALL | re.ASCII,
)
_HASHES = frozenset({32, 64})
"""How many digits pseudonyms and hashes have; numbers of so many have no form of their own."""

_LONG = 255
"""A length of so much or more takes four bytes behind this one."""


def pack(text: str) -> bytes:
    """The bytes of `text`."""
    return BYTES.get(text) or _formed(text)


@lru_cache(maxsize=16_384)
def _formed(text: str) -> bytes:
    """What a row is known by is written with each of its transitions."""
    if len(text) in _HASHES and (hashed := _hex(text)) is not None:
        return bytes([HEX]) + hashed
    found = _FORM.fullmatch(text)
    if found is None:
        plain = text.encode("utf-8", "surrogatepass")
        return plain if not plain or (len(plain) > 1 and plain[0] >= PLAIN) else b"\0" + plain
    prefix, uuid, hidden, digits, hexadecimal, stars, rest = found.groups()
    if uuid is not None:
        return bytes([_PREFIXES[prefix]]) + bytes.fromhex(uuid.replace("-", ""))
    if hidden is not None:
        return bytes([HIDDEN]) + bytes.fromhex(hidden)
    if digits is not None:
        number = int(digits)
        return bytes([DIGITS]) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if hexadecimal is not None:
        return bytes([HEX]) + bytes.fromhex(hexadecimal)
    return bytes([MASKED, len(stars)]) + rest.encode("utf-8", "surrogatepass")


def _hex(text: str) -> bytes | None:
    """The bytes of hex digits in small letters; None for any other text. A third of what the pattern takes."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if found.hex() == text else None


def unpack(packed: bytes) -> str:
    """The text that `pack` gave `packed` for."""
    if len(packed) == 1:
        return WORDS[packed[0]]
    if not packed or packed[0] >= PLAIN:
        return packed.decode("utf-8", "surrogatepass")
    form, rest = packed[0], packed[1:]
    if form in _PREFIX:
        digits = rest.hex()
        return f"{_PREFIX[form]}{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    if form == HEX:
        return rest.hex()
    if form == DIGITS:
        return str(int.from_bytes(rest, "big"))
    if form == HIDDEN:
        return f"hidden-{rest.hex()}"
    if form == MASKED:
        return "*" * rest[0] + rest[1:].decode("utf-8", "surrogatepass")
    return rest.decode("utf-8", "surrogatepass")


def pack_all(values: Mapping[str, str]) -> bytes:
    """Names and values in the order of the names: a word's byte, or 0 and a text with its length; then the value's."""
    return _packed(tuple(values.items()))


@lru_cache(maxsize=4096)
def _packed(values: tuple[tuple[str, str], ...]) -> bytes:
    """A row's pseudonyms and facts are written with each of its transitions, and seldom others than before."""
    parts = list[bytes]()
    for name, value in sorted(values):
        parts += (_named(name), _measured(pack(value)))
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _named(name: str) -> bytes:
    return BYTES.get(name) or b"\0" + _measured(name.encode("utf-8", "surrogatepass"))


def _measured(packed: bytes) -> bytes:
    size = len(packed)
    return (bytes([size]) if size < _LONG else bytes([_LONG]) + size.to_bytes(4, "big")) + packed


def unpack_all(packed: bytes) -> dict[str, str]:
    """The names and values that `pack_all` gave `packed` for."""
    found, at, end = dict[str, str](), 0, len(packed)
    while at < end:
        number, at = packed[at], at + 1
        if number:
            name = WORDS[number]
        else:
            raw, at = _next(packed, at)
            name = raw.decode("utf-8", "surrogatepass")
        raw, at = _next(packed, at)
        found[name] = unpack(raw)
    return found


def _next(packed: bytes, at: int) -> tuple[bytes, int]:
    """What has its length before it, and the place behind it."""
    size, at = packed[at], at + 1
    if size == _LONG:
        size, at = int.from_bytes(packed[at : at + 4], "big"), at + 4
    return packed[at : at + size], at + size
