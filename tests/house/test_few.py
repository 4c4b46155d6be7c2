"""What the default suite takes of a large matrix lies all over it, and of each it takes something."""

import re

from tests.few import spread
from tests.house.sources import ROOT, text

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def test_of_each_matrix_a_case_is_taken() -> None:
    said = [
        number for path in FILES for number in re.findall(r"^ *@pytest\.mark\.few\((\d+)", text(path), re.MULTILINE)
    ]

    assert len(said) > 100
    assert min(map(int, said)) > 0


def test_the_cases_that_are_taken_lie_all_over_the_matrix() -> None:
    assert spread(10, 3) == {0, 3, 6}
    assert spread(10, 3, 8) == {8, 1, 4}
    assert spread(2, 5) == {0, 1}
    assert spread(4, 0) == frozenset()
