"""The form in which values are compared: one definition for single values, one for columns, and they agree."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import folded
from jobs.intake.duplicates import form_of
from jobs.systems.eclipse import wire
from schemas.columns import columns_of

COLUMNS = {column.name: column for system in ("eclipse", "blink") for column in columns_of(system)}


@pytest.mark.parametrize(
    ("column", "ours", "theirs"),
    [
        ("national_id", "ZN1234567", "zn1234567"),
        ("national_id", "ZN1234567", " zn-123 4567"),
        ("national_id", "9001015009086", "９００１０１５００９０８６"),
        ("national_id", "ZN1234567", "ZN1234567\u200b"),
        ("email", "Anna@Example.com", "anna@example.com "),
        ("email", "anna@example.com", "ａnna@example.com"),
        ("external_reference", "REF-X 9", "refx9"),
        ("external_unique_id", "CRM-0001", "crm0001"),
        ("phone", "24177123456", "24107123456"),
        ("phone", "24177123456", "2417123456"),
        ("phone", "38344123456", "+377 44 123 456"),
    ],
)
def test_one_value_in_two_spellings_is_one(column: str, ours: str, theirs: str) -> None:
    assert folded.same(column, ours, theirs)


@pytest.mark.parametrize(
    ("column", "ours", "theirs"),
    [
        ("national_id", "ZN1234567", "ZN1234568"),
        ("national_id", "ZN1234567", None),
        ("email", "anna@example.com", "an.na@example.com"),
        ("phone", "24177123456", "24174123456"),
        ("first_name", "Anna", "anna"),
    ],
)
def test_two_values_stay_two(column: str, ours: str, theirs: str | None) -> None:
    assert not folded.same(column, ours, theirs)


def test_only_what_is_worth_a_word_differs() -> None:
    assert folded.differs("national_id", "ZN1234567", "zn1234567")
    assert folded.differs("phone", "38344123456", "37744123456")
    assert not folded.differs("phone", "27821234567", "+27 82 123 4567")
    assert not folded.differs("email", "Anna@example.com", "anna@example.com")
    assert not folded.differs("national_id", "ZN1234567", "ZN1234568")


def test_every_spelling_that_is_asked_for_is_the_same_value() -> None:
    asked = {
        ("phone", "24177123456"): {"24177123456", "2417123456", "24107123456"},
        ("phone", "37744123456"): {"37744123456", "38344123456"},
        ("phone", "38643123456"): {"38643123456", "38343123456"},
        ("phone", "27821234567"): {"27821234567"},
        ("national_id", "ZN12"): {"ZN12", "zn12"},
        ("national_id", "9001015009086"): {"9001015009086"},
    }
    for (column, text), spellings in asked.items():
        assert spellings <= set(folded.spellings(column, text))
        assert all(folded.same(column, text, each) for each in folded.spellings(column, text))


@given(st.text(max_size=12), st.sampled_from(["external_reference", "email"]))
def test_a_column_is_compared_as_a_single_value_is(text: str, name: str) -> None:
    column = COLUMNS[name]
    form = form_of(column)
    assert form is not None
    frame = pl.DataFrame({name: [text, text.upper()]}).with_columns(form.alias("form"))
    ours, theirs = frame["form"]
    if ours == theirs:
        assert folded.same(name, text, text.upper())


def test_an_answer_that_spells_our_number_otherwise_does_not_deny_it() -> None:
    assert not wire.denies(
        {"nationalIdentityNumber": "zn 1234567"}, "nationalIdentityNumber", "ZN1234567", "national_id"
    )
    assert wire.denies({"nationalIdentityNumber": "zn 1234568"}, "nationalIdentityNumber", "ZN1234567", "national_id")
    assert wire.denies({"identity": "thandi"}, "identity", "Thandi")
