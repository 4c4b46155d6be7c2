"""Limits that a target taught: the stricter stays, nothing exceeds the configured one, and steps up are careful."""

from collections.abc import Iterator

import pytest

from jobs.clock import Stamp
from jobs.ledger.boots import ROUNDING_MS, meet
from jobs.ledger.learned import Learned, in_force, keep_rate, learned, teach, tried_higher
from jobs.ledger.store import Store
from jobs.model import Rate

BEGAN, UP = 1_795_227_300_000, 5_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
MOST = Rate(60, 180.0)
"""Its learned limits are tried higher after 900 s."""


def at(after_ms: int, *, boot: str = "boot", wall_ms: int | None = None) -> Stamp:
    """So long after the beginning; `wall_ms`: the same on the wall clock, where that went another way."""
    return Stamp(boot, UP + after_ms, BEGAN + (after_ms if wall_ms is None else wall_ms))


@pytest.fixture
def store(mostly: str) -> Iterator[Store]:
    with Store.opened(mostly) as opened:
        yield opened


def limit(store: Store, most: Rate = MOST, pool: str = "p", after_ms: int = 0) -> Rate:
    with store.engine.connect() as connection:
        return in_force(connection, pool, most, at(after_ms))


def full(store: Store, after_ms: int, most: Rate = MOST) -> int:
    """Calls that are permitted when the window is full, so long after the lesson."""
    with store.writes.begin() as connection:
        return tried_higher(connection, "p", most, at(after_ms)).calls


def test_what_was_learned_holds_for_its_pool_only_and_never_above_the_configured_limit(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 429"))

    assert limit(store) == Rate(45, 180.0)
    assert limit(store, Rate(10, 180.0)) == Rate(10, 180.0)
    assert limit(store, pool="another") == MOST


def test_of_two_lessons_the_stricter_stays_and_is_as_fresh_as_the_later(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 400"))
    teach(store, "p", Learned(Rate(54, 180.0), at(5), "HTTP 429"))

    assert learned(store, "p") == {"p": Learned(Rate(45, 180.0), at(5), "HTTP 429")}


def test_lessons_of_other_classes_of_call_are_found_with_their_credential(store: Store) -> None:
    for pool in ("p", "p-read", "px", "q-read"):
        teach(store, pool, Learned(Rate(1, 1.0), at(0), "HTTP 429"))

    assert list(learned(store, "p")) == ["p", "p-read"]


def test_a_step_up_needs_a_full_window_and_quiet_and_is_one_however_long_nobody_called(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 429"))

    steps = [full(store, after) for after in (0, 899_000, 10 * HOUR, 10 * HOUR + 899_000, 10 * HOUR + 900_000)]

    assert steps == [45, 45, 50, 50, 55]
    assert learned(store, "p")["p"].at == at(0)


def test_a_limit_that_comes_up_to_the_configured_one_is_forgotten(store: Store) -> None:
    teach(store, "p", Learned(Rate(54, 180.0), at(0), "HTTP 429"))

    assert full(store, HOUR) == 60
    assert learned(store, "p") == {}


def test_a_lower_configured_limit_moves_what_was_learned_and_does_not_disprove_it(store: Store) -> None:
    teach(store, "p", Learned(Rate(54, 180.0), at(0), "HTTP 429"))

    assert full(store, HOUR, Rate(56, 180.0)) == 56
    assert limit(store, after_ms=HOUR) == Rate(56, 180.0)


def test_a_bad_night_is_forgotten_before_the_next_one(store: Store) -> None:
    teach(store, "p", Learned(Rate(1, 180.0), at(0), "HTTP 429"))
    teach(store, "day", Learned(Rate(50, 86_400.0), at(0), "HTTP 429"))

    assert limit(store, after_ms=12 * HOUR - 1) == Rate(1, 180.0)
    assert limit(store, after_ms=12 * HOUR) == MOST
    assert learned(store, "p", at(12 * HOUR)) == {}
    assert limit(store, Rate(60, 86_400.0), "day", DAY).calls == 50  # not yet a window old


def test_a_new_lesson_is_not_made_stricter_by_one_that_is_forgotten(store: Store) -> None:
    teach(store, "p", Learned(Rate(1, 180.0), at(0), "HTTP 429"))

    assert teach(store, "p", Learned(Rate(54, 180.0), at(DAY), "HTTP 429")).rate == Rate(54, 180.0)


def test_a_lesson_takes_the_place_of_the_one_it_began_with_and_of_no_other(store: Store) -> None:
    began = teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 429"))
    teach(store, "p", Learned(Rate(54, 180.0), at(5), "HTTP 429"), began)
    assert limit(store) == Rate(54, 180.0)

    kept = teach(store, "p", Learned(Rate(58, 180.0), at(9), "HTTP 429"), began)

    assert kept == learned(store, "p")["p"] == Learned(Rate(54, 180.0), at(9), "HTTP 429")


def test_a_run_that_goes_slower_anyway_proves_nothing(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 429"))

    assert full(store, HOUR, Rate(5, 180.0)) == 5
    assert limit(store) == Rate(45, 180.0)


@pytest.mark.parametrize("step", [-365 * DAY, -HOUR, HOUR, 365 * DAY])
def test_a_wall_clock_that_is_set_neither_forgets_a_lesson_nor_keeps_it_longer(store: Store, step: int) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0), "HTTP 429"))

    def after(ms: int) -> Stamp:
        return at(ms, wall_ms=ms + step)

    assert [each.age_ms for each in learned(store, "p", after(HOUR)).values()] == [HOUR]
    assert [each.age_ms for each in learned(store, "p", after(12 * HOUR - 1)).values()] == [12 * HOUR - 1]
    assert learned(store, "p", after(12 * HOUR)) == {}


def test_a_lesson_of_a_boot_whose_clock_was_a_year_ahead_is_forgotten_12_hours_after_it_is_seen(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(0, boot="earlier", wall_ms=365 * DAY), "HTTP 429"))
    with store.writes.begin() as connection:
        meet(connection, "p", at(0))

    assert limit(store, after_ms=12 * HOUR - 1).calls == 45
    assert limit(store, after_ms=12 * HOUR + ROUNDING_MS) == MOST
    assert full(store, 899_999) == 45
    assert full(store, 900_000 + ROUNDING_MS) == 50


def test_a_lesson_of_an_earlier_boot_is_as_old_as_the_wall_clock_says(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(77 * DAY, boot="earlier", wall_ms=-11 * HOUR), "HTTP 429"))

    assert [each.age_ms for each in learned(store, "p", at(0)).values()] == [11 * HOUR]
    assert learned(store, "p", at(HOUR)) == {}


def test_a_step_up_by_another_boot_leaves_the_lesson_as_old_as_it_was(store: Store) -> None:
    teach(store, "p", Learned(Rate(45, 180.0), at(77 * DAY, boot="earlier", wall_ms=-10 * HOUR), "HTTP 429"))
    assert full(store, 0) == 50

    assert [each.age_ms for each in learned(store, "p", at(HOUR, wall_ms=0)).values()] == [11 * HOUR]


def test_a_pace_that_went_well_is_kept_unless_something_was_learned_since(store: Store) -> None:
    first, second = Learned(Rate(30, 60.0), at(0), "HTTP 429"), Learned(Rate(20, 60.0), at(9), "HTTP 429")
    teach(store, "p", first)
    keep_rate(store, "p", Learned(Rate(40, 60.0), at(0), "HTTP 429"), at(5))
    assert learned(store, "p")["p"].rate == Rate(40, 60.0)

    teach(store, "p", second)
    keep_rate(store, "p", Learned(Rate(50, 60.0), at(0), "HTTP 429"), at(10))

    assert learned(store, "p")["p"] == second
