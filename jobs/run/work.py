"""What a worker of a run is given."""

from pathlib import Path

from jobs.clock import Clock
from jobs.engine.opening import Taking
from jobs.keys import Pseudonyms
from jobs.ledger.rows import RunRow
from jobs.ledger.shards import Leader
from jobs.ledger.store import Store
from jobs.model import RESUMABLE, Outcome
from jobs.progress import Progress
from jobs.run.engines import Names
from jobs.settings.settings import Settings
from jobs.systems.contract import System
from jobs.value import value


@value
class Work:
    """What a worker is given: it does not change while it works."""

    names: Names
    run: RunRow
    settings: Settings
    system: System
    store: Store
    leader: Leader
    accepted: Path
    """The file of the rows that passed validation."""
    pseudonyms: Pseudonyms
    clock: Clock
    progress: Progress

    @property
    def taking(self) -> Taking:
        """Which outcomes of earlier runs its run goes on with."""
        return Taking(RESUMABLE | {Outcome.FAILED}) if self.run.command == "retry" else Taking()
