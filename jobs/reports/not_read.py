"""What a comparison with the target could not read: how many rows, and why. It is no difference, and no match."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from jobs.value import value

MOST_CAUSES = 20
"""Causes that are told apart (chosen): a cause may name a customer, and then each row has its own."""

OTHER = "other causes"


@value
class NotRead:
    """Rows by cause, and how many of them the ledger calls complete."""

    causes: Mapping[str, int] = field(default_factory=dict)
    complete: int = 0

    @property
    def rows(self) -> int:
        """How many rows were not read, or not to their end."""
        return sum(self.causes.values())

    def document(self) -> dict[str, object]:
        """What `summary.json` holds under `not_read`."""
        return {"rows": self.rows, "complete": self.complete, "causes": dict(self.causes)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "NotRead":
        """What an earlier `summary.json` holds of it; nothing where an older muster wrote it."""
        return cls.read(document.get("not_read") or {})

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "NotRead":
        """What `document` gave."""
        return cls(dict(found.get("causes", {})), int(found.get("complete", 0)))

    def and_those(self, other: "NotRead") -> "NotRead":
        """Both together."""
        whole = replace(self, complete=self.complete + other.complete)
        for cause, rows in other.causes.items():
            whole = whole.and_more(cause, rows, complete=0)
        return whole

    def and_more(self, cause: str, rows: int = 1, *, complete: int) -> "NotRead":
        """With `rows` more, of which the ledger calls `complete` so."""
        known = cause if cause in self.causes or len(self.causes) < MOST_CAUSES else OTHER
        causes = {**self.causes, known: self.causes.get(known, 0) + rows}
        return NotRead(causes, self.complete + complete)


ALL_READ = NotRead()
