"""The nouns of the program and the values that they may take; no behaviour, no I/O.

Every name that reaches a user's file (`Outcome`, `MatchClass`) is stable: scripts compare with it.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from jobs.value import value


class Outcome(StrEnum):
    """How an input row ended. Each row of a run has exactly one."""

    ONBOARDED = "onboarded"
    """Every step done by this run, or by this run finishing an earlier one."""
    ALREADY_ONBOARDED = "already_onboarded"
    """Proven complete before this run; this run changed nothing."""
    QUARANTINED = "quarantined"
    """Failed validation; nothing was sent."""
    CONFLICT = "conflict"
    """Another customer holds the phone, identity or key, or it cannot be proven ours."""
    REJECTED = "rejected"
    """The target refused the data."""
    DECLINED = "declined"
    """Negative decision at the target (KYC failed); no wallet."""
    NOT_ELIGIBLE = "not_eligible"
    """No wallet type allowed, or not the one asked for."""
    PENDING = "pending"
    """Unfinished: the decision is outstanding, or the run was interrupted between two steps."""
    FAILED = "failed"
    """Attempts used up; provably not done; safe to retry."""
    IN_DOUBT = "in_doubt"
    """A write may have been applied and reading could not settle it; needs a person."""
    NOT_ATTEMPTED = "not_attempted"
    """The run stopped before this row's first write."""


RESUMABLE = frozenset({Outcome.PENDING, Outcome.NOT_ATTEMPTED, Outcome.IN_DOUBT})
"""Outcomes that `run` and `resume` go on with; `retry` also takes `failed`. All others are final."""

COMPLETE = frozenset({Outcome.ONBOARDED, Outcome.ALREADY_ONBOARDED})
"""Outcomes of rows that have all that was to be made for them."""

ATTENTION = frozenset(
    {
        Outcome.QUARANTINED,
        Outcome.CONFLICT,
        Outcome.REJECTED,
        Outcome.DECLINED,
        Outcome.NOT_ELIGIBLE,
        Outcome.FAILED,
        Outcome.IN_DOUBT,
        Outcome.NOT_ATTEMPTED,
    }
)
"""Outcomes that make a run end with 1: a person has to look at the row."""


class MatchClass(StrEnum):
    """How a row compares with a fresh read of the target."""

    MATCH = "match"
    FIELD_DIFFERENCE = "field_difference"
    STATUS_DIFFERENCE = "status_difference"
    PARTIAL = "partial"
    MISSING_IN_TARGET = "missing_in_target"
    ONLY_IN_TARGET = "only_in_target"
    AMBIGUOUS = "ambiguous"
    UNVERIFIED = "unverified"
    NOT_SENT = "not_sent"


AGREEING = frozenset({MatchClass.MATCH, MatchClass.NOT_SENT})
"""Classes that say that a row is as it should be."""

DIFFERING = frozenset(MatchClass) - AGREEING - {MatchClass.UNVERIFIED}
"""Classes that are a difference: they make `run` and `reconcile` end with 1. What was not read is none."""


class Origin(StrEnum):
    """Who made the customer that a row ended with."""

    CREATED = "created"
    """A request of ours made it, in this run or an earlier one that the ledger knows."""
    ADOPTED = "adopted"
    """Found at the target and proven ours by its key."""


@value
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


@value
class Secrets:
    """What the operator gave: identity and password, or a token. Never written, never shown."""

    identity: str | None = None
    password: str | None = None
    token: str | None = None
    keep: Callable[[str], None] | None = None
    """Keeps the successor of `password` where that came from; None: it can't be kept."""
    private_key: str | None = None
    """PEM, for systems that take a signature in the place of a password."""

    def __repr__(self) -> str:
        return "Secrets(***)"

    def succeeded(self, password: str) -> "Secrets":
        """With `password` in the place of the one that it was exchanged for, kept for the next run."""
        if self.keep is not None and password != self.password:
            self.keep(password)
        return replace(self, password=password)
