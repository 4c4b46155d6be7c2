"""The one rule of what may be shown of a personal value.

identity number: the last 3 characters · phone: the last 2 · e-mail: the first character and the domain ·
name: the first character. Values too short to hide are starred whole. Everything that reaches a log, a
report, the ledger or an exception passes here.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SHORTEST = 8
"""Chosen: below this, a tail of 3 would show a third of the value or more."""

_DIGITS = re.compile(r"\+?\d(?:(?:[\W_]{0,3}+|[\s.,'’_\-\u2010-\u2015\u2212/()\u200b-\u200f\u2060\ufeff]{0,16}+)\d)*+")
"""Digits with whatever signs stand between them: any three, or 16 that people and machines write there (chosen)."""

_KEYS = re.compile(r"\b(cust|wal)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
"""Derived keys: of an identity number perhaps, which can then be found by trying."""

_STRANGE = re.compile(r"[^\x00-\x7f]")
_WORDS = re.compile(r"[^\s<>\"',;:()]++")
_HEXADECIMAL = re.compile(r"(?=.*[a-f])(?=.*[0-9])[0-9a-f-]{16,}")
FEWEST = 7
"""Digits of a number that is starred; chosen: fewer are amounts, dates without a century and postal codes."""

FEWEST_IN_HEX = 13
"""The same inside a hexadecimal id, half of which have 7 digits in a row: as many as South Africa's number has."""


Mask = Callable[[str | None], str]
"""What makes a value one that may be shown."""


def tail(value: str | None, shown: int) -> str:
    """`value` with all but its last `shown` characters starred; empty for None."""
    if not value:
        return ""
    if len(value) < SHORTEST:
        return "*" * len(value)
    return "*" * (len(value) - shown) + value[-shown:]


def identity(value: str | None) -> str:
    """An identity, passport or tax number."""
    return tail(value, 3)


def phone(value: str | None) -> str:
    """A phone number in any spelling."""
    return tail(value, 2)


def email(value: str | None) -> str:
    """`s***@example.com`; without an @ the whole value is starred."""
    if not value:
        return ""
    local, at, domain = value.rpartition("@")
    return f"{local[:1]}***@{domain}" if at and local else "*" * len(value)


def name(value: str | None) -> str:
    """`S****`; a single character is starred."""
    if not value:
        return ""
    return value[0] + "*" * (len(value) - 1) if len(value) > 1 else "*"


OF_KIND: Mapping[str, Mask] = {"phone": phone, "identity": identity, "email": email}
"""The mask of each kind of personal number and address, as `schemas/column.py` names it."""


def of_column(column: str) -> Mask:
    """The mask of a column of the input by its name; what is no number and no address is masked as a name."""
    return OF_KIND.get("identity" if column == "national_id" else column, name)


def text(value: str) -> str:
    """Free text of others (an error, an unknown column) without numbers of 7 digits or more and without e-mails.

    Separators inside a number hide nothing, nor do digits of other scripts or forms: `900101 5009 087`, `9,001,015`
    and `９００①⁰1` are starred too. In linear time, whatever the text. Mask first, cut afterwards.
    """
    return _masked(value, FEWEST)


def mark(value: str, most: int) -> str:
    """A code, a state or a trace id of others, as `text`, then cut to `most` characters.

    A hexadecimal one stays readable as long as it holds no whole number.
    """
    return _masked(value, FEWEST_IN_HEX if _HEXADECIMAL.fullmatch(value.lower()) else FEWEST)[:most]


def _masked(value: str, fewest: int) -> str:
    """`value` itself where nothing in it is to be hidden, else with plain digits."""
    plain = value if value.isascii() else _STRANGE.sub(_plain, value)
    named = _KEYS.sub(r"\1-***", addresses(plain)) if "-" in plain else addresses(plain)
    hidden = _DIGITS.sub(lambda number: _without_number(number, fewest), named)
    return value if hidden == plain else hidden


def _plain(sign: re.Match[str]) -> str:
    """The digits, or the at sign, that a sign stands for (NFKC, and signs that are digits without it); else itself."""
    digit = unicodedata.digit(sign[0], None)
    if digit is not None:
        return str(digit)
    same = unicodedata.normalize("NFKC", sign[0])
    return same if any(each.isdecimal() or each == "@" for each in same) else sign[0]


def addresses(value: str) -> str:
    """Free text without e-mail addresses."""
    return _WORDS.sub(_without_email, value) if "@" in value else value


def _without_email(word: re.Match[str]) -> str:
    return email(word[0]) if 0 < word[0].find("@") < len(word[0]) - 1 else word[0]


def _without_number(number: re.Match[str], fewest: int) -> str:
    found = number[0]
    if sum(map(str.isdecimal, found)) < fewest:
        return found
    return "*" * (len(found) - 2) + found[-2:]


def line(value: str) -> str:
    """`text` on one line: what drives a terminal, or breaks a line, becomes a blank."""
    return text("".join(sign if sign.isprintable() else " " for sign in value).strip())


def tail_expr(column: str, shown: int) -> "pl.Expr":
    """`tail` over a text column; null stays null."""
    import polars as pl  # what only masks a sentence waits for no table

    value = pl.col(column)
    length = value.str.len_chars()
    stars = pl.lit("*").repeat_by(pl.when(length < SHORTEST).then(length).otherwise(length - shown)).list.join("")
    return pl.when(length < SHORTEST).then(stars).otherwise(stars + value.str.tail(shown))
