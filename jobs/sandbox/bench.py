"""What every system of one sandbox shares: settings, clock, journal, faults."""

from collections.abc import Callable, Mapping

from jobs.sandbox.clock import Clock
from jobs.sandbox.faults import Faults
from jobs.sandbox.journal import Journal
from jobs.sandbox.settings import Settings, changed


class Bench:
    """The shared state. `reset` takes it back to the settings of the start."""

    def __init__(self, settings: Settings) -> None:
        self._start = settings
        self.clock = Clock()
        self.checks: list[Callable[[Settings], object]] = []
        """What a system demands of the settings; each raises ValueError for those that it can't work with."""
        self.reset()

    def reset(self) -> None:
        """The state right after the start: no arrivals, no faults, the first settings."""
        self.settings = self._start
        self.clock.offset = self._start.clock_offset
        self.journal = Journal(self.clock)
        self.faults = Faults()

    def change(self, changes: Mapping[str, object]) -> Settings:
        """Applies settings from now on; ValueError leaves them as they were."""
        settings = changed(self.settings, changes)
        for check in self.checks:
            check(settings)
        self.settings = settings
        self.clock.offset = self.settings.clock_offset
        return self.settings
