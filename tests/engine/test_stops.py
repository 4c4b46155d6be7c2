"""The first reason to stop is the one that is told; deadlines are those of the local clock, in long nights too."""

import time as clock_time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time

import pytest

from jobs.engine.stops import ErrorBudget, Stops, seconds_until
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
    ],
)
def test_a_deadline_is_when_the_local_clock_next_shows_it(
    zone: Zone, tz: str, now: datetime, deadline: time, hours: float
) -> None:
    zone(tz)

    assert seconds_until(deadline, now) == hours * 3600


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
