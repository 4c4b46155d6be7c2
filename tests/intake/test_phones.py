"""The fast path against the reference rule, and the reference rule against known numbers."""

import random

import phonenumbers
import polars as pl
import pytest

from jobs.errors import Unusable
from jobs.intake.phones import check_region, normalise_phone, normalise_phones

from .oracle import rows as oracle

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
@pytest.mark.parametrize("seed", [1, 2])
def test_frame_and_single_value_agree(region: str, seed: int) -> None:
    texts = variants(region, 1500, seed)
    found = normalise_phones(pl.Series("phone", [*texts, None]), region).to_list()

    assert found.pop() is None
    for text, digits in zip(texts, found, strict=True):
        assert digits == normalise_phone(text, region), f"seed {seed}: {text!r}"
        assert digits == oracle.phone(text, region), f"seed {seed}: {text!r}"


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
