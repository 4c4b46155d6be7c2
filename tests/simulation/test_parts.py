"""A history can be told in part, and a failing one shrinks to what matters."""

import shlex
from unittest.mock import patch

import pytest

from jobs.engine import driver as onboard
from tests.simulation.simulate import Trace, main, shrunk, simulate


def failing() -> Trace:
    """The first history in which a look that comes too early is believed, and does harm."""
    return next(trace for seed in range(30, 400) if (trace := simulate(seed, rows=2)).problems)


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", [17, 40])
def test_all_the_parts_of_a_history_are_the_history(seed: int) -> None:
    whole = simulate(seed)
    told = simulate(seed, only=frozenset(whole.parts.used))
    assert told.log == whole.log


def test_what_is_left_out_changes_no_other_fault() -> None:
    whole = simulate(17)
    without = frozenset(part for part in whole.parts.used if part not in {"order", "row1"})
    assert {part for part in simulate(17, only=without).parts.used if "/" in part} <= set(whole.parts.used)


@pytest.mark.slow
def test_a_failing_history_shrinks_to_the_parts_that_matter(capsys: pytest.CaptureFixture[str]) -> None:
    with patch.object(onboard, "SETTLE_SECONDS", 0.0):
        trace = failing()
        smallest = shrunk(trace)
        assert smallest.parts.only is not None
        assert len(smallest.parts.only) < len(trace.parts.used) / 2
        assert smallest.problems[0].split()[0] == trace.problems[0].split()[0]
        for part in smallest.parts.only:
            fewer = simulate(trace.seed, trace.rows, only=smallest.parts.only - {part})
            assert not fewer.problems or fewer.problems[0].split()[0] != trace.problems[0].split()[0]

        arguments = shlex.split(smallest.command)[3:]
        with patch("sys.argv", ["simulate", *arguments]):
            assert main() == 1
    assert smallest.problems[0] in capsys.readouterr().out
