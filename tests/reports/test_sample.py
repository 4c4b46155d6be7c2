import csv
import hashlib
import io
import re
from html import unescape
from pathlib import Path

import pytest

from jobs.evidence.events import read_events
from jobs.reports.sample import Sample, draw, drawn_rows

from .made import MIXED, run_folder

INPUT = "ab" * 32


def sample_of(folder: Path, size: int, seed: int, *, by_outcome: bool = False) -> Sample:
    return draw(folder, read_events(folder / "events.ndjson"), size, seed, by_outcome=by_outcome)


def test_the_rule_can_be_repeated_with_any_tool() -> None:
    drawn = drawn_rows(range(1, 1001), 5, 7, INPUT)
    by_hand = sorted((hashlib.sha256(f"7|{INPUT}|{row}".encode()).hexdigest(), row) for row in range(1, 1001))
    assert drawn == by_hand[:5]
    assert drawn == drawn_rows(reversed(range(1, 1001)), 5, 7, INPUT)


def test_another_seed_draws_others_and_a_larger_sample_contains_the_smaller() -> None:
    rows = range(1, 10_001)
    assert drawn_rows(rows, 20, 1, INPUT) != drawn_rows(rows, 20, 2, INPUT)
    assert drawn_rows(rows, 30, 1, INPUT)[:20] == drawn_rows(rows, 20, 1, INPUT)
    thirds = [sum(low < row <= low + 3334 for _, row in drawn_rows(rows, 600, 3, INPUT)) for low in (0, 3334, 6668)]
    assert min(thirds) > 140


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return sample_of(run_folder(tmp_path / "r1").path, 5, 1)


def test_each_row_has_its_trail_and_a_line_to_fill_in(sample: Sample) -> None:
    lines = list(csv.DictReader(io.StringIO(sample.to_csv())))
    assert [int(line["source_row"]) for line in lines] == sorted(trail.row["source_row"] for trail in sample.trails)
    assert len(lines) == 5
    assert {line["checked_by"] for line in lines} == {""}
    page = sample.to_html()
    assert page.count('class="trail"') == 5
    for line in lines:
        assert f"Row {line['source_row']}: {line['outcome']}" in page


def test_a_sample_by_outcome_has_the_rare_ones_by_the_same_rule(tmp_path: Path) -> None:
    sample = sample_of(run_folder(tmp_path / "r1").path, 2, 1, by_outcome=True)
    drawn = {name: min(2, count) for name, count in MIXED.items()}
    assert {name: rows for name, rows, _ in sample.drawn_from} == drawn
    assert len(sample.trails) == sum(drawn.values())
    onboarded = [trail.row["source_row"] for trail in sample.trails if trail.row["outcome"] == "onboarded"]
    rows = range(1, MIXED["onboarded"] + 1)
    assert onboarded == sorted(row for _, row in drawn_rows(rows, 2, 1, INPUT))
    assert sample.name == "sample-2-1-by-outcome"
    assert "conflict 1 of 1" in sample.to_html()


def test_a_sample_larger_than_the_run_is_all_of_it(tmp_path: Path) -> None:
    whole = sample_of(run_folder(tmp_path / "r1").path, 900, 1)
    assert len(whole.trails) == sum(MIXED.values())
    assert whole.name == "sample-900-1"
    assert "The run has no rows." in sample_of(run_folder(tmp_path / "r2", {}).path, 3, 1).to_html()


def test_the_page_fetches_nothing_and_names_its_parts(sample: Sample) -> None:
    page = sample.to_html()
    assert not re.search(r"<script|<link|<img|https?://|@import|url\(| style=| on\w+=", page)
    assert [int(level) for level in re.findall(r"<h([1-6])", page)][:3] == [1, 2, 3]
    assert "default-src 'none'" in unescape(page)
    assert all("aria-label" in region for region in re.findall(r'<div class="scroll"[^>]*>', page))


def test_hostile_cells_stay_text(sample: Sample) -> None:
    trail = sample.trails[0]
    evil = "=1+1<script>alert(1)</script>\u202e"
    trail.row["reason"] = evil  # type: ignore[index]
    assert "<script" not in sample.to_html()
    assert "'=1+1" in sample.to_csv()
    assert "\u202e" not in sample.to_html() + sample.to_csv()
