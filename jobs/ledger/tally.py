"""How rows ended, in the numbers that a run is stopped for; of one shard, or of several together."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """How rows ended."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    """Rows that were worked on."""
    errors: int = 0
    """Those of them that came to need attention."""
    in_a_row: int = 0
    """The newest of them that failed or are in doubt, one after the other."""
    causes: Counter[str] = field(default_factory=Counter)
    """Of those errors."""

    def told(self) -> str:
        """As the ledger has it."""
        numbers = {"sent": self.sent, "errors": self.errors, "in_a_row": self.in_a_row}
        return json.dumps({**numbers, "outcomes": self.outcomes, "causes": self.causes}, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> "Tally":
        """What `told` gave."""
        found = json.loads(text)
        numbers = (found["sent"], found["errors"], found["in_a_row"])
        return cls(Counter(found["outcomes"]), *numbers, Counter(found["causes"]))

    @classmethod
    def of(cls, tallies: Iterable["Tally"]) -> "Tally":
        """All of them together."""
        whole = cls()
        for each in tallies:
            whole.outcomes += each.outcomes
            whole.causes += each.causes
            whole.sent, whole.errors = whole.sent + each.sent, whole.errors + each.errors
            whole.in_a_row += each.in_a_row
        return whole
