"""Where a command works. Apart from the run's own context, because reading a file needs no more of it."""

from pathlib import Path

from jobs.clock import Clock
from jobs.progress import Progress
from jobs.value import value


@value
class Place:
    """Where and when a command works, and whom it tells."""

    work: Path
    """A private folder for files on the way; removed at the end."""
    clock: Clock
    progress: Progress
