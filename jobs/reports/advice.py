"""What a person does next about a row, by outcome and reason code. The sentences are those of `jobs/codes`."""

from jobs.codes.outcomes import CLASSES, OUTCOMES
from jobs.codes.reasons import reason


def advice(outcome: str, reason_code: str = "") -> str:
    """The next thing to do; the code's own sentence where there is one (`missing:email` is `missing`)."""
    found = reason(outcome, reason_code) or OUTCOMES.get(outcome)
    return found.action if found else "Look at the row."


OUTCOME_MEANINGS: dict[str, str] = {name: code.meaning for name, code in OUTCOMES.items()}
"""Each outcome in a few words, for the report."""

CLASS_MEANINGS: dict[str, str] = {name: code.meaning for name, code in CLASSES.items()}
"""Each class of the reconciliation in a few words, for the report."""
