"""The page of all nights: whole by itself, bounded, and nothing of a row on it."""

import re
from dataclasses import replace

from jobs.reports.dashboard import MARK, MOST_LINES, Board, OpenLine, dashboard
from jobs.reports.nights import Night, trend

from .test_page import EVIL, Outline

DAY_MS = 86_400_000
NIGHTS = [
    Night(
        f"r{number}", "run", "c.csv", 1_795_227_300_000 + DAY_MS * number, 9, {"onboarded": 8, "failed": 1}, 60_000, 1
    )
    for number in range(20)
]
LIMITED = replace(NIGHTS[-1], limits={"calls": 60, "seconds": 180, "peak": 45})


def board(nights: list[Night], **more: object) -> Board:
    """A tenant with these nights."""
    found = trend(nights, 60, fewest=1)
    assert found is not None
    return Board("eclipse", "1001", found, **more)  # type: ignore[arg-type]


def page(*boards: Board) -> str:
    """The page of some tenants."""
    return dashboard(boards, ledger="muster.db", made_at="2026-11-21T06:00:00.000Z")


def test_it_needs_nothing_else_and_says_what_is_open_first() -> None:
    line = OpenLine("in_doubt", "unanswered", 3, "back office", "2026-11-20", ["muster resume r19"])
    text = page(board([*NIGHTS[:-1], LIMITED], open_lines=[line], interrupted=["r7"], closed=2))

    assert "3 rows are open" in text.partition("<main")[0]
    assert "<code>muster resume r19</code>" in text
    assert "<code>muster resume r7</code>" in text
    assert "2 closed by people" in text
    assert "45 of 60" in text
    assert MARK in text
    assert not re.search(r"https?://|@import|url\(|<script", text)
    [policy] = [attributes["content"] or "" for tag, attributes in Outline(text).tags if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none'")


def test_names_of_others_stay_text() -> None:
    line = OpenLine("failed", EVIL, 1, EVIL, EVIL, [EVIL])
    outline = Outline(page(board([replace(NIGHTS[0], file=EVIL, run_id=EVIL)], open_lines=[line])))

    assert outline.scripts == []
    assert not any(tag == "img" for tag, _ in outline.tags)


def test_it_is_bounded_and_says_what_it_leaves_out() -> None:
    lines = [OpenLine("failed", f"code_{number}", number, "o", "2026-11-20", []) for number in range(1, 151)]
    text = page(board(NIGHTS, open_lines=lines))

    assert text.count("<code>code_") == MOST_LINES
    assert "50 more causes" in text
    assert f"{sum(range(1, 151)):,} rows are open" in text


def test_a_ledger_without_runs_has_a_page_too() -> None:
    assert "The ledger knows no run yet." in page()


def test_ids_are_there_once_also_with_two_tenants() -> None:
    text = page(board(NIGHTS), board(NIGHTS[:1]))
    ids = [attributes["id"] for _, attributes in Outline(text).tags if "id" in attributes]
    leads = {attributes["href"] or "" for tag, attributes in Outline(text).tags if tag == "a"}

    assert len(ids) == len(set(ids))
    assert {place[1:] for place in leads if place.startswith("#")} <= set(ids)
