"""How long so many calls take, and the table of docs/performance.md, which says it for some."""

import re
from pathlib import Path

import pytest

from jobs.model import Rate
from jobs.operations.capacity import LATENCIES, Capacity
from jobs.systems.listing import pages_worth

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
LINE = re.compile(r"^\| (?:(\d+) in (\d+) s|none) \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)
ROWS = 1_000_000


def test_the_table_of_the_docs_is_what_is_computed() -> None:
    lines = LINE.findall(PAGE.read_text("utf-8"))
    assert len(lines) == 6
    for calls, seconds, at_once, *told in lines:
        rate = Rate(int(calls), float(seconds)) if calls else None
        capacity = Capacity(ROWS, 3 * ROWS, 4 * ROWS, rate, int(at_once))
        assert [capacity.rows_an_hour(latency) for latency in LATENCIES] == [int(n.replace(",", "")) for n in told]


@pytest.mark.parametrize(("calls", "seconds"), [(1, 0), (60, 0), (61, 180), (120, 180), (121, 360)])
def test_the_last_call_goes_out_when_its_window_opens(calls: int, seconds: float) -> None:
    assert Capacity(1, calls, 0, Rate(60, 180.0), 16).limited() == seconds


def test_fewer_rows_than_may_be_under_way_wait_for_their_own_replies() -> None:
    assert Capacity(2, 6, 8, None, 64).answered(1.0) == 7.0


@pytest.mark.parametrize(
    ("reads", "at_once", "pages"), [(39, 16, 0), (40, 64, 4), (20_000, 16, 1250), (20_000, 64, 312), (20_000, 1, 5000)]
)
def test_a_listing_may_have_as_many_pages_as_take_no_longer_than_what_they_spare(
    reads: int, at_once: int, pages: int
) -> None:
    assert pages_worth(reads, at_once) == pages
