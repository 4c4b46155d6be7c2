"""A customer row judged value by value. Knows nothing of polars, pandera or the tables in `schemas/`."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

import phonenumbers

from jobs.sandbox.eclipse.currencies import CURRENCIES

NAMES = ("first_name", "last_name", "middle_name", "maiden_name")
TEXTS = ("title", "birth_city", "passport_number", "industry")
REQUIRED = ("first_name", "last_name", "phone", "email", "national_id")
CODES = {
    "user_type_id": "[0-9]{1,9}",
    "wallet_type_id": "[0-9]{1,9}(;[0-9]{1,9})*",
    "currency": "[A-Z]{3}(;[A-Z]{3})*",
    "gender": "[MFO]",
    "marital_status": "[SMDW]",
    "language": "[a-z]{2}",
    "birth_country": "[A-Z]{2}",
    "country_of_residence": "[A-Z]{2}",
}
UPPER = ("currency", "gender", "marital_status", "title", "birth_country", "country_of_residence")
COLUMNS = ("row_ref", "external_unique_id", *REQUIRED, "date_of_birth", *NAMES[2:], *TEXTS, *CODES)
WHITE = "".join(chr(sign) for sign in range(0x3001) if chr(sign).isspace() and not 0x1C <= sign <= 0x1F)
SHOWING_NOTHING = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u2028\u2029")
JOINED = ("ARABIC", "SYRIAC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA")
JOINED += ("MALAYALAM", "SINHALA", "KHMER", "MYANMAR")
ENDS = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff"
ENDS += "".join(chr(sign) for sign in range(0x2060, 0x2070) if sign != 0x2065)
ATOM = "!#$%&'*+/=?^_`{|}~-"


@dataclass
class Verdict:
    """What a row is worth: refusals and warnings as `code:column`, and its values in normal form."""

    refusals: set[str] = field(default_factory=set)
    warnings: set[str] = field(default_factory=set)
    values: dict[str, str | None] = field(default_factory=dict)


def judged(row: dict[str, str], *, today: date, strict_ids: bool = False, region: str = "ZA") -> Verdict:
    """The verdict on one row that has the right number of fields."""
    verdict = Verdict()
    for column in COLUMNS:
        value = normal(column, row.get(column, ""))
        verdict.values[column] = value
        if value is None:
            verdict.refusals |= {f"missing:{column}"} if column in REQUIRED else set()
            continue
        if "\ufffd" in value or "\x00" in value:
            verdict.refusals.add(f"encoding:{column}")
        code = damage(column, value, region) or refusal(column, value, today, strict_ids, region)
        if code:
            verdict.refusals.add(f"{code}:{column}")
    if not opened(verdict.values["wallet_type_id"], None):
        verdict.refusals.add("value_invalid:wallet_type_id")
    if verdict.values["currency"] and not opened(verdict.values["wallet_type_id"], verdict.values["currency"]):
        verdict.refusals.add("value_invalid:currency")
    damaged = {code.partition(":")[2] for code in verdict.refusals if code.startswith("spreadsheet:")}
    verdict.refusals -= {f"value_invalid:{column}" for column in damaged}
    verdict.values["phone"] = phone(verdict.values["phone"] or "", region)
    verdict.warnings = set(remarks(verdict.values, strict_ids, region))
    return verdict


def normal(column: str, text: str) -> str | None:
    joiners = "\u200c\u200d"
    value = text.strip(WHITE + (ENDS if column in (*NAMES, *TEXTS) else ENDS + joiners))
    if column in (*NAMES, *TEXTS, "row_ref"):
        value = unicodedata.normalize("NFC", value)
    if column in (*NAMES, *TEXTS):
        value = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in value)
        while "  " in value:
            value = value.replace("  ", " ")
    if column == "national_id":
        value = "".join(sign for sign in value if unicodedata.category(sign) not in ("Zs", "Pd"))
    if column in UPPER:
        value = value.upper()
    if column == "language":
        value = value.lower()
    return value or None


QUOTES = "\"'`´‚„＂＇「」『』〝〞〟"
NULLS = ("null", "none", "na", "n/a", "nan", "nil", "undefined")


def damage(column: str, value: str, region: str) -> str | None:
    """What a spreadsheet did."""
    left = re.fullmatch(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]{1,3}|#+|#[^\W]+[!?]|#(DIV/0|N/A)!?|#NV|\\N", value)
    if left or (column == "national_id" and re.fullmatch(r"[0-9]([.,][0-9]+)?[eE][+-]?[0-9]{1,3}", value)):
        return "spreadsheet"
    whole = "0" * (13 - len(value)) + value
    if column == "national_id" and region == "ZA" and re.fullmatch("[0-9]{10,12}", value) and not misnumbered(whole):
        return "spreadsheet"
    return None


def refusal(column: str, value: str, today: date, strict_ids: bool, region: str) -> str | None:
    if column in NAMES:
        return "name_invalid" if hides(value) else None
    if column in TEXTS:
        return "value_invalid" if hides(value) else None
    if column in CODES:
        return None if re.fullmatch(CODES[column], value) else "value_invalid"
    if column == "phone":
        return None if phone(value, region) else "phone_invalid"
    if column == "email":
        return None if addressed(value) else "email_invalid"
    if column == "date_of_birth":
        return None if dated(value, today) else "date_invalid"
    if column == "external_unique_id":
        return None if 6 <= len(value) <= 100 and all("!" <= sign <= "~" for sign in value) else "key_invalid"
    if column == "row_ref":
        control = any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in value)
        return "key_invalid" if control or len(value) > 200 else None
    return None if identified(value) and not (strict_ids and misnumbered(value)) else "national_id_invalid"


def opened(types: str | None, currencies: str | None) -> bool:
    """Whether wallets of these types can have these currencies; without currencies: whether no type is named twice."""
    wallets = types.split(";") if types else [""]
    if currencies is None:
        return len(set(wallets)) == len(wallets)
    named = currencies.split(";")
    return len(named) in (1, len(wallets)) and CURRENCIES.issuperset(named)


def hides(value: str) -> bool:
    before = ""
    for sign in value:
        joins = sign in "\u200c\u200d" and unicodedata.name(before or " ", "").startswith(JOINED)
        if sign in SHOWING_NOTHING or (unicodedata.category(sign) in ("Cc", "Cf") and not joins):
            return True
        before = sign
    return False


def addressed(value: str) -> bool:
    local, at, domain = value.rpartition("@")
    labels = domain.split(".")
    if not at or len(value) > 254 or not 1 <= len(local) <= 64 or len(labels) < 2:
        return False
    if not all(atom and all(wordy(sign) or sign in ATOM for sign in atom) for atom in local.split(".")):
        return False
    for label in labels[:-1]:
        inner = all(wordy(sign) or sign == "-" for sign in label)
        if not (1 <= len(label) <= 63 and inner and label[-1] != "-" and unicodedata.category(label[0])[0] in "LN"):
            return False
    last = labels[-1]
    starts = len(last) >= 2 and unicodedata.category(last[0])[0] in "LM"
    return starts and last[-1] != "-" and all(wordy(sign) or sign == "-" for sign in last)


def wordy(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN"


def dated(value: str, today: date) -> bool:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        return date(1900, 1, 1) <= date.fromisoformat(value) <= today
    except ValueError:
        return False


def identified(value: str) -> bool:
    letters = value.isascii() and value.isalnum() and 5 <= len(value) <= 20
    return letters and not re.fullmatch("[0-9][eE][0-9]{1,3}", value)


def misnumbered(value: str) -> bool:
    """13 digits that are no South African identity number."""
    if not re.fullmatch("[0-9]{13}", value):
        return False
    total = 0
    for place, digit in enumerate(map(int, reversed(value))):
        total += sum(divmod(digit * 2, 10)) if place % 2 else digit
    return total % 10 != 0 or value[10] not in "012" or not any(born(century + value[:6]) for century in ("19", "20"))


def born(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def phone(text: str, region: str) -> str | None:
    signs = list(text)
    while signs and (signs[-1] in WHITE or unicodedata.category(signs[-1]) in ("Cf", "Zs")):
        signs.pop()
    while signs and (signs[0] in WHITE or unicodedata.category(signs[0]) in ("Cf", "Zs")):
        signs.pop(0)
    plain = ""
    for sign in signs:
        kind = unicodedata.category(sign)
        if kind == "Nd":
            plain += str(unicodedata.digit(sign))
        elif kind in ("Zs", "Zl", "Zp") or sign in "\t\r\n":
            plain += " "
        elif kind == "Pd" or sign == "\u2212":
            plain += "-"
        else:
            plain += "+" if sign == "＋" else sign
    if len(plain) > 40 or not re.fullmatch(r"\+?[0-9 ().\-/]+", plain) or re.search(r"\.0+$", plain):
        return None
    if doubled(plain):
        return None
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    mobile = phonenumbers.number_type(number) in (1, 2)
    national = phonenumbers.national_significant_number(number)
    if not phonenumbers.is_valid_number(number) or not mobile or number.extension:
        return None
    if number.country_code == 27 and len(national) != 9:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")


def doubled(plain: str) -> bool:
    """A second number, or an extension."""
    before, slash, after = plain.partition("/")
    digits = [sum(sign.isdigit() for sign in part) for part in (before, after)]
    if slash and ("/" in after or digits[0] >= 8 or 1 <= digits[1] <= 3):
        return True
    body, dash, end = plain.rpartition("-")
    body, end = body.rstrip(" "), end.strip(" ")
    run = len(body) - len(body.rstrip("0123456789"))
    return sum(digits) >= 16 or bool(dash and end.isdigit() and len(end) <= 2 and run >= 6)


def remarks(values: dict[str, str | None], strict_ids: bool, region: str) -> list[str]:
    found = []
    for column, shortest, longest in (
        ("first_name", 2, 50),
        ("last_name", 2, 50),
        ("email", 10, 50),
        ("birth_city", 1, 20),
    ):
        value = values[column]
        word = {"email": "email", "birth_city": "value"}.get(column, "name")
        if value is not None and not shortest <= len(value) <= longest:
            found.append(f"{word}_length:{column}")
    for column in (*NAMES, *TEXTS, "row_ref", "external_unique_id"):
        value = values[column] or ""
        ends = [sign in QUOTES or unicodedata.category(sign) in ("Pi", "Pf") for sign in value[:1] + value[-1:]]
        if (len(value) > 1 and all(ends) and ends) or value[:1] in set('"＂“„') or value[-1:] in set('"＂“”'):
            found += [f"quoted:{column}"] if value else []
    for column in (*NAMES, *TEXTS, "row_ref", "national_id"):
        found += [f"null_word:{column}"] if (values[column] or "").lower() in NULLS else []
    identity, birth = values["national_id"], values["date_of_birth"]
    if identity and misnumbered(identity) and not strict_ids:
        found.append("national_id_check_digit:national_id")
    if identity and region == "ZA" and re.fullmatch("[0-9]{9,12}", identity):
        found.append("leading_zeros_lost:national_id")
    if birth and identity and re.fullmatch("[0-9]{13}", identity) and birth[2:].replace("-", "") != identity[:6]:
        found.append("national_id_differs:date_of_birth")
    for key in ("row_ref", "external_unique_id"):
        shown = [values["national_id"], (values["phone"] or "")[-9:]]
        addressed = re.search(r"[^@ ]@[^@ ]+\.[^@ ]", values[key] or "")
        if values[key] and (addressed or any(value and value in values[key] for value in shown)):
            found.append(f"personal_key:{key}")
    return found
