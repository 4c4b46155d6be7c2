"""The matrices that the default suite cuts short are there, and are cut evenly."""

from tests.few import FEW, spread
from tests.house.sources import ROOT, text


def test_a_matrix_that_is_cut_short_is_there() -> None:
    said = "\n".join(text(path) for path in sorted((ROOT / "tests").rglob("test_*.py")))

    assert [name for name in FEW if f"def {name}(" not in said] == []


def test_the_cases_that_are_taken_lie_all_over_the_matrix() -> None:
    assert spread(10, 3) == {0, 3, 6}
    assert spread(2, 5) == {0, 1}
    assert spread(4, 0) == frozenset()
