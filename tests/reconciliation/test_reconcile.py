"""What a comparison of one row yields; pure, no target."""

import pytest

from jobs.model import MatchClass, Outcome
from jobs.privacy import masking
from jobs.reconciliation.compare import Claim, compare, similarity
from jobs.systems.eclipse.system import CAPABILITIES
from jobs.systems.sighting import Comparison, Sighting

CLAIM = Claim(1, "cust-1", Outcome.ONBOARDED, "7", "9")


def seen(*comparisons: Comparison) -> Sighting:
    return Sighting(["7"], comparisons, "PASSED", ["9"], "ACTIVE")


def test_a_name_that_nearly_fits_is_a_difference_with_its_similarity() -> None:
    (line,) = compare(CLAIM, seen(Comparison("first_name", "Thandiwe", "Thandi", masking.name)), CAPABILITIES)
    assert line.match_class is MatchClass.FIELD_DIFFERENCE
    assert line.similarity is not None
    assert 80 <= line.similarity < 100


def test_names_that_are_alike_in_all_but_capitals_are_still_a_difference() -> None:
    (line,) = compare(CLAIM, seen(Comparison("last_name", "Van Wyk", "wyk van", masking.name)), CAPABILITIES)
    assert (line.match_class, line.similarity) == (MatchClass.FIELD_DIFFERENCE, 100)


@pytest.mark.parametrize("field", ["phone", "email", "national_id"])
def test_only_names_get_a_similarity(field: str) -> None:
    (line,) = compare(CLAIM, seen(Comparison(field, "27821234567", "27821234568", masking.phone)), CAPABILITIES)
    assert line.similarity is None


def test_similarity_is_a_whole_number_from_0_to_100() -> None:
    assert similarity("Thandi", "Thandi") == 100
    assert similarity("Thandi", "") == 0
    assert similarity("Abc", "Xyz") == 0
