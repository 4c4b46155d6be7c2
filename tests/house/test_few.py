"""What the default suite takes of a large matrix lies all over it; of each matrix and each file it takes something."""

import ast
import re

from tests.few import spread
from tests.house.sources import ROOT, text

FILES = sorted((ROOT / "tests").rglob("test_*.py"))

LONG = frozenset({"test_intake_memory.py", "test_lost_transactions.py", "test_page_in_browser.py", "test_slurm.py"})
"""Files of which each test takes long: they measure memory, or start what others wrote."""


def test_of_each_matrix_a_case_is_taken() -> None:
    said = [
        number for path in FILES for number in re.findall(r"^ *@pytest\.mark\.few\((\d+)", text(path), re.MULTILINE)
    ]

    assert len(said) > 100
    assert min(map(int, said)) > 0


def test_of_each_file_a_test_is_taken() -> None:
    for path in FILES:
        if "pytest.mark.slow" not in text(path):
            continue
        tree = ast.parse(text(path))
        tests = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")]
        left = [each for each in tests if "pytest.mark.slow" in map(ast.unparse, each.decorator_list)]
        assert not tests or len(left) < len(tests) or path.name in LONG, path


def test_the_cases_that_are_taken_lie_all_over_the_matrix() -> None:
    assert spread(10, 3) == {0, 3, 6}
    assert spread(10, 3, 8) == {8, 1, 4}
    assert spread(2, 5) == {0, 1}
    assert spread(4, 0) == frozenset()
