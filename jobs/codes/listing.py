"""All codes by kind, for `muster codes` and for docs/codes.md."""

from collections.abc import Mapping, Sequence

from jobs.codes.code import Code
from jobs.codes.exits import EXITS, FAILURES
from jobs.codes.outcomes import CLASSES, OUTCOMES
from jobs.codes.reasons import REASONS
from jobs.codes.validation import WARNINGS


def listing(name: str | None = None) -> Mapping[str, Sequence[Code]]:
    """Every code by kind; of `name` alone (its column left out) where one is given."""
    wanted = None if name is None else name.partition(":")[0]
    kinds: Mapping[str, Sequence[Code]] = {
        "exit_codes": list(EXITS.values()),
        "outcomes": list(OUTCOMES.values()),
        "reason_codes": REASONS,
        "warnings": WARNINGS,
        "reconciliation_classes": list(CLASSES.values()),
        "failures": FAILURES,
    }
    return {kind: [code for code in codes if wanted in {None, code.name}] for kind, codes in kinds.items()}
