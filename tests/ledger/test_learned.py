"""Limits that a target taught: the stricter stays, nothing exceeds the configured one, and steps up are careful."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from books import url_of

from jobs.ledger.learned import Learned, in_force, keep_rate, learned, teach, tried_higher
from jobs.ledger.store import Store
from jobs.model import Rate

BEGAN = 1_795_227_300_000
HOUR = 3_600_000
DAY = 24 * HOUR
MOST = Rate(60, 180.0)
"""Its learned limits are tried higher after 900 s."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.opened(url_of(tmp_path)) as opened:
        yield opened


def limit(store: Store, most: Rate = MOST, pool: str = "p", after_ms: int = 0) -> Rate:
    with store.engine.connect() as connection:
        return in_force(connection, pool, most, BEGAN + after_ms)


def full(store: Store, after_ms: int, most: Rate = MOST) -> int:
    """Calls that are permitted when the window is full, so long after the lesson."""
    with store.writes.begin() as connection:
        return tried_higher(connection, "p", most, BEGAN + after_ms).calls


def test_what_was_learned_holds_for_its_pool_only_and_never_above_the_configured_limit(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), BEGAN, "HTTP 429"))

    assert limit(store) == Rate(45, 180.0)
    assert limit(store, Rate(10, 180.0)) == Rate(10, 180.0)
    assert limit(store, pool="another") == MOST


def test_of_two_lessons_the_stricter_stays_and_is_as_fresh_as_the_later(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), BEGAN, "HTTP 400"))
    teach(store, "p", Learned(Rate(54, 180.0), BEGAN + 5, "HTTP 429"))

    assert learned(store, "p") == {"p": Learned(Rate(45, 180.0), BEGAN + 5, "HTTP 429")}


def test_lessons_of_other_classes_of_call_are_found_with_their_credential(store: Store) -> None:
    for pool in ("p", "p-read", "px", "q-read"):
        teach(store, pool, Learned(Rate(1, 1.0), BEGAN, "HTTP 429"))

    assert list(learned(store, "p")) == ["p", "p-read"]


def test_a_step_up_needs_a_full_window_and_quiet_and_is_one_however_long_nobody_called(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), BEGAN, "HTTP 429"))

    steps = [full(store, after) for after in (0, 899_000, 10 * HOUR, 10 * HOUR + 899_000, 10 * HOUR + 900_000)]

    assert steps == [45, 45, 50, 50, 55]
    assert learned(store, "p")["p"].learned_ms == BEGAN


def test_a_limit_that_comes_up_to_the_configured_one_is_forgotten(store: Store) -> None:
    teach(store, "p", Learned(Rate(54, 180.0), BEGAN, "HTTP 429"))

    assert full(store, HOUR) == 60
    assert learned(store, "p") == {}


def test_a_lower_configured_limit_moves_what_was_learned_and_does_not_disprove_it(store: Store) -> None:
    teach(store, "p", Learned(Rate(54, 180.0), BEGAN, "HTTP 429"))

    assert full(store, HOUR, Rate(56, 180.0)) == 56
    assert limit(store, after_ms=HOUR) == Rate(56, 180.0)


def test_a_bad_night_is_forgotten_before_the_next_one(store: Store) -> None:
    teach(store, "p", Learned(Rate(1, 180.0), BEGAN, "HTTP 429"))
    teach(store, "day", Learned(Rate(50, 86_400.0), BEGAN, "HTTP 429"))

    assert limit(store, after_ms=12 * HOUR - 1) == Rate(1, 180.0)
    assert limit(store, after_ms=12 * HOUR) == MOST
    assert learned(store, "p", BEGAN + 12 * HOUR) == {}
    assert limit(store, Rate(60, 86_400.0), "day", DAY).calls == 50  # not yet a window old


def test_a_new_lesson_is_not_made_stricter_by_one_that_is_forgotten(store: Store) -> None:
    teach(store, "p", Learned(Rate(1, 180.0), BEGAN, "HTTP 429"))

    assert teach(store, "p", Learned(Rate(54, 180.0), BEGAN + DAY, "HTTP 429")).rate == Rate(54, 180.0)


def test_a_lesson_takes_the_place_of_the_one_it_began_with_and_of_no_other(store: Store) -> None:
    began = teach(store, "p", Learned(Rate(45, 180.0), BEGAN, "HTTP 429"))
    teach(store, "p", Learned(Rate(54, 180.0), BEGAN + 5, "HTTP 429"), began)
    assert limit(store) == Rate(54, 180.0)

    kept = teach(store, "p", Learned(Rate(58, 180.0), BEGAN + 9, "HTTP 429"), began)

    assert kept == learned(store, "p")["p"] == Learned(Rate(54, 180.0), BEGAN + 9, "HTTP 429")


def test_a_run_that_goes_slower_anyway_proves_nothing(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), BEGAN, "HTTP 429"))

    assert full(store, HOUR, Rate(5, 180.0)) == 5
    assert limit(store) == Rate(45, 180.0)


def test_a_lesson_from_a_clock_that_was_a_year_ahead_does_not_hold_for_a_year(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), BEGAN + 365 * DAY, "HTTP 429"))

    assert full(store, 0) == 60


def test_a_pace_that_went_well_is_kept_unless_something_was_learned_since(store: Store) -> None:
    first, second = Learned(Rate(30, 60.0), BEGAN, "HTTP 429"), Learned(Rate(20, 60.0), BEGAN + 9, "HTTP 429")
    teach(store, "p", first)
    keep_rate(store, "p", Learned(Rate(40, 60.0), BEGAN, "HTTP 429"), BEGAN + 5)
    assert learned(store, "p")["p"].rate == Rate(40, 60.0)

    teach(store, "p", second)
    keep_rate(store, "p", Learned(Rate(50, 60.0), BEGAN, "HTTP 429"), BEGAN + 10)

    assert learned(store, "p")["p"] == second
