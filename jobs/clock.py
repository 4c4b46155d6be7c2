"""Time, sleep and randomness enter the program here, so that a test can replace all three."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random, SystemRandom


@dataclass(slots=True)
class Clock:
    """The real clock. A simulated one overrides the methods."""

    random: Random = field(default_factory=SystemRandom)
    """Only for jitter and run ids; never for keys."""

    def now(self) -> datetime:
        """The wall clock in UTC. For what people read and for comparing with the target's times."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go backwards. For waiting, back-off and windows."""
        return time.monotonic()

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


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC, the ledger's form of a time."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(moment_ms: int) -> datetime:
    """The time that the ledger recorded, in UTC."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def iso(moment: datetime) -> str:
    """UTC with milliseconds and a `Z`: `2026-11-21T02:15:00.000Z`, the form of every file."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
