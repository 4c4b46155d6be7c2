"""Phone numbers as digits with country code: one reference rule, and a fast path that never disagrees with it.

Only mobile numbers that the numbering plan knows pass; nothing is guessed and no letter is dropped.
"""

import functools
import re
import unicodedata

import phonenumbers
import polars as pl
from phonenumbers import NumberParseException, PhoneNumberType

from jobs.errors import Unusable
from jobs.folded import MOVED
from jobs.value import value

NATIONAL_DIGITS = {"ZA": 9}
"""The metadata take 5 to 9 digits behind 081-084: of numbers with one digit missing, 18 % stay valid (measured)."""
LONGEST = 40
"""Characters of a phone in any spelling; chosen."""
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_SHAPE = re.compile(r"\+?[0-9 ().\-/]+")
_DECIMAL = re.compile(r"\.0+$")
_TWO_PARTS = (
    r"/.*/",
    r"(?:[0-9][^0-9/]*){8,}/",
    r"/[^0-9]*(?:[0-9][^0-9]*){1,3}$",
    r"[0-9]{6,} *- *[0-9]{1,2} *$",
    r"(?:[0-9][^0-9]*){16}",
    r"[0-9].*(?:[,;|&]|[^0-9a-z](?:or|oder|ou|o|und|and|et|y|e) |ext|x *[0-9])",
)
TWO_NUMBERS = "(?i)" + "|".join(_TWO_PARTS)
"""A second number, its last digits behind a slash or a dash, an extension: more than one way to dial what is written.

An area code may stand before a slash (`0664/1234567`); eight digits there are a whole number. Chosen.
"""
_TWO = re.compile(TWO_NUMBERS)
_RENUMBERED = "|".join(f"^{old}$" for old, _ in MOVED)
NATIONAL_AND_FOREIGN = 9
"""Digits that may be a number of this region without its zero, or of another without its plus. Chosen: longer ones
collide by chance."""
_OTHER_KINDS = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")


def normalise_phone(text: str, region: str) -> str | None:
    """Digits with country code (`27821234567`); None for what is no valid mobile number.

    `region`: ISO 3166-1 alpha-2 of numbers written without country code.
    """
    plain = _plain(text)
    if len(plain) > LONGEST or not _SHAPE.fullmatch(plain) or _DECIMAL.search(plain) or _TWO.search(plain):
        return None
    try:
        number = phonenumbers.parse(plain, region)
    except NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) not in _MOBILE:
        return None
    home = phonenumbers.region_code_for_number(number)
    national = phonenumbers.national_significant_number(number)
    if NATIONAL_DIGITS.get(home or "", len(national)) != len(national):
        return None
    return f"{number.country_code}{national}"


def one_sim(phones: pl.Series) -> pl.Series:
    """Digits with country code in the one spelling that two numbers of the same SIM share, for comparisons only."""
    moved = phones.str.contains(_RENUMBERED).fill_null(value=False).arg_true()
    if not len(moved):
        return phones
    texts = phones[moved]
    for old, new in MOVED:
        texts = texts.str.replace(f"^{old}$", f"{new}${{1}}")
    return phones.scatter(moved, texts)


def foreign(texts: pl.Series, phones: pl.Series, region: str) -> pl.Series:
    """Mask of the numbers without `+` and trunk zero that would be a mobile number of another country with a `+`.

    `texts` as given, `phones` what they were taken for. The plans of all countries are loaded (measured: a twentieth of
    the computing of a small run) only for digits that begin neither with a zero nor with the region's own code, which
    no other code begins with.
    """
    own = phonenumbers.country_code_for_region(region)
    digits = texts.str.replace_all(r"[ \u{a0}().\-]", "")
    asked = digits.str.contains("^[1-9]") & ~digits.str.starts_with(str(own)) & phones.is_not_null()
    asked = asked.fill_null(value=False)
    return asked & digits.str.contains(_abroad(region)) if asked.any() else asked


@functools.cache
def _abroad(region: str) -> str:
    """Nine digits that are a mobile number somewhere else, its country code first."""
    found: list[str] = []
    own = phonenumbers.country_code_for_region(region)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        left = NATIONAL_AND_FOREIGN - len(str(code))
        for other in regions if code != own else ():
            metadata = phonenumbers.PhoneMetadata.metadata_for_region(other, None)
            mobile = metadata and metadata.mobile
            if mobile and mobile.national_number_pattern and left in mobile.possible_length:
                found.append(f"{code}(?:{mobile.national_number_pattern})")
    return f"^(?:{'|'.join(found)})$"


def check_region(region: str) -> str:
    """`region` in upper case. Raises Unusable when no numbering plan has it."""
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise Unusable(f"--region {region!r} is no region with a numbering plan; give two letters such as ZA")
    return region.upper()


def normalise_phones(texts: pl.Series, region: str) -> pl.Series:
    """`normalise_phone` of each text; null stays null. Same length, same order, same name."""
    plan = _plan(region)
    found = texts.clear(len(texts)) if plan is None else _direct(texts, plan)
    left = (found.is_null() & texts.is_not_null()).arg_true()
    if plan is not None and len(left):
        found = found.scatter(left, _direct(_joined(texts[left]), plan))
        left = (found.is_null() & texts.is_not_null()).arg_true()
    return found.scatter(left, _by_rule(texts[left], region)) if len(left) else found


@value
class _Plan:
    """A region's mobile numbers as regular expressions over digits, taken from the metadata of phonenumbers."""

    country_code: str
    spelling: str
    mobile: str
    other: str


@functools.cache
def _plan(region: str) -> _Plan | None:
    """Plans the fast path of a region; None where its numbering plan is too various: the rule then decides alone."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    code = phonenumbers.country_code_for_region(region)
    mobile = metadata.mobile if metadata else None
    if (
        metadata is None
        or mobile is None
        or metadata.general_desc is None
        or len(phonenumbers.region_codes_for_country_code(code)) != 1
    ):
        return None
    lengths = (NATIONAL_DIGITS[region],) if region in NATIONAL_DIGITS else mobile.possible_length
    trunk_is_zero = metadata.national_prefix == metadata.national_prefix_for_parsing == "0"
    possible = metadata.general_desc.possible_length
    if len(lengths) != 1 or not trunk_is_zero or {len(str(code)) + lengths[0], 1 + lengths[0]} & set(possible[:-1]):
        return None
    abroad = rf"\+?{code}|00{code}" if metadata.international_prefix == "00" else rf"\+?{code}"
    others = (getattr(metadata, kind) for kind in _OTHER_KINDS)
    return _Plan(
        str(code),
        rf"^(?:{abroad}|0)?([1-9][0-9]{{{lengths[0] - 1}}})$",
        f"^(?:{mobile.national_number_pattern})$",
        "|".join(f"^(?:{kind.national_number_pattern})$" for kind in others if kind and kind.national_number_pattern),
    )


def _direct(texts: pl.Series, plan: _Plan) -> pl.Series:
    """Digits with country code of the texts that are plainly a mobile number of the plan; null for all others."""
    national = pl.col(texts.name).str.extract(plan.spelling, 1)
    mobile = national.str.contains(plan.mobile)
    if plan.other:
        mobile &= ~national.str.contains(plan.other)
    return (
        texts.to_frame()
        .select(pl.when(mobile).then(pl.lit(plan.country_code) + national).alias(texts.name))
        .to_series()
    )


def _joined(texts: pl.Series) -> pl.Series:
    """Without the separators of numbers that have nothing else; null for all others."""
    text = pl.col(texts.name)
    simple = (
        text.str.contains(r"^\+?[0-9 \u{a0}().\-]+$")
        & ~text.str.contains(r"\.0+[ \u{a0}]*$")
        & ~text.str.contains(r"[0-9]{6,}[ \u{a0}]*-[ \u{a0}]*[0-9]{1,2}[ \u{a0}]*$")  # as of TWO_NUMBERS
        & (text.str.len_chars() <= LONGEST)
    )
    return (
        texts.to_frame()
        .select(pl.when(simple).then(text.str.replace_all(r"[^0-9+]", "")).alias(texts.name))
        .to_series()
    )


def _by_rule(texts: pl.Series, region: str) -> pl.Series:
    known = {text: normalise_phone(text, region) for text in texts.unique()}
    return pl.Series(texts.name, [known[text] for text in texts], pl.String)


def _plain(text: str) -> str:
    """Without the `tel:` of RFC 3966 and invisible characters at the ends.

    Digits, spaces, dashes and the plus sign of other scripts as ASCII."""
    signs = [_ascii(sign) for sign in text]
    start, end = 0, len(signs)
    while start < end and (signs[start] == " " or unicodedata.category(text[start]) == "Cf"):
        start += 1
    while end > start and (signs[end - 1] == " " or unicodedata.category(text[end - 1]) == "Cf"):
        end -= 1
    plain = "".join(signs[start:end])
    return plain[4:] if plain[:5].lower() == "tel:+" else plain


def _ascii(sign: str) -> str:
    if sign.isascii():
        return " " if sign in "\t\r\n" else sign
    if sign in "＋−":
        return "+" if sign == "＋" else "-"
    if (digit := unicodedata.decimal(sign, None)) is not None:
        return str(digit)
    return {"Pd": "-", "Zs": " ", "Zl": " ", "Zp": " "}.get(unicodedata.category(sign), sign)
