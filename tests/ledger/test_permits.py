"""Permits of one pool, asked for with windows of different lengths: each counts by its own, the table stays small.

And by processes of one boot and of others, whatever the wall clocks do.
"""

from collections.abc import Iterator

import pytest
from books import SetClock
from sqlalchemy import event, func, select

from jobs.ledger import permits, tables
from jobs.ledger.permits import KEPT_SECONDS, LOST_SECONDS, Pool, hand_back, renew, reserve, undated
from jobs.ledger.store import Store
from jobs.model import Rate

SHORT, LONG = Rate(20, 1.0), Rate(60, 180.0)


@pytest.fixture
def store(either: str) -> Iterator[Store]:
    with Store.opened(either) as opened:
        yield opened


@pytest.fixture
def pool(store: Store) -> Pool:
    return Pool(store, "p", "mine", SetClock())


def lines(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.permit)) or 0


def at(pool: Pool, seconds: float) -> Pool:
    """`pool`, so many seconds after the beginning."""
    assert isinstance(pool.clock, SetClock)
    pool.clock.seconds = seconds
    return pool


def up_ms(pool: Pool) -> int:
    """The time of the pool's boot."""
    return pool.clock.stamp().up_ms


def asked(pool: Pool, rate: Rate, after_seconds: float, wanted: int = 60) -> int:
    """Permits that are given, all of which are answered at once."""
    given = reserve(at(pool, after_seconds), rate, wanted, []).permits
    reserve(pool, rate, 0, [up_ms(pool)] * given)
    return given


def test_a_run_with_a_short_window_does_not_forget_what_a_longer_one_counts(pool: Pool) -> None:
    assert asked(pool, LONG, 0) == 60
    assert asked(pool, SHORT, 3, wanted=1) == 1
    assert asked(pool, LONG, 4) == 0
    assert asked(pool, LONG, 180) == 59


def test_a_short_window_is_not_filled_by_what_a_longer_one_still_counts(pool: Pool) -> None:
    assert asked(pool, SHORT, 0) == 20
    assert asked(pool, SHORT, 0.5) == 0
    assert asked(pool, SHORT, 1) == 20
    assert asked(pool, LONG, 2) == 20


def test_the_wait_for_a_place_is_that_of_the_own_window(pool: Pool) -> None:
    asked(pool, SHORT, 0)
    asked(pool, SHORT, 1)

    assert reserve(at(pool, 1.4), SHORT, 1, []).wait_seconds == pytest.approx(0.6)


def test_each_of_many_answers_keeps_its_own_time_and_all_are_told_in_one_statement(store: Store, pool: Pool) -> None:
    many = Rate(5000, 10.0)
    reserve(pool, many, 3000, [])
    times = [up_ms(pool) + number for number in range(3000)]
    changed: list[int] = []
    event.listen(
        store.engine,
        "before_cursor_execute",
        lambda *call: changed.append(len(call[3]) if call[5] else 1) if "UPDATE permit" in call[2] else None,
    )

    reserve(at(pool, 4), many, 0, times)

    with store.engine.connect() as connection:
        kept = connection.execute(select(tables.permit.c.answered_up).order_by(tables.permit.c.permit_id)).scalars()
        assert kept.all() == times
    assert len(changed) < 5
    assert set(changed) == {1}


def test_permits_of_a_dead_process_count_as_answered_late_and_take_no_answers_of_others(store: Store) -> None:
    clock = SetClock()
    reserve(Pool(store, "p", "dead", clock), LONG, 60, [])
    mine = Pool(store, "p", "mine", clock)
    assert asked(mine, LONG, LOST_SECONDS + 179) == 0
    assert asked(mine, LONG, LOST_SECONDS + 180) == 60
    assert asked(mine, LONG, LOST_SECONDS + 360) == 60


def test_permits_of_a_process_that_says_that_it_lives_are_not_lost_however_long_they_are_out(store: Store) -> None:
    clock = SetClock()
    slow, other = Pool(store, "p", "slow", clock), Pool(store, "p", "other", clock)
    reserve(slow, LONG, 60, [])
    for tick in range(1, 60):
        renew(at(slow, tick * LOST_SECONDS / 4), 0)
        assert reserve(other, LONG, 1, []).permits == 0

    hand_back(slow, [up_ms(slow)] * 60, 0)

    assert reserve(at(other, clock.seconds + 179.9), LONG, 1, []).permits == 0
    assert reserve(at(other, clock.seconds + 0.1), LONG, 1, []).permits == 1


def test_what_a_living_process_does_not_use_is_free_at_once_for_others(store: Store) -> None:
    clock = SetClock()
    idle, other = Pool(store, "p", "idle", clock), Pool(store, "p", "other", clock)
    reserve(idle, LONG, 60, [])

    renew(at(idle, 30), 45)

    assert reserve(other, LONG, 60, []).permits == 45


def test_an_answer_that_comes_after_its_permit_was_lost_counts_nevertheless(store: Store) -> None:
    clock = SetClock()
    frozen, other = Pool(store, "p", "frozen", clock), Pool(store, "p", "other", clock)
    reserve(frozen, LONG, 60, [])
    assert asked(other, LONG, LOST_SECONDS + 180) == 60
    hand_back(frozen, [up_ms(frozen)] * 60, 0)
    assert asked(other, Rate(60, 100), LOST_SECONDS + 279.9) == 0

    assert lines(store) >= 120


@pytest.mark.few(4)
@pytest.mark.parametrize("hours", [-8760, -24, -1, 1, 24, 8760])
def test_a_wall_clock_that_is_set_frees_no_place_and_takes_none(pool: Pool, hours: int) -> None:
    assert isinstance(pool.clock, SetClock)
    assert asked(pool, LONG, 0) == 60
    pool.clock.stepped = hours * 3600.0

    assert asked(pool, LONG, 179.9) == 0
    assert reserve(pool, LONG, 1, []).wait_seconds == pytest.approx(0.1)
    assert asked(pool, LONG, 180) == 60


@pytest.mark.few(4)
@pytest.mark.parametrize("hours", [-8760, -1, 0, 1, 8760])
def test_calls_of_an_earlier_boot_count_for_one_window_from_their_first_sight(store: Store, hours: int) -> None:
    earlier = Pool(store, "p", "a", SetClock("earlier"))
    asked(earlier, LONG, 0, wanted=30)
    asked(earlier, LONG, 100, wanted=30)
    mine = Pool(store, "p", "b", SetClock("now", up=3.0, stepped=hours * 3600.0))

    assert undated(at(mine, 7000), LONG.seconds) == 60
    assert asked(mine, LONG, 7000) == 0
    assert asked(mine, LONG, 7079.9) == 0
    assert asked(mine, LONG, 7080.01) == 30  # the older ones were 100 s older, as their own boot counted
    assert asked(mine, LONG, 7179.9) == 0
    assert asked(mine, LONG, 7180.01) == 30


def test_who_waits_for_calls_of_an_earlier_boot_does_not_begin_anew_in_the_next_process(store: Store) -> None:
    asked(Pool(store, "p", "a", SetClock("earlier")), LONG, 0)
    clock = SetClock("now", up=3.0)
    for number, seconds in enumerate((500, 560, 620, 679.9)):
        assert asked(Pool(store, "p", str(number), clock), LONG, seconds) == 0

    assert asked(Pool(store, "p", "last", clock), LONG, 680.01) == 60


@pytest.mark.few(2)
@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_two_machines_share_a_window_whatever_their_wall_clocks_show(store: Store, hours: int) -> None:
    here, there = SetClock("here", up=3.0), SetClock("there", up=9e6, stepped=hours * 3600.0)
    pools = [Pool(store, "p", clock.machine, clock) for clock in (here, there)]
    given: list[int] = []
    for tick in range(50):
        pool = at(pools[tick % 2], tick)
        given += [tick] * asked(pool, Rate(10, 30), tick, wanted=1)

    assert max(sum(at <= other < at + 30 for other in given) for at in given) == 10
    assert len(given) == 20


def test_permits_of_a_dead_machine_are_lost_in_the_same_time_as_those_of_a_process(store: Store) -> None:
    reserve(Pool(store, "p", "a", SetClock("dead")), LONG, 60, [])
    mine = Pool(store, "p", "b", SetClock("mine", up=3.0))

    assert asked(mine, LONG, 9000) == 0
    assert asked(mine, LONG, 9000 + LOST_SECONDS + 179.9) == 0
    assert asked(mine, LONG, 9000 + LOST_SECONDS + 180.01) == 60


def test_a_machine_that_was_set_back_to_an_earlier_state_waits_for_one_window(pool: Pool) -> None:
    assert asked(pool, LONG, 86_400) == 60

    assert asked(pool, LONG, 0) == 0
    assert asked(pool, LONG, 179.9) == 0
    assert asked(pool, LONG, 180) == 60


def test_what_is_known_of_other_clocks_goes_with_their_last_call(store: Store) -> None:
    asked(Pool(store, "p", "a", SetClock("earlier")), LONG, 0)
    mine = Pool(store, "p", "b", SetClock("mine", up=3.0))
    for seconds in (100, KEPT_SECONDS + 101, KEPT_SECONDS + 102):
        asked(mine, LONG, seconds)

    with store.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.ahead)) == 0


def test_lines_that_no_window_needs_are_deleted(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(pool, LONG, 0)
    asked(pool, SHORT, KEPT_SECONDS, wanted=1)
    assert lines(pool.store) == 1

    monkeypatch.setattr(permits, "MOST_KEPT", 30)
    for second in range(1, 9):
        asked(pool, SHORT, KEPT_SECONDS + second, wanted=20)
    assert lines(pool.store) <= 30 + SHORT.calls
    assert asked(pool, Rate(30, 60.0), KEPT_SECONDS + 9) == 0


def test_a_window_longer_than_lines_are_kept_counts_all_of_its_own(pool: Pool) -> None:
    most = Rate(60, 2 * KEPT_SECONDS)

    assert [asked(pool, most, at * KEPT_SECONDS) for at in (0, 1.5, 2)] == [60, 0, 60]
