"""The sliding window against its definition: never more than the limit in any window, no longer wait than needed."""

import random

import pytest

from jobs.sandbox.limits import Windows
from jobs.sandbox.settings import Limit


def test_a_call_is_admitted_exactly_when_the_oldest_leaves_the_window() -> None:
    windows, limit = Windows(), Limit(2, 10.0)
    assert [windows.wait("key", limit, now) for now in (0.0, 4.0, 5.0, 9.9)] == [None, None, 5.0, pytest.approx(0.1)]
    assert windows.wait("key", limit, 10.0) is None
    assert windows.wait("key", limit, 10.0) == 4.0
    assert windows.wait("another key", limit, 10.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_no_window_ever_holds_more_than_the_limit_and_each_promised_wait_is_kept(seed: int) -> None:
    randomness, windows, admitted = random.Random(seed), Windows(), []
    limit, now = Limit(randomness.randint(1, 7), randomness.uniform(0.5, 9.0)), 0.0
    for _ in range(300):
        now += randomness.expovariate(1.5)
        wait = windows.wait("key", limit, now)
        if wait is not None:
            # A hair later, because adding two floats rounds.
            now += wait + 1e-9
            assert windows.wait("key", limit, now) is None, f"seed {seed}"
        admitted.append(now)
        recent = [moment for moment in admitted if moment > now - limit.seconds]
        assert len(recent) <= limit.calls, f"seed {seed}"
