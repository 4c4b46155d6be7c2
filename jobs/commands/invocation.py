"""A command under way, as what it calls may know it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.clock import Clock


@dataclass
class Invocation:
    """A command under way; the object of click's context."""

    clock: "Clock | None" = None
    """What it tells the time by, from outside; None: nobody gave one."""
    document: bool = False
    """Whether the one JSON document is on its way to stdout."""
