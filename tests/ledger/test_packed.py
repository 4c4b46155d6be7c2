"""Text as bytes: what is written is read back, and no two texts are the same bytes."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.ledger import tables
from jobs.ledger.packed import pack, pack_all, unpack, unpack_all
from jobs.ledger.words import WORDS
from jobs.model import Outcome

ODD = (
    "", " ", "0", "7", "007", "1", "12345678901234567890", "ab", "abcd", "ABCD", "cust-", "cust-000001", "CUST-1",
    "cust-0b5bd4f6-0a2f-5d3c-9d1a-0123456789ab", "cust-0B5BD4F6-0A2F-5D3C-9D1A-0123456789AB",
    "wal-0b5bd4f6-0a2f-5d3c-9d1a-0123456789ab", "0b5bd4f6-0a2f-5d3c-9d1a-0123456789ab", "hidden-" + "0f" * 16,
    "*", "**", "***12", "*" * 255 + "1", "*" * 256, "\0", "\0a", "\1ab", "a\0b", "é", "Ünïcode", "\ud800", "a\udcffb",
    "\ud83d\ude00", "😀", "９００１", "onboarded", "onboarded ", "{}", "intent\n", "44" * 32,
)  # fmt: skip

any_text = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text("0123456789abcdef*-\0 "),
    st.sampled_from(WORDS),
    st.sampled_from(ODD),
    st.uuids().map(lambda each: f"cust-{each}"),
    st.integers(min_value=0).map(str),
    st.binary(min_size=1).map(bytes.hex),
)


@pytest.mark.parametrize("text", ODD)
def test_a_text_of_an_odd_form_is_read_back_as_it_was(text: str) -> None:
    assert unpack(pack(text)) == text


@given(any_text, any_text)
@settings(max_examples=150)
def test_what_is_packed_is_read_back_and_no_two_texts_are_the_same_bytes(text: str, other: str) -> None:
    assert unpack(pack(text)) == text
    assert (pack(text) == pack(other)) == (text == other)


@given(st.dictionaries(any_text, any_text, max_size=5))
@settings(max_examples=100)
def test_names_and_values_are_read_back(values: dict[str, str]) -> None:
    assert unpack_all(pack_all(values)) == values


def test_long_names_and_values_are_read_back() -> None:
    values = {"n" * length: "v é" * length for length in (1, 254, 255, 256, 70_000)}

    assert unpack_all(pack_all(values)) == values


def test_what_a_ledger_has_most_of_is_short() -> None:
    long = ("onboarded", "1000675", "ab" * 32, "cust-0b5bd4f6-0a2f-5d3c-9d1a-0123456789ab", "*********01")

    assert [len(pack(text)) for text in long] == [1, 4, 33, 17, 4]


def test_words_that_lie_in_ledgers_keep_their_numbers() -> None:
    """A new word comes at the end, and with a new version of the schema: pin both then."""
    told = hashlib.sha256("\n".join(WORDS).encode()).hexdigest()

    assert (tables.SCHEMA_VERSION, len(WORDS), told[:16]) == (9, 97, "ee59c84aacfefb3f")
    assert len(set(WORDS)) == len(WORDS) <= 256
    assert set(Outcome) <= set(WORDS)
