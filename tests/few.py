"""How many cases of a large matrix the default suite takes, spread evenly over it; `make test-all` takes all.

`@pytest.mark.few(N)` at a test says so. The numbers are chosen: what a matrix proves is met in each of its directions,
and the suite stays quick. Tests of the battery of systems ask the same of each system: with `in_turn=True` each test
begins at another one.
"""

from zlib import crc32

import pytest


def spread(cases: int, few: int, first: int = 0) -> frozenset[int]:
    """The places of `few` of so many `cases`, that of `first` among them."""
    taken = min(cases, few)
    return frozenset((first + place * cases // taken) % cases for place in range(taken))


def chosen(name: str, cases: int, mark: pytest.Mark | None) -> frozenset[int]:
    """The places of the `cases` of the test `name` that the default suite takes; `mark` None: all."""
    if mark is None:
        return spread(cases, cases)
    return spread(cases, mark.args[0], crc32(name.encode()) if mark.kwargs.get("in_turn") else 0)
