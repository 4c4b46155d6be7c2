"""Rows that share a key, phone or identity number, against a union-find written row by row."""

from collections import defaultdict
from itertools import combinations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.intake.duplicates import duplicates
from tests.examples import some

FIELDS = ("external_unique_id", "phone", "national_id")
COLUMNS = ("external_unique_id", "phone", "national_id", "first_name", "row_ref")
Row = tuple[str | None, ...]
ROW = st.tuples(
    st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
    st.sampled_from(["p1", "p2", "p3", "p4", "p5", None]),
    st.sampled_from(["i1", "i2", "i3", "i4", "i5"]),
    st.sampled_from(["Anna", "Bob"]),
    st.sampled_from([None, "r"]),
)


def framed(rows: list[Row]) -> pl.LazyFrame:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return frame.with_row_index("source_row", offset=1).with_columns(pl.col("source_row").cast(pl.Int64)).lazy()


def expected(rows: list[Row]) -> dict[int, tuple[str, int, bool]]:
    groups = [{number} for number in range(len(rows))]
    shared: dict[int, dict[str, int]] = defaultdict(dict)
    for left, right in combinations(range(len(rows)), 2):
        for place, field in enumerate(FIELDS):
            if rows[left][place] is not None and rows[left][place] == rows[right][place]:
                shared[left].setdefault(field, right)
                shared[right].setdefault(field, left)
                groups = joined(groups, left, right)
    found = {}
    for group in groups:
        identical = len({rows[number] for number in group}) == 1
        for number in sorted(group)[identical:]:
            if number in shared:
                field = next(field for field in FIELDS if field in shared[number])
                found[number + 1] = (field, shared[number][field] + 1, identical)
    return found


def joined(groups: list[set[int]], left: int, right: int) -> list[set[int]]:
    touched = [group for group in groups if left in group or right in group]
    return [group for group in groups if group not in touched] + [set().union(*touched)]


@settings(max_examples=some(60), deadline=None)
@given(st.lists(ROW, max_size=14))
def test_agrees_with_a_union_find_row_by_row(rows: list[Row]) -> None:
    found = duplicates(framed(rows), COLUMNS, FIELDS)

    assert {row: rest for row, *rest in found.rows()} == {row: list(rest) for row, rest in expected(rows).items()}
    assert found["source_row"].is_sorted()


def test_long_chains_are_one_group() -> None:
    count = 20_000
    rows: list[Row] = [(f"k{n}", f"p{n // 2}", f"i{(n + 1) // 2}", "Anna", None) for n in range(count)]
    found = duplicates(framed(rows), COLUMNS, FIELDS)

    assert found.height == count
    assert not found["identical"].any()


def test_without_duplicates_there_is_nothing() -> None:
    rows: list[Row] = [(f"k{n}", f"p{n}", f"i{n}", "Anna", None) for n in range(1000)]
    assert duplicates(framed(rows), COLUMNS, FIELDS).is_empty()
