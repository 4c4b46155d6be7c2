"""Every wrong version is caught by the check that is named for it, and the real code passes that check."""

import pytest

from tests.sabotage.variants import VARIANTS, Variant

CHECKS = sorted({variant.check for variant in VARIANTS}, key=lambda check: check.__name__)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_real_code_passes(check: object) -> None:
    assert callable(check)
    assert check() is None


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_wrong_version_is_caught(variant: Variant) -> None:
    with variant.patch():
        assert variant.check() is not None
