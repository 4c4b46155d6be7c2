"""The first reason to stop is the one that is told; deadlines are those of the local clock, in long nights too."""

import asyncio
import os
import time as clock_time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual import VirtualClock, virtually

from jobs.engine.stops import DEADLINE_LOOK_SECONDS, ErrorBudget, Stops, next_showing, seconds_before
from jobs.errors import ExitCode, NotPermitted, strongest

Zone = Callable[[str], None]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    def choose(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        clock_time.tzset()

    yield choose
    monkeypatch.undo()
    clock_time.tzset()


@pytest.mark.parametrize(
    ("tz", "now", "deadline", "hours"),
    [
        ("UTC", datetime(2026, 11, 21, 2, 0, tzinfo=UTC), time(6, 0), 4),
        ("UTC", datetime(2026, 11, 21, 6, 0, tzinfo=UTC), time(6, 0), 24),
        ("UTC", datetime(2026, 11, 21, 23, 30, tzinfo=UTC), time(0, 30), 1),
        ("Africa/Johannesburg", datetime(2026, 11, 21, 2, 0, tzinfo=UTC), time(6, 0), 2),
        ("Europe/Berlin", datetime(2026, 10, 24, 20, 0, tzinfo=UTC), time(6, 0), 9),
        ("Europe/Berlin", datetime(2026, 3, 28, 21, 0, tzinfo=UTC), time(6, 0), 7),
        ("Europe/Berlin", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), time(2, 30), 1),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, 10, tzinfo=UTC), time(2, 30), 1 / 3),
    ],
)
def test_a_deadline_is_when_the_local_clock_next_shows_it(
    zone: Zone, tz: str, now: datetime, deadline: time, hours: float
) -> None:
    zone(tz)

    assert seconds_before(next_showing(deadline, now), now) == hours * 3600


def test_a_deadline_within_the_hour_that_the_clock_leaves_out_is_when_it_is_put_forward(zone: Zone) -> None:
    zone("Europe/Berlin")
    then = next_showing(time(2, 30), datetime(2026, 3, 29, 0, 0, tzinfo=UTC))

    assert seconds_before(then, datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)) > 0
    assert seconds_before(then, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == 0


BERLIN_NIGHTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(BERLIN_NIGHTS, st.times().map(lambda when: when.replace(second=0, microsecond=0)))
def test_the_time_that_is_left_is_over_when_the_deadline_has_come_and_not_before(now: datetime, deadline: time) -> None:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    clock_time.tzset()
    try:
        then = next_showing(deadline, now)
        left = seconds_before(then, now)
        assert 0 < left <= 25 * 3600
        shown = (now + timedelta(seconds=left)).astimezone().replace(tzinfo=None)
        assert shown == then or not exists(then)
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        clock_time.tzset()


def exists(moment: datetime) -> bool:
    """Whether the local clock ever shows it."""
    return moment.astimezone().replace(tzinfo=None) == moment


def stopped_after(deadline: time, steps: dict[float, float], seconds: float = 600) -> float | None:
    """After how many seconds a run that began at 02:15 UTC stops when its wall clock is set; None: it did not stop.

    `steps`: after so many seconds, the clock is that much ahead.
    """

    async def work() -> float | None:
        clock, began = VirtualClock(), asyncio.get_running_loop().time()
        stops = Stops(due=next_showing(deadline, clock.now()))
        with stops.watching(clock):
            for after, ahead in sorted([*steps.items(), (seconds, 0.0)]):
                stopping = asyncio.create_task(stops.requested.wait())
                await asyncio.wait([stopping], timeout=began + after - clock.monotonic())
                stopping.cancel()
                if stops.requested.is_set():
                    assert stops.reason == "deadline"
                    return clock.monotonic() - began
                clock.stepped = ahead
        return None

    return virtually(work)


@pytest.mark.parametrize(
    ("steps", "stops"),
    [
        ({}, 270),
        ({60: 3600}, 60),
        ({60: 86_400}, 60),
        ({60: 180}, 90),
        ({60: -180}, 450),
        ({60: -180, 120: 0}, 270),
        ({60: 120, 120: -60}, 330),
    ],
)
def test_a_deadline_is_that_of_the_wall_clock_also_when_it_is_set_meanwhile(
    zone: Zone, steps: dict[float, float], stops: float
) -> None:
    zone("UTC")

    assert stopped_after(time(2, 19, 30), steps) == pytest.approx(stops, abs=2 * DEADLINE_LOOK_SECONDS)


def test_a_deadline_that_was_just_missed_when_the_run_began_means_tomorrow(zone: Zone) -> None:
    zone("UTC")

    assert stopped_after(time(2, 15), {}) is None
    assert stopped_after(time(2, 14), {60: -3600}) is None


@pytest.mark.parametrize(
    ("text", "accepted", "rows"), [("0", 10, 0), ("5", 10, 5), ("10%", 50, 5), ("0%", 9, 0), ("2.5%", 1000, 25)]
)
def test_an_error_budget_is_rows_or_a_share_of_the_accepted(text: str, accepted: int, rows: float) -> None:
    assert ErrorBudget.given(text, accepted) == ErrorBudget(rows)
    assert ErrorBudget.given(None, accepted) is None


def test_the_first_reason_stays_and_all_codes_count() -> None:
    stops = Stops()

    stops.deadline()
    stops.block(NotPermitted("the target refuses the credential"))
    stops.signal(ExitCode.SIGTERM)

    assert stops.reason == "deadline"
    assert strongest(stops.codes) == ExitCode.SIGTERM
    assert any("refuses the credential" in note for note in stops.notes)
    assert not stops.at_once.is_set()


@pytest.mark.parametrize("second", [ExitCode.SIGINT, ExitCode.SIGTERM])
def test_a_second_signal_stops_at_once(second: ExitCode) -> None:
    stops = Stops()
    stops.signal(ExitCode.SIGINT)
    assert not stops.at_once.is_set()

    stops.signal(second)

    assert stops.at_once.is_set()


def test_a_deadline_before_a_signal_does_not_make_it_the_second() -> None:
    stops = Stops()
    stops.deadline()

    stops.signal(ExitCode.SIGINT)

    assert not stops.at_once.is_set()
