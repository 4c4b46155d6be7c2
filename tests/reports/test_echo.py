import polars as pl
import pytest

from jobs.reports.echo import echo_names, redact
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


def test_numbers_and_addresses_of_others_are_masked_too() -> None:
    frame = pl.DataFrame(
        {"note": ["900101 5009 087", "boss@example.com", "27829876543"], "national_id": ["A123456"] * 3}
    )
    safe = redact(frame, ["note"], ["national_id"])
    assert safe["note"].to_list() == ["*************87", "b***@example.com", "*********43"]
