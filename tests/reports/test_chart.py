import re

import pytest

from jobs.reports.bar import WIDTH
from jobs.reports.chart import HEIGHT, LOWEST, Pictures, columns, duration, levels, moments, rounded_up, slowest, times
from jobs.reports.course import Course, Timeline
from jobs.reports.funnel import Stage

from .made import MIXED, STARTED_MS, went


def boxes(path: str) -> list[tuple[float, float, float]]:
    """(x, y, height) of each column of a path."""
    return [(float(x), float(y), float(h)) for x, y, h in re.findall(r"M(\S+) (\S+?)h9v(\S+?)h-9z", path)]


def test_columns_stand_on_each_other_and_nothing_that_is_counted_vanishes() -> None:
    drawn = columns({"errors": [0, 1, 0], "calls": [10, 1000, 0]})
    assert drawn.top == 1200
    assert boxes(drawn.paths["errors"]) == [(10, HEIGHT - LOWEST, LOWEST)]
    [few, many] = boxes(drawn.paths["calls"])
    assert few == (0, HEIGHT - LOWEST, LOWEST)
    assert many[1] + many[2] == pytest.approx(HEIGHT - LOWEST)


def test_one_spike_does_not_flatten_the_others_and_is_told() -> None:
    drawn = columns({"errors": [0] * 20, "calls": [10] * 19 + [1000]})
    assert drawn.top == 20
    assert boxes(drawn.paths["calls"])[0][2] == HEIGHT / 2
    assert boxes(drawn.paths["calls"])[-1][1:] == (0, HEIGHT)
    assert (drawn.highest, drawn.highest_at) == (1000, 19)
    assert drawn.cuts.startswith("M190 ")
    assert columns({"calls": [10] * 20 + [40]}).highest is None
    assert columns({"calls": [10, 10, 1000]}).top == 1000
    assert columns({"used": [10] * 20 + [1000]}, limit=60).highest is None
    assert [slowest(times) for times in ([], [5], [10, 9, 900], [10, 30])] == [1, 5, 20, 30]


def test_a_limit_is_inside_the_drawing_even_when_nothing_comes_near_it() -> None:
    drawn = columns({"used": [1, 2]}, limit=60)
    assert (drawn.top, drawn.line) == (60, 0)
    assert columns({"used": []}, limit=None).line is None
    assert columns({"used": [90]}, limit=60).line == pytest.approx(40)


def test_the_scale_is_round_and_never_below_the_value() -> None:
    for value in range(5000):
        top = rounded_up(value)
        assert max(value, 2) <= top <= max(2, 2 * value)
        assert top % 2 == 0


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        *[(0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1340, "1.3 s"), (60_000, "1 min")],
        *[(125_000, "2 min 5 s"), (3_600_000, "1 h"), (12_000_000, "3 h 20 min")],
    ],
)
def test_durations_read_as_people_say_them(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


def line(width_ms: int, buckets: int) -> Timeline:
    return Timeline(STARTED_MS, width_ms, *([0] * buckets for _ in range(5)))


def test_times_name_the_day_only_for_a_run_over_midnight() -> None:
    assert times(line(60_000, 60)) == ("02:15:00", "02:45:00", "03:15:00")
    assert times(line(3_600_000, 24))[2] == "22 Nov 02:15"
    assert moments(line(100, 2)) == ["02:15:00.0", "02:15:00.1"]
    assert moments(line(60_000, 2))[1] == "2026-11-21 02:16:00"


def test_the_funnel_narrows_and_its_pieces_fill_each_level() -> None:
    drawn = levels((Stage("read", 100_000, {"quarantined": 1}), Stage("onboarded", 99_999)))
    assert [name for name, _, _ in drawn[0].pieces] == ["passed", "quarantined"]
    _, start, width = drawn[0].pieces[-1]
    assert start + width == pytest.approx(WIDTH, abs=3)
    assert drawn[0].band.startswith("0,0 1000,0")
    assert (drawn[1].band, drawn[1].pieces[0][0]) == ("", "onboarded")
    assert levels(()) == ()
    assert [level.pieces for level in levels((Stage("read", 0), Stage("onboarded", 0)))] == [(), ()]


def test_pictures_can_be_drawn_of_any_course() -> None:
    full: Course = went(MIXED)["course"]
    drawn = Pictures.of(full)
    assert set(drawn.rows.paths) == {"complete", "pending", "attention"}
    assert set(drawn.calls.paths) == {"calls", "errors"}
    assert len(drawn.moments) == len(full.timeline.calls)
    assert Pictures.of(went({}, None)["course"]).slowest_ms == 1
