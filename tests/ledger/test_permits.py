"""Permits of one pool, asked for with windows of different lengths: each counts by its own, the table stays small."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books import url_of
from sqlalchemy import func, select

from jobs.ledger import permits, tables
from jobs.ledger.permits import KEPT_SECONDS, LOST_SECONDS, reserve
from jobs.ledger.store import Store
from jobs.model import Rate

BEGAN = 1_795_227_300_000
SHORT, LONG = Rate(20, 1.0), Rate(60, 180.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.opened(url_of(tmp_path)) as opened:
        yield opened


def lines(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.permit)) or 0


def asked(store: Store, rate: Rate, after_seconds: float, wanted: int = 60) -> int:
    """Permits that are given, all of which are answered at once."""
    now_ms = BEGAN + int(after_seconds * 1000)
    given = reserve(store, "p", rate, wanted, [], now_ms).permits
    reserve(store, "p", rate, 0, [now_ms] * given, now_ms)
    return given


def test_a_run_with_a_short_window_does_not_forget_what_a_longer_one_counts(store: Store) -> None:
    assert asked(store, LONG, 0) == 60
    assert asked(store, SHORT, 3, wanted=1) == 1
    assert asked(store, LONG, 4) == 0
    assert asked(store, LONG, 180) == 59


def test_a_short_window_is_not_filled_by_what_a_longer_one_still_counts(store: Store) -> None:
    assert asked(store, SHORT, 0) == 20
    assert asked(store, SHORT, 0.5) == 0
    assert asked(store, SHORT, 1) == 20
    assert asked(store, LONG, 2) == 20


def test_the_wait_for_a_place_is_that_of_the_own_window(store: Store) -> None:
    asked(store, SHORT, 0)
    asked(store, SHORT, 1)

    assert reserve(store, "p", SHORT, 1, [], BEGAN + 1400).wait_seconds == pytest.approx(0.6)


def test_permits_of_a_dead_process_count_as_answered_late_and_take_no_answers_of_others(store: Store) -> None:
    reserve(store, "p", LONG, 60, [], BEGAN)
    assert asked(store, LONG, LOST_SECONDS + 179) == 0
    assert asked(store, LONG, LOST_SECONDS + 180) == 60
    assert asked(store, LONG, LOST_SECONDS + 360) == 60


def test_lines_that_no_window_needs_are_deleted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(store, LONG, 0)
    asked(store, SHORT, KEPT_SECONDS, wanted=1)
    assert lines(store) == 1

    monkeypatch.setattr(permits, "MOST_KEPT", 30)
    for second in range(1, 9):
        asked(store, SHORT, KEPT_SECONDS + second, wanted=20)
    assert lines(store) <= 30 + SHORT.calls
    assert asked(store, Rate(30, 60.0), KEPT_SECONDS + 9) == 0


def test_a_window_longer_than_lines_are_kept_counts_all_of_its_own(store: Store) -> None:
    most = Rate(60, 2 * KEPT_SECONDS)

    assert [asked(store, most, at * KEPT_SECONDS) for at in (0, 1.5, 2)] == [60, 0, 60]
