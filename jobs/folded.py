"""The form in which values are compared, so that two spellings of one thing are one. What is sent keeps its spelling.

identity, key, reference   without case, width, blanks, dashes and signs that show nothing
email                      without case and width
phone                      digits with country code, as the number is numbered now

Within a file `intake/duplicates.py` compares the same forms, over columns.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

MOVED = (
    ("2410?2([0-9]{6})", "24162"),
    ("2410?4([0-9]{6})", "24174"),
    ("2410?([56][0-9]{6})", "2416"),
    ("2410?7([0-9]{6})", "24177"),
    ("377(4[4-9][0-9]{6})", "383"),
    ("386(4[39][0-9]{6})", "383"),
)
"""How a number was written, and what stands before its group now.

Gabon put its operators' digits before its numbers (2019); Kosovo left Monaco's and Slovenia's codes for 383 (2017).
Which numbers the metadata of phonenumbers still take in both spellings was tried country by country.
"""

_FORMER = (
    ("24162([0-9]{6})", ("2412", "24102")),
    ("24174([0-9]{6})", ("2414", "24104")),
    ("2416([56][0-9]{6})", ("241", "2410")),
    ("24177([0-9]{6})", ("2417", "24107")),
    ("383(4[4-9][0-9]{6})", ("377",)),
    ("383(4[39][0-9]{6})", ("386",)),
)
"""The way back, for targets that are asked for one spelling at a time."""

LEAST_NATIONAL = 10
"""Digits from which a number with a leading zero is compared with one that has a country code (chosen)."""

_SEPARATORS = str.maketrans("", "", " +-./()\u00a0")


def identity(text: str) -> str:
    """An identity number, a key or a reference."""
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in narrow if unicodedata.category(sign) not in ("Zs", "Pd", "Cf", "Cc"))


def email(text: str) -> str:
    """An e-mail address."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def sim(digits: str) -> str:
    """Digits with country code, as the number is numbered now."""
    for old, new in MOVED:
        if found := re.fullmatch(old, digits):
            return new + found[1]
    return digits


def digits(text: str) -> str:
    """A phone number without separators, `+` and `00`; what is no number stays none."""
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS).removeprefix("00")


def phone(text: str) -> str:
    """A phone number."""
    return sim(digits(text))


_OF_KIND: Mapping[str, Callable[[str], str]] = {
    "identity": identity,
    "key": identity,
    "reference": identity,
    "email": email,
    "phone": phone,
}
"""By kind of column, as `schemas/column.py` names them; values of other kinds are compared as they are."""

KINDS: Mapping[str, str] = {
    "national_id": "identity",
    "passport_number": "identity",
    "asylum_ref_number": "identity",
    "external_unique_id": "key",
    "external_reference": "reference",
    "row_ref": "reference",
    "email": "email",
    "phone": "phone",
}
"""The kind of a column by its name, where a comparison with the target knows no more."""


def of(column: str, text: str) -> str:
    """`text` of `column` as it is compared."""
    fold = _OF_KIND.get(KINDS.get(column, ""))
    return text if fold is None else fold(text)


def same(column: str, ours: str | None, theirs: str | None) -> bool:
    """Whether two values of `column` are one, whatever their spelling; None is the same as nothing."""
    if ours is None or theirs is None:
        return False
    return ours == theirs or of(column, ours) == of(column, theirs)


def same_phone(ours: str | None, theirs: str | None) -> bool:
    """Whether two spellings are one SIM: as `same_digits`, and a former number equals its successor."""
    return same_digits(ours, theirs) or same("phone", ours, theirs)


def same_digits(ours: str | None, theirs: str | None) -> bool:
    """Whether two spellings are one number as it is dialled: separators, `+` and a national `0…` tell nothing apart."""
    if not ours or not theirs:
        return False
    left, right = digits(ours), digits(theirs)
    if left == right:
        return True
    return right.startswith("0") and len(right) >= LEAST_NATIONAL and left.endswith(right[1:])


def differs(column: str, ours: str | None, theirs: str | None) -> bool:
    """Whether one value is written in two ways that are worth a word: capitals of e-mails and separators of phones
    are not.
    """
    if ours == theirs or not same(column, ours, theirs):
        return False
    if KINDS.get(column) == "phone":
        return not same_digits(ours, theirs)
    left, right = ("".join((text or "").split()) for text in (ours, theirs))
    return left.casefold() != right.casefold() if KINDS.get(column) == "email" else left != right


def spellings(column: str, text: str) -> tuple[str, ...]:
    """`text`, then how else a target may have it that is asked for one spelling at a time.

    Phones as they were numbered before and are now, e-mails in small letters, all else in both cases.
    """
    if KINDS.get(column) == "phone":
        now = sim(text)
        back = [f"{prefix}{found[1]}" for new, old in _FORMER if (found := re.fullmatch(new, now)) for prefix in old]
        return tuple(dict.fromkeys((text, now, *back)))
    if KINDS.get(column) == "email":
        return tuple(dict.fromkeys((text, text.lower())))
    return tuple(dict.fromkeys((text, text.upper(), text.lower())))
