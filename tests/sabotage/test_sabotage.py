"""Every wrong version is caught by the check that is named for it, and the real code passes that check."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sabotage.variants import VARIANTS, Variant

LONG = frozenset({"deaths", "lower_limits", "restarts", "set_clocks", "unanswered_and_set_clocks"})
LONG |= {"storm", "foreign_ids", "lost_triggers", "other_types"}
"""Checks that take seconds until they have found nothing; what they look for is found within a second. The seeds of
`storm` are told in `tests/simulation` too."""

LATE = frozenset(
    {
        "KYC is posted on PENDING",
        "calls are counted on the wall clock",
        "an open wallet is sent as another one",
    }
)
"""Variants that it takes seconds to catch; another one that the same check catches is in the default run."""


def checks() -> Iterator[Any]:
    """Each check once, by its name."""
    for check in sorted({variant.check for variant in VARIANTS}, key=lambda check: check.__name__):
        name = check.__name__
        yield pytest.param(check, id=name, marks=[pytest.mark.slow] if name in LONG else [])


@pytest.mark.few(8)
@pytest.mark.parametrize("check", list(checks()))
def test_the_real_code_passes(check: object) -> None:
    assert callable(check)
    assert check() is None


def variants() -> Iterator[Any]:
    """Each variant, by its name."""
    for variant in VARIANTS:
        yield pytest.param(variant, id=variant.name, marks=[pytest.mark.slow] if variant.name in LATE else [])


@pytest.mark.few(8)
@pytest.mark.parametrize("variant", list(variants()))
def test_a_wrong_version_is_caught(variant: Variant) -> None:
    with variant.patch():
        assert variant.check() is not None
