"""Text of others without personal numbers and addresses, in time that grows with the text and no faster."""

import time

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
