"""Which rows that were complete before a run its fresh read takes: some by chance, and all that no run has read yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Self

from jobs.ledger.history import Span, ended_so
from jobs.ledger.last_changed import changed_by, rows_changed_by
from jobs.ledger.store import Store
from jobs.model import MatchClass, Outcome
from jobs.reconciliation.compare import Claim
from jobs.reports.not_read import NotRead

BEFORE = Outcome.ALREADY_ONBOARDED

LEFT = "complete before this run, and not taken by chance to be read again (--reread)"

READS_ALL = "muster reconcile does, and a run with a larger --reread"


@dataclass(slots=True)
class ReadAgain:
    """Takes all claims but those of `rows` rows that were complete before: of these about `most`, by chance.

    `unread`: source rows that are taken all the same, in input order. Claims come in input order too.
    """

    most: int
    rows: int
    unread: Iterator[int]
    random: Random
    left: int = 0
    """Rows that were not taken so far."""
    _next: int = 0

    @classmethod
    def of(cls, store: Store, run_id: str, most: int, random: Random, span: Span | None = None) -> Self:
        """Those of a run that has come to all of its rows, or to all of a `span` of them."""
        counted = store.outcome_counts(run_id).get(BEFORE, 0) if span is None else ended_so(store, run_id, BEFORE, span)
        if counted <= most:
            return cls(most, counted, iter(()), random)
        changed = changed_by(store, run_id, BEFORE, span)
        unread = [each for each in changed if not was_read(store, each)]
        rows = counted - sum(changed[each] for each in unread)
        return cls(most, rows, rows_changed_by(store, run_id, BEFORE, unread, span), random)

    @property
    def spared(self) -> int:
        """How many rows are left in all, about."""
        return max(0, self.rows - self.most)

    def takes(self, claim: Claim) -> bool:
        """Whether the row of `claim` is read."""
        if claim.outcome is not BEFORE or not self.spared:
            return True
        while 0 <= self._next < claim.source_row:
            self._next = next(self.unread, -1)
        if self._next == claim.source_row or self.random.random() * self.rows < self.most:
            return True
        self.left += 1
        return False

    def told(self, found: NotRead) -> NotRead:
        """`found` with the rows that were not taken."""
        return found.and_more(LEFT, self.left, complete=self.left) if self.left else found


def was_read(store: Store, run_id: str) -> bool:
    """Whether the fresh read of a run, or of a later one over the same file, left nothing unverified.

    A run that was interrupted has read nothing; the one that goes on with its file reads its rows for it.
    """
    run = store.run(run_id)
    runs = [] if run is None else store.runs_of_batch(run)
    since = next((place for place, each in enumerate(runs) if each.run_id == run_id), len(runs))
    found = ((each.summary or {}).get("reconciliation") for each in runs[since:])
    return any(isinstance(counts, dict) and any(counts.values()) and not counts.get(UNVERIFIED) for counts in found)


UNVERIFIED = MatchClass.UNVERIFIED.value
