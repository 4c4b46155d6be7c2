"""Steps down and up, and the stricter of two limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.model import Rate
from jobs.rates import lowered, quiet_seconds, raised, within

RATES = st.builds(Rate, st.integers(1, 5000), st.sampled_from([0.1, 1.0, 1.8, 2.0, 60.0, 180.0, 3600.0]))


@pytest.mark.parametrize(("calls", "less"), [(60, 54), (11, 9), (5, 4), (2, 1), (1, 1)])
def test_a_step_down_is_a_tenth_and_leaves_one_call(calls: int, less: int) -> None:
    assert lowered(Rate(calls, 180)) == Rate(less, 180)


@given(RATES)
def test_steps_up_come_back_to_where_the_steps_down_began(rate: Rate) -> None:
    less = lowered(rate)

    assert rate.calls <= raised(raised(less)).calls
    assert raised(less).calls <= max(2, rate.calls)
    assert quiet_seconds(rate) >= max(10, 5 * rate.seconds)


@given(RATES, RATES)
def test_the_stricter_limit_exceeds_neither(rate: Rate, most: Rate) -> None:
    found = within(rate, most)

    assert found.calls <= most.calls
    assert found.seconds >= most.seconds
    assert found.calls / found.seconds <= 1.000001 * min(rate.calls / rate.seconds, most.calls / most.seconds)


def test_a_limit_is_read_in_the_window_of_the_configured_one() -> None:
    assert within(Rate(45, 180), Rate(60, 180)) == Rate(45, 180)
    assert within(Rate(45, 180), Rate(5, 180)) == Rate(5, 180)
    assert within(Rate(45, 180), Rate(100, 60)) == Rate(15, 60)
    assert within(Rate(5, 60), Rate(1, 2)) == Rate(1, 12)
