"""How many examples Hypothesis tries: a few in `make test`, many in `make test-all`."""

import hypothesis

QUICK = 50
THOROUGH = 500


def some(quick: int) -> int:
    """`quick` examples, where each is dear or none may be missing; ten times as many in the thorough profile."""
    return quick * hypothesis.settings().max_examples // QUICK
