"""The fast path against the reference rule, and the reference rule against known numbers."""

import random
from pathlib import Path

import phonenumbers
import polars as pl
import pytest

from jobs.errors import Unusable
from jobs.intake.phones import check_region, normalise_phone, normalise_phones

from .oracle import rows as oracle
from .split import one, person, split
from .written import rows

REGIONS = ("ZA", "KE", "NG", "IN", "GB", "US", "IT", "DE", "BR", "AR", "MX", "ZW", "MU", "LS")
KNOWN = {
    "0821234567": "27821234567",
    "+27 82 123 4567": "27821234567",
    "27821234567": "27821234567",
    "821234567": "27821234567",
    "0027 82 123-4567": "27821234567",
    "+27 (0)82 123 4567": "27821234567",
    "(082) 123.4567": "27821234567",
    "\u202a+27\u00a082\u00a01234567\u202c": "27821234567",
    "٠٨٢١٢٣٤٥٦٧": "27821234567",
    "０８２１２３４５６７": "27821234567",
    "+254712345678": "254712345678",
}
REFUSED = ("", "O821234567", "Tel: 0821234567", "'0821234567", "0821234567x12", "082123456", "08212345678", "2.78E+10")
REFUSED += (
    "27821234567.0",
    "0112345678",
    "0800123456",
    "254712345678",
    "0821234567/0831234567",
    "1" * 41,
    "082123456\n.0",
)


@pytest.mark.parametrize(("text", "digits"), KNOWN.items())
def test_numbers_become_digits_with_country_code(text: str, digits: str) -> None:
    assert normalise_phone(text, "ZA") == digits


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_mobile_number_is_never_guessed(text: str) -> None:
    assert normalise_phone(text, "ZA") is None


@pytest.mark.parametrize("region", REGIONS)
def test_frame_and_single_value_agree(region: str) -> None:
    seed = 1
    texts = variants(region, 400, seed)
    found = normalise_phones(pl.Series("phone", [*texts, None]), region).to_list()

    assert found.pop() is None
    for text, digits in zip(texts, found, strict=True):
        assert digits == normalise_phone(text, region), f"seed {seed}: {text!r}"
        assert digits == oracle.phone(text, region), f"seed {seed}: {text!r}"


@pytest.mark.parametrize("text", ["711238497", "71)123849\u00a0-7", "711238 - 49\u00a0", "71112384 -\u00a07"])
def test_a_dash_before_the_last_digits_is_judged_alike_whatever_stands_beside_it(text: str) -> None:
    assert normalise_phones(pl.Series("phone", [text]), "ZA").to_list() == [normalise_phone(text, "ZA")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_frame_and_single_value_agree_on_many_more(seed: int) -> None:
    for region in REGIONS:
        texts = variants(region, 8000, 1000 + seed)
        found = normalise_phones(pl.Series("phone", texts), region).to_list()
        assert found == [normalise_phone(text, region) for text in texts], f"seed {1000 + seed}, {region}"


def test_a_region_without_numbering_plan_is_refused() -> None:
    assert check_region("za") == "ZA"
    with pytest.raises(Unusable, match="--region 'XX'"):
        check_region("XX")


def variants(region: str, count: int, seed: int) -> list[str]:
    """Numbers of `region` in many spellings, some of them damaged."""
    chance = random.Random(f"{region} {seed}")
    return [
        respelt(national(region, chance), phonenumbers.country_code_for_region(region), chance) for _ in range(count)
    ]


def national(region: str, chance: random.Random) -> str:
    kind = chance.choice((phonenumbers.PhoneNumberType.MOBILE,) * 4 + (phonenumbers.PhoneNumberType.FIXED_LINE,))
    example = phonenumbers.example_number_for_type(region, kind)
    digits = list(phonenumbers.national_significant_number(example))
    for place in range(len(digits) - chance.randrange(8), len(digits)):
        digits[place] = str(chance.randrange(10))
    if chance.random() < 0.15:
        del digits[chance.randrange(len(digits))]
    if chance.random() < 0.1:
        digits.insert(chance.randrange(len(digits)), str(chance.randrange(10)))
    return "".join(digits)


def respelt(number: str, code: int, chance: random.Random) -> str:
    text = chance.choice(
        (number, f"0{number}", f"+{code}{number}", f"{code}{number}", f"00{code}{number}", f"+{code}(0){number}")
    )
    for _ in range(chance.choice((0, 0, 1, 3))):
        place = chance.randrange(len(text) + 1)
        text = (
            text[:place]
            + chance.choice((" ", "-", ".", "(", ")", "/", "\u00a0", "\u2011", "\u200e", "x", "+", "0"))
            + text[place:]
        )
    ends = ("", "", "", "", "\u202a", "\ufeff", " ", ".0", ".", "-", "e", "\t")
    script = chance.choice((None,) * 6 + (0x660, 0x6F0, 0xFF10))
    if script:
        text = text.translate({ord("0") + digit: script + digit for digit in range(10)})
    return chance.choice(ends[:6]) + text + chance.choice(ends)


@pytest.mark.few(5)
@pytest.mark.parametrize(
    "text",
    [
        "+49 171 1234567/8",
        "+49 171 1234567/68",
        "+49 30 123456-78",
        "+49 171 123456-78",
        "0821234567/0831234567",
        "0821234567 / 083 123 4567",
        "082 123 4567 or 083 123 4567",
        "082 123 4567, 083 123 4567",
        "082 123 4567; 083 123 4567",
        "082 123 4567 ext 12",
        "0821234567x12",
        "0821234-56-78-9/0821234567",
        "08212345-67",
    ],
)
def test_two_numbers_in_one_cell_are_refused_with_that_reason(tmp_path: Path, text: str) -> None:
    found = one(tmp_path, phone=f'"{text}"')
    assert found.bad == {1: "phone_invalid:phone"}
    assert "more than one number, or an extension; give each row one number" in found.why[1]


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("0664/1234567", "AT", "436641234567"),
        ("+43 664/1234567", "ZA", "436641234567"),
        ("0171/1234567", "DE", "491711234567"),
        ("tel:+27-82-123-4567", "ZA", "27821234567"),
        ("TEL:+27821234567", "ZA", "27821234567"),
        ("+7 912 345-67-89", "ZA", "79123456789"),
        ("082-123-4567", "ZA", "27821234567"),
    ],
)
def test_other_spellings_of_one_number_are_good(text: str, region: str, digits: str) -> None:
    assert normalise_phone(text, region) == digits
    assert normalise_phones(pl.Series([text]), region).to_list() == [digits]


@pytest.mark.parametrize("text", ["687751234", "690721234", "68 775 1234"])
def test_nine_digits_that_are_another_countrys_number_without_its_plus_are_a_warning(tmp_path: Path, text: str) -> None:
    found = one(tmp_path, phone=text)
    assert (found.good[1]["phone"], found.notes[1]) == ("27" + text.replace(" ", ""), "phone_country:phone")


@pytest.mark.parametrize("text", ["821234567", "0687751234", "+27687751234"])
def test_nine_digits_of_nobody_else_are_none(tmp_path: Path, text: str) -> None:
    assert one(tmp_path, phone=text).notes[1] == ""


@pytest.mark.parametrize(
    "spellings",
    [
        ("+24107123456", "+2417123456", "+24177123456"),
        ("+2416123456", "+24166123456"),
        ("+37744123456", "+38344123456"),
        ("+38643123456", "+38343123456"),
    ],
)
def test_one_sim_in_two_spellings_is_one_phone(tmp_path: Path, spellings: tuple[str, ...]) -> None:
    people = [person(phone=phone, national_id=f"A12345{n}") for n, phone in enumerate(spellings)]
    found = split(tmp_path, rows(*people))
    assert set(found.bad.values()) == {"duplicate_in_file:phone"}
    assert len(found.bad) == len(spellings)


def test_what_is_sent_keeps_its_spelling(tmp_path: Path) -> None:
    assert one(tmp_path, phone="+37744123456").good[1]["phone"] == "37744123456"
