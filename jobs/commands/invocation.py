"""A command under way, as what it calls may know it, and the end of a run as it is told to others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import MusterError

if TYPE_CHECKING:
    from threading import Thread

    from jobs.clock import Clock
    from jobs.operations.notices import Notice
    from jobs.settings.settings import Settings


@dataclass
class Invocation:
    """A command under way; the object of click's context."""

    clock: "Clock | None" = None
    """What it tells the time by, from outside; None: nobody gave one."""
    document: bool = False
    """Whether the one JSON document is on its way to stdout."""
    settings: "Settings | None" = None
    """Of a command that makes a run, whose end is told even if it fails; None: of every other, or not known yet."""
    start: "Thread | None" = None
    """Tells the beginning to the dead man's switch, beside the run; None: nobody is told, or not yet."""

    def begin(self, settings: "Settings") -> None:
        """A command that makes a run has its settings: its end will be told, and its beginning is."""
        self.settings = settings
        if settings.ping is not None and self.start is None:
            from jobs.operations.deliver import beginning

            self.start = beginning(settings)

    def tell_failure(self, error: MusterError) -> None:
        """Tells the end of a run that failed to whom the settings name; once, and whatever happens there."""
        settings, self.settings = self.settings, None
        if settings is None or self.clock is None or not told_to_somebody(settings):
            return
        from jobs.operations.notices import of_failure

        tell(of_failure(error, settings.job_name.job, settings.tenant), settings, self.clock, self.start)


def told_to_somebody(settings: "Settings") -> bool:
    """Whether somebody wants to hear of the end."""
    return any(each is not None for each in (settings.notify, settings.ping, settings.metrics, settings.otlp))


def tell(notice: "Notice", settings: "Settings", clock: "Clock", start: "Thread | None" = None) -> None:
    """Tells the notice to all whom the settings name; what goes wrong there changes nothing of the end.

    `start`: what tells the beginning, which comes first.
    """
    from jobs.commands.options import say
    from jobs.operations.deliver import deliver

    try:
        deliver(notice, settings, clock, lambda words: say(f"muster: {words}", err=True), start)
    except BaseException as error:  # a signal too: the end that was to be told stands
        say(f"muster: the notice was given up: {type(error).__name__}", err=True)
