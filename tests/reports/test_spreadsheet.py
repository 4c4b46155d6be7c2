import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.printable import printable
from jobs.reports.spreadsheet import FORMULA, SEPARATORS, guard, guarded

DANGEROUS = [
    "=1+1",
    "+27821234567",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "'=1",
    '"=1',
    "＝1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
]
HARMLESS = ["", "Anna", "O'Brien", "27821234567", "a=1", "x-y", "'quoted'", "s***@example.com", "*******67", "Zoë"]
cells = st.text(st.sampled_from(",;|='+-@ \t\n\r\u00a0\u200b\u202e\x1b\x00\"aé＝0\\"), max_size=8) | st.text(
    max_size=30
)


def unguard(cell: str) -> str:
    """The value behind a guarded cell, as whoever reads the CSV gets it back."""
    looks = FORMULA.removeprefix("^")
    return re.sub(f"(?:^|(?<=[{SEPARATORS}]))'(?={looks})", "", cell)


@pytest.mark.parametrize("cell", DANGEROUS)
def test_formulas_are_made_inert_and_come_back(cell: str) -> None:
    assert guard(cell).startswith("'")
    assert unguard(guard(cell)) == printable(cell)


@pytest.mark.parametrize("cell", HARMLESS)
def test_plain_cells_stay_as_they_are(cell: str) -> None:
    assert guard(cell) == cell
    assert unguard(cell) == cell


@given(st.lists(cells | st.none(), min_size=1))
def test_the_expression_says_what_the_function_says(values: list[str | None]) -> None:
    found = pl.DataFrame({"x": pl.Series(values, dtype=pl.String)}).select(guarded("x"))["x"].to_list()
    assert found == [None if value is None else guard(value) for value in values]


@given(cells)
def test_a_guarded_cell_is_one_line_and_never_begins_as_a_formula(cell: str) -> None:
    shown = guard(cell)
    assert len(shown.splitlines()) <= 1
    assert not shown.lstrip(" \u00a0\u200b\ufeff").startswith(tuple("=+-@\t\r\n＝＋－＠"))


@given(cells)
def test_the_guard_loses_nothing_but_the_spelling_of_control_characters(cell: str) -> None:
    assert unguard(guard(cell)) == printable(cell)


def test_control_and_direction_characters_become_visible() -> None:
    assert printable("a\r\n\x1b[31m\x00\u2028\u202eb\tc") == "a\\u000d\\u000a\\u001b[31m\\u0000\\u2028\\u202eb\tc"


@pytest.mark.parametrize("separator", SEPARATORS)
def test_no_part_of_a_cell_is_a_formula_wherever_a_spreadsheet_splits_it(separator: str) -> None:
    for evil in DANGEROUS:
        shown = guard(f"harmless{separator}{evil}{separator}also")
        assert not any(re.match(r"[ \u00a0\ufeff]*[=+\-@＝＋－＠]", part) for part in shown.split(separator)), evil
        assert unguard(shown) == printable(f"harmless{separator}{evil}{separator}also")
