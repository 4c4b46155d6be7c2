"""A history is made of parts that have names: each can be left out, and a failing one shrinks to what matters.

Parts are rows (`row2`, `persona2`), liberties of the target (`manner-page`), runs (`run3`) with what happens in them
(`death3`, `stop3`, `clock3`, `settings3`), faults of single calls (`2/create_wallet/1`: row, operation, how-manieth
such call of that row) and `order`, the order of callbacks. A death that is bound to a place is
`death3@after-create_wallet-2/create_wallet/1#1`.
"""

from dataclasses import dataclass, field
from random import Random


@dataclass
class Parts:
    """What happens in the history of a seed. Every draw has a generator of its own, so that none changes another."""

    seed: int
    only: frozenset[str] | None = None
    """The parts that are kept; None: all."""
    used: dict[str, None] = field(default_factory=dict)
    """Those that happened, in order."""
    places: dict[str, str] = field(default_factory=dict)
    """Where deaths came."""

    def dice(self, *name: object) -> Random:
        """The generator of one draw."""
        return Random(" ".join(map(str, (self.seed, *name))))

    def happens(self, part: str) -> bool:
        """Whether `part` is kept."""
        if self.only is not None and part not in self.only:
            return False
        self.used[part] = None
        return True

    def place_of(self, part: str) -> str | None:
        """The place that a death is bound to; None when it comes where the seed says."""
        bound = next((each for each in self.only or () if each.startswith(f"{part}@")), None)
        return None if bound is None else bound.partition("@")[2]
