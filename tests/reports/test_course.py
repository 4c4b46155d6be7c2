from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from jobs.model import Rate
from jobs.reports.course import MOST_BUCKETS, Course, course

START = 1_795_000_000_000


def moment(at: int, kind: str, key: str = "k", step: str | None = None, **more: Any) -> Sequence[Any]:
    """An event `at` milliseconds after the start."""
    known = {"attempt": 1, "verdict": None, "http_status": None, "detail": None} | more
    return (START + at, kind, key, step, known["attempt"], known["verdict"], known["http_status"], known["detail"])


def made(moments: Sequence[Sequence[Any]], length: int = 10_000, limit: Rate | None = None) -> Course:
    return course(moments, started_ms=START, ended_ms=START + length, limit=limit)


def test_steps_stand_in_their_order_and_not_in_that_of_their_answers() -> None:
    calls = [
        each
        for at, step in enumerate(("wallet", "odd", "customer", "kyc"))
        for each in (moment(at, "intent", step, step), moment(at + 40, "result", step, step, http_status=200))
    ]
    steps = ("customer", "kyc", "wallet")
    found = course(calls, started_ms=START, ended_ms=START + 9_000, limit=None, steps=steps)
    assert [each.step for each in found.latency] == [*steps, "odd"]


@pytest.mark.parametrize("length", [0, 1, 99, 100, 11_999, 12_001, 119_000, 3_600_000, 36_000_000, 30 * 86_400_000])
def test_buckets_cover_every_run_and_are_never_too_many(length: int) -> None:
    line = made([moment(length, "outcome", verdict="onboarded"), moment(0, "intent", step="kyc")], length).timeline
    assert 1 <= len(line.calls) <= MOST_BUCKETS
    assert len(line.calls) * line.width_ms >= length
    assert (sum(line.complete), line.complete[-1], line.calls[0]) == (1, 1, 1)


def test_each_row_counts_once_by_how_it_ended_and_unsent_rows_not_at_all() -> None:
    ends = ["onboarded", "already_onboarded", "pending", "failed", "conflict", "quarantined", "not_attempted"]
    line = made([moment(5_000, "outcome", verdict=verdict) for verdict in ends]).timeline
    assert (sum(line.complete), sum(line.pending), sum(line.attention)) == (2, 1, 2)
    assert line.ended[5_000 // line.width_ms] == 5


def test_errors_are_refusals_of_pace_failures_of_the_target_and_silence() -> None:
    statuses = [200, 409, 429, 500, 503, None]
    sent = [moment(at, "intent", step="wallet", key=str(at)) for at in range(6)]
    answers = [moment(9, "result", step="wallet", key=str(at), http_status=code) for at, code in enumerate(statuses)]
    assert sum(made([*sent, *answers]).timeline.errors) == 4


def test_latency_is_from_intent_to_result_by_nearest_rank() -> None:
    calls = [
        each
        for at in range(1, 101)
        for each in (
            moment(at, "intent", step="kyc", key=str(at)),
            moment(2 * at, "result", step="kyc", key=str(at), http_status=200),
        )
    ]
    read_later = [moment(9_000, "intent", step="kyc"), moment(9_900, "result", step="kyc", detail="read")]
    [latency] = made([*calls, *read_later]).latency
    assert (latency.calls, latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.longest_ms) == (
        *(100, 50, 90, 99),
        100,
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_peak_is_the_most_calls_in_any_window_of_the_limit(seed: int) -> None:
    times = sorted(Random(seed).randrange(60_000) for _ in range(300))
    usage = made([moment(at, "intent", step="s", key=str(at)) for at in times], 60_000, Rate(60, 3.0)).usage
    expected = max(sum(1 for other in times if at - 3_000 < other <= at) for at in times)
    assert (usage.calls, usage.seconds, usage.peak) == (60, 3.0, expected)
    assert max(usage.per_bucket) == expected


def test_a_run_without_events_and_one_whose_clock_was_set_back_have_a_course() -> None:
    assert made([], 0).latency == ()
    line = made([moment(-5_000, "intent", step="s"), moment(-9_000, "result", step="s", http_status=200)])
    assert line.timeline.calls[0] == 1
    assert line.latency[0].longest_ms == 0


@pytest.mark.parametrize("set_back", [11_000, 3_600_000])
def test_the_peak_and_the_latency_are_those_of_the_calls_when_the_clock_is_set_back_among_them(set_back: int) -> None:
    calls = [
        moment(at - (set_back if at >= 30_000 else 0), kind, step="s", key=str(begun), http_status=200)
        for begun in range(0, 60_000, 100)
        for at, kind in ((begun, "intent"), (begun + 50, "result"))
    ]

    found = made(calls, 60_000, Rate(60, 3.0))

    assert found.usage.peak <= 31
    assert (found.latency[0].calls, found.latency[0].longest_ms) == (600, 50)
    assert sum(found.timeline.calls) == 600


def test_a_call_that_is_under_way_when_the_clock_is_set_forward_has_no_latency() -> None:
    quick = [moment(0, "intent", step="s", key="a"), moment(40, "result", step="s", key="a", http_status=200)]
    across = [moment(50, "intent", step="s", key="b"), moment(3_600_090, "result", step="s", key="b", http_status=200)]

    [latency] = made([*quick, *across], 3_600_100).latency

    assert (latency.calls, latency.longest_ms) == (1, 40)
