"""Text of others without personal numbers and addresses, in time that grows with the text and no faster."""

import random
import time
import unicodedata

import pytest

from jobs.privacy import masking

NUMBER = "9001015009087"
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    "spelling",
    [
        NUMBER,
        "900101 5009 087",
        "900101  5009   087",
        "900101_5009__087",
        "9,001,015,009,087",
        "9.001.015.009.087",
        "9'001'015'009'087",
        "9\u00a0001\u202f015\u2009009\u00a0087",
        "900101–5009–087",
        "900101\u200b5009\u200b087",
        NUMBER.translate(ARABIC),
        NUMBER.translate(WIDE),
        f"ID{NUMBER}ZA",
        f"trace-{NUMBER}-7",
    ],
)
def test_an_identity_number_is_starred_however_it_is_spelled(spelling: str) -> None:
    masked = masking.text(f"customer {spelling} exists")
    assert sum(map(str.isdecimal, masked)) <= 2
    assert masked.startswith("customer ")
    assert masked.endswith(" exists")


@pytest.mark.parametrize("text", ["HTTP 503", "5 of 12 rows", "line 1,234", "Kloof Road 12, 7700", "2026-1"])
def test_short_numbers_stay(text: str) -> None:
    assert masking.text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("thandi@example.com", "t***@example.com"),
        ("<thandi@example.com>: no", "<t***@example.com>: no"),
        ("user:thandi@example.com,x", "user:t***@example.com,x"),
        ("no @ here", "no @ here"),
        ("@example", "@example"),
    ],
)
def test_addresses(text: str, masked: str) -> None:
    assert masking.text(text) == masked


@pytest.mark.few(4)
@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "+", "@", "a@", "a:", "1....", "1" + " " * 16, " ", ".", "+1", "a.b", "1-@", "(", "٣"]
)
def test_twenty_times_the_text_costs_no_more_than_a_hundred_times_the_time(piece: str) -> None:
    small, large = piece * (50_000 // len(piece)), piece * (1_000_000 // len(piece))
    assert _cost(large) < 0.5 + 100 * _cost(small)  # linear: 20; quadratic: 400


def _cost(text: str) -> float:
    began = time.process_time()
    masking.text(text)
    return time.process_time() - began


FORMS = (
    str.maketrans({}),
    ARABIC,
    WIDE,
    str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨"),
    str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"),
    str.maketrans("0123456789", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡"),
    str.maketrans("0123456789", "०१२३४५६७८९"),
    str.maketrans("123456789", "❶❷❸❹❺❻❼❽❾"),
)
"""Digits as other scripts and forms have them."""

BETWEEN = "\u00a0\u202f\u200b\u2060\ufeff\u00ad\u0301 .,'-_/|\\:;*#~+=()[]{}<>\"!?\t\n–—·•→"
"""Signs that somebody may put between two digits."""


def disguised(number: str, chance: random.Random) -> str:
    """The number in mixed forms of digits, with up to three signs between two of them, somewhere in a sentence."""
    dense = chance.random()
    shown = ""
    for digit in number:
        signs = "".join(chance.choices(BETWEEN, k=chance.randint(0, 3))) if chance.random() < dense else ""
        shown += (signs if shown else "") + digit.translate(chance.choice(FORMS))
    return chance.choice(("", "ID ", "no_", "x")) + shown + chance.choice(("", " exists", "z", "_1a"))


def bared(text: str) -> str:
    """All digits of a text, whatever their form, without what stands between them."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.digit(sign)) for sign in plain if unicodedata.digit(sign, None) is not None)


@pytest.mark.parametrize("many", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_disguise_of_a_number_comes_through(many: int) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(many):
        number = f"{chance.randrange(10**12, 10**13)}"
        shown = disguised(number, chance)
        for masked in (masking.text(shown), masking.line(shown), masking.mark(shown, 80)):
            assert number[:11] not in bared(masked), (seed, shown)
            assert number[2:] not in bared(masked), (seed, shown)


def test_what_is_cut_was_masked_before() -> None:
    assert masking.mark("x" * 74 + NUMBER, 80) == "x" * 74 + "*" * 6


@pytest.mark.parametrize(
    "trace", ["4bf92f3577b34da6a3ce929d0e0e4736", "0af76519-16cd-43dd-8448-eb211c80319c", "trace-1", "VAL001", "429"]
)
def test_trace_ids_and_codes_stay_readable(trace: str) -> None:
    assert masking.mark(trace, 80) == trace


@pytest.mark.parametrize("trace", [NUMBER, f"a{NUMBER}bcdef", f"{NUMBER}-4da6-a3ce-929d", f"trace-{NUMBER}"])
def test_a_number_in_a_trace_id_is_starred(trace: str) -> None:
    assert NUMBER[:11] not in bared(masking.mark(trace, 80))


def test_text_without_a_number_is_left_as_it_is() -> None:
    for text in ("ﬁve of ½ ２０ rows…", "① and ②", "naïve\u00a0text", "Zürich, 8001"):
        assert masking.text(text) == text
