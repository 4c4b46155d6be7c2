import polars as pl
import pytest

from jobs.keys import Pseudonyms
from jobs.reports.echo import echo_names, hashes, redact
from schemas.outcome import OUTCOME_SCHEMA


def test_names_of_the_report_are_not_taken_by_the_input() -> None:
    names = echo_names(["branch", "outcome", "input_outcome", "run_id"])
    assert list(names) == ["branch", "outcome", "input_outcome", "run_id"]
    assert len(set(names.values()) | set(OUTCOME_SCHEMA)) == 4 + len(OUTCOME_SCHEMA)
    assert names["branch"] == "branch"


@pytest.mark.parametrize("note", ["passport A-12 3456", "a123456", "PP A123456.", "Ａ１２３４５６"])
def test_the_rows_own_identity_is_hidden_in_any_spelling(note: str) -> None:
    frame = pl.DataFrame({"note": [note], "national_id": ["A123456"], "phone": ["27821234567"]})
    safe = redact(frame, ["note"], ["national_id", "phone"])
    assert safe.columns == ["note"]
    assert safe["note"].to_list() == ["*" * len(note)]


def test_other_values_stay() -> None:
    frame = pl.DataFrame(
        {"note": ["Cape Town 7700", None, "", "x", "A12"], "national_id": ["A123456", "1", None, "", "A12"]}
    )
    safe = redact(frame, ["note"], ["national_id"])
    assert safe["note"].to_list() == ["Cape Town 7700", None, "", "x", "A12"]


def test_identity_numbers_and_addresses_of_others_are_masked_too() -> None:
    notes = ["900101 5009 086", "boss@example.com", "2023-11-14", "ORD-20231114-0001", "9001015009087"]
    frame = pl.DataFrame({"note": notes, "national_id": ["A123456"] * len(notes)})
    safe = redact(frame, ["note"], ["national_id"])
    assert safe["note"].to_list() == ["*" * 15, "b***@example.com", *notes[2:]]


def test_a_hash_compares_and_tells_nothing() -> None:
    frame = pl.DataFrame({"a": ["x", "x", "", None], "b": ["y", "z", "", ""]})
    first, other = (hashes(frame, Pseudonyms(key)).to_list() for key in (b"one key of many", b"another key"))
    assert first[2:] == [None, None]
    assert first == hashes(frame, Pseudonyms(b"one key of many")).to_list()
    assert len({*first[:2], *other[:2]}) == 4
