"""What runs the workers of a run: processes of this machine (`local_engine.py`), or whoever else starts them.

An engine decides where a worker works and says when it ended. What is true stands in the ledger: which shards there
are, who has them, how far they are.
"""

from collections.abc import Mapping
from typing import Protocol

from jobs.value import value


@value
class Names:
    """All that a worker is told. Never a row, never a secret: those it finds where it works."""

    run: str
    ledger: str
    """The ledger's URL; it holds no password."""
    worker: str = ""
    """Whom the leader knows it as; empty: the leader did not start it."""
    shard: int | None = None
    """The one shard that it works on; None: one after the other, as long as one is free."""

    @property
    def arguments(self) -> list[str]:
        """The command that works so: `muster` with these arguments."""
        given = ["run-shard", "--run", self.run, "--ledger", self.ledger]
        given += [] if self.shard is None else ["--shard", str(self.shard)]
        return given + (["--worker", self.worker] if self.worker else [])


class Engine(Protocol):
    """Starts workers, and ends them. Called by the leader alone, one call at a time; none may block for long."""

    def start(self, names: Names) -> None:
        """Has a worker work as `names` say, here or elsewhere, now or once there is room. Raises Unusable."""

    def ended(self) -> Mapping[str, int]:
        """Says which workers have ended since it was asked last, with their exit codes; below 0: it was killed."""

    def cancel(self, worker: str) -> None:
        """Ends a worker at once, however it stands; nothing for one that has ended."""

    def close(self) -> None:
        """Ends all workers that are left."""


class Elsewhere:
    """The engine of a run whose workers somebody else starts: a scheduler's indexed job, a person."""

    def start(self, names: Names) -> None:
        """Nothing: they come by themselves."""

    def ended(self) -> Mapping[str, int]:
        """Nobody: what the ledger says has to do."""
        return {}

    def cancel(self, worker: str) -> None:
        """Nothing: it has lost its shard, and hears of it."""

    def close(self) -> None:
        """Nothing: they end by themselves when there is nothing left."""
