"""What is shown while work goes on: at any width, and without claiming progress that was none."""

import io
from collections.abc import Mapping

import pytest
from rich.console import Console

from jobs.face import Glance, Tally, face, one_line, span
from jobs.model import Outcome, Rate
from jobs.progress import Lines, Terminal

EVERY = {name.value: 1_000 + place for place, name in enumerate(Outcome)}
BUSY = Glance(14, 32, 34, Rate(60, 180), limited_by="the limit")


def tally(outcomes: Mapping[str, int], total: int | None = 20_000, seconds: float = 30) -> Tally:
    """Rows that ended evenly over `seconds`, after a burst at the start."""
    made = Tally("onboarding", total, 0.0)
    for place, (outcome, rows) in enumerate(outcomes.items()):
        made.add(rows, outcome, seconds * (place + 1) / len(outcomes))
    return made


@pytest.mark.parametrize("width", [20, 40, 79, 80, 139, 200])
@pytest.mark.parametrize("glance", [None, BUSY, Glance(per_second=2.5), Glance(9, stopping=True)])
def test_two_or_three_lines_fit_any_width(width: int, glance: Glance | None) -> None:
    lines = face(tally(EVERY), glance, width, 30.0)

    assert len(lines) == (2 if glance is None else 3)
    assert [line for line in lines if len(line) > width] == []


def test_80_columns_hold_bar_counts_quota_and_what_limits() -> None:
    lines = face(tally({"onboarded": 4_000, "quarantined": 600}), BUSY, 79, 30.0)

    assert lines[0].startswith("onboarding  ━━")
    assert "4,600/20,000  23 %" in lines[0]
    assert lines[0].endswith(" left")
    assert lines[1] == "34 of 60 in 3 min · waits for the limit · 14 under way · 32 parked"
    assert lines[2] == "onboarded 4,000  quarantined 600"


def test_where_not_all_outcomes_have_room_the_doubtful_ones_stand_first() -> None:
    narrow, wide = (face(tally(EVERY), None, width, 30.0)[-1] for width in (60, 400))

    assert narrow.startswith("complete 2,001  in_doubt 1,009  failed 1,008")
    assert narrow.endswith(" …")
    assert all(f"{name} {rows:,}" in wide for name, rows in EVERY.items())


def test_rows_that_were_not_attempted_are_no_progress() -> None:
    made = tally({"onboarded": 100, "not_attempted": 900}, total=1_000)

    assert "100/1,000  10 %" in face(made, None, 79, 30.0)[0]
    assert "not_attempted 900" in face(made, None, 79, 30.0)[1]


def test_the_time_left_follows_the_last_minute_and_not_what_was_settled_before() -> None:
    made = Tally("onboarding", 10_000, 0.0)
    made.add(5_000, "already_onboarded", 0.5)
    made.add(500, "quarantined", 10.0)
    assert made.left(2.0) is None
    for second in range(11, 201):
        made.add(2 if second <= 130 else 10, "onboarded", float(second))

    assert made.per_second(200.0) == pytest.approx(10, rel=0.05)
    assert made.left(200.0) == pytest.approx((10_000 - made.rows) / 10, rel=0.05)


def test_a_stop_says_how_many_are_under_way() -> None:
    assert face(tally({"onboarded": 5}), Glance(14, 32, stopping=True), 79, 30.0)[1].startswith(
        "stopping: 14 under way"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3_600, "1 h"), (12_000, "3 h 20 min"), (10**6, "11 d 13 h")],
)
def test_spans_read_as_people_say_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_log_has_it_all_on_one_line() -> None:
    line = one_line(tally({"onboarded": 60}, total=120), BUSY, 30.0)

    assert line.startswith("onboarding: 60 of 120 rows")
    assert "waits for the limit, 14 under way, 32 parked  onboarded 60" in line


def test_a_stage_of_unknown_length_shows_rows_and_pace() -> None:
    assert face(tally({"": 60}, total=None), None, 79, 30.0) == ["onboarding  60 rows · 2.0/s"]


@pytest.mark.parametrize("width", [80, 140])
def test_a_terminal_shows_the_lines_and_keeps_notes_above_them(width: int) -> None:
    terminal, screen = Terminal(), io.StringIO()
    terminal._console = Console(file=screen, force_terminal=True, width=width, height=24)

    with terminal.stage("onboarding", 10) as count:
        count.watch(lambda: BUSY)
        count.advance(3, "onboarded")
        terminal.note("the target asked for a pause")

    shown = screen.getvalue()
    assert "the target asked for a pause\n" in shown
    assert "34 of 60 in 3 min · waits for the limit" in shown
    assert "3/10  30 %" in shown


def test_elsewhere_a_line_now_and_then_tells_what_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("jobs.progress.LINE_EVERY_SECONDS", 0.0)
    with Lines().stage("onboarding", 10) as count:
        count.watch(lambda: BUSY)
        count.advance(3, "onboarded")

    assert "muster: onboarding: 3 of 10 rows" in capsys.readouterr().err
