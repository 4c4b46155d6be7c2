"""The rules of the validation that refused rows: how many each, and a row that shows it."""

import re
from collections.abc import Iterable, Mapping

from jobs.model import Outcome
from jobs.reports.summary import Cause
from jobs.value import value

ANOTHER = re.compile(r"; (?=[a-z_0-9]+ (?:is|has|holds) )")
"""Where the sentence of one rule ends and that of another begins, with the name of its column."""


@value
class Rule:
    """One rule that rows broke."""

    cause: Cause
    example: str
    """What is wrong with one of its first rows, masked as in the outcome; empty when that is not at hand."""


def rules(causes: Iterable[Cause], sentences: Mapping[int, str]) -> tuple[Rule, ...]:
    """The rules that quarantined rows, the most frequent first; `sentences`: reasons by source row."""
    refused = [cause for cause in causes if cause.outcome == Outcome.QUARANTINED]
    ordered = sorted(refused, key=lambda cause: (-cause.rows, cause.reason_code))
    return tuple(Rule(cause, _example(cause, sentences)) for cause in ordered)


def _example(cause: Cause, sentences: Mapping[int, str]) -> str:
    """The sentence of a row that broke this rule; of a row that broke several, the part that names its column."""
    column = cause.reason_code.partition(":")[2]
    told = [sentences[row] for row in cause.examples if row in sentences]
    for sentence in sorted(told, key=lambda sentence: sentence.count(";")):
        place, _, words = sentence.partition(": ")
        parts = ANOTHER.split(words)
        return f"{place}: {next((part for part in parts if column and part.startswith(column)), words)}"
    return ""
