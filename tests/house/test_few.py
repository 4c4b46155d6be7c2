"""What the default suite leaves out is there, and of each file and each matrix it keeps something."""

import re

from tests.few import FEW, IN_TURN, spread
from tests.house.sources import ROOT, text
from tests.left_out import LEFT_OUT

TESTS = ROOT / "tests"


def test_a_matrix_that_is_cut_short_is_there() -> None:
    said = "\n".join(text(path) for path in sorted(TESTS.rglob("test_*.py")))

    assert [name for name in {**FEW, **IN_TURN} if f"def {name}(" not in said] == []
    assert min(*FEW.values(), *IN_TURN.values()) > 0


def test_a_test_that_is_left_out_is_there_and_another_one_of_its_file_is_not() -> None:
    for file, left in LEFT_OUT.items():
        there = re.findall(r"^def (test_\w+)\(", text(TESTS / file), re.MULTILINE)
        assert set(left) < set(there), file


def test_the_cases_that_are_taken_lie_all_over_the_matrix() -> None:
    assert spread(10, 3) == {0, 3, 6}
    assert spread(10, 3, 8) == {8, 1, 4}
    assert spread(2, 5) == {0, 1}
    assert spread(4, 0) == frozenset()
