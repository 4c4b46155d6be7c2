"""Time, sleep and randomness enter the program here, so that a test can replace all three.

Two clocks: the wall's, which jumps and is for people and files; and that of the boot, which never goes back while the
machine runs and is the same for all processes of it. Whatever waits, expires or counts uses the second one.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from uuid import uuid4

from jobs.value import value

_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux counts a suspended machine's time too, as the target does; elsewhere that time is not seen."""

BOOT_ID, TIME_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/timens_offsets")


@value
class Stamp:
    """One moment on two clocks, in whole milliseconds: comparable with others of its `boot`, and readable for people.

    `up_ms`: on the clock of that boot. `wall_ms`: since 1970 UTC, of whatever the wall clock showed.
    """

    boot: str
    up_ms: int
    wall_ms: int


@dataclass(slots=True)
class Clock:
    """The real clock. A simulated one overrides the methods."""

    random: Random = field(default_factory=SystemRandom)
    """Only for jitter, run ids and the mark of a process; never for keys."""

    def now(self) -> datetime:
        """The wall clock in UTC. For what people read and for comparing with the target's times."""
        return datetime.now(UTC)

    def boot(self) -> str:
        """Names the boot whose clock `monotonic` is: two processes that give the same one share it."""
        return boot_id()

    def monotonic(self) -> float:
        """Seconds of the boot, which never go backwards. For waiting, back-off and windows, also of the ledger."""
        return time.clock_gettime(_BOOT_CLOCK)

    def stamp(self) -> Stamp:
        """This moment, as the ledger keeps it."""
        return Stamp(self.boot(), int(self.monotonic() * 1000), milliseconds(self.now()))

    def wait(self, seconds: float) -> None:
        """Blocks this thread for `seconds`."""
        time.sleep(max(0.0, seconds))

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds` (0 or less: gives way once)."""
        await asyncio.sleep(max(0.0, seconds))

    async def pause(self, seconds: float, until: asyncio.Event) -> bool:
        """Waits `seconds`, or less when `until` is set meanwhile; whether it was."""
        if not until.is_set() and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await until.wait()
            except TimeoutError:
                pass
        return until.is_set()


@cache
def boot_id() -> str:
    """The kernel's random id of this boot, and how far the time namespace of this process is off, where it is.

    Containers of one kernel share it. Where there is none, a name for this process alone: then nobody else's times
    can be compared with its own.
    """
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return f"process-{uuid4().hex}"
    return boot + _namespace_offset()


def _namespace_offset() -> str:
    """By which the boot's clock differs in this time namespace, such as `+3600.0`; empty in the first one."""
    try:
        lines = TIME_NAMESPACE.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):  # a kernel without such namespaces
        return ""
    offsets = {words[0]: ".".join(words[1:]) for line in lines if (words := line.split())}
    offset = offsets.get("boottime", "0.0")
    return "" if offset == "0.0" else f"+{offset}"


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC, the ledger's form of a time."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(moment_ms: int) -> datetime:
    """The time that the ledger recorded, in UTC."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def iso(moment: datetime) -> str:
    """UTC with milliseconds and a `Z`: `2026-11-21T02:15:00.000Z`, the form of every file."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
