"""The workers of a run as its leader knows them: which it started, which have ended, when the next may start."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count

from jobs.clock import Clock
from jobs.errors import ExitCode, Unusable
from jobs.run.engines import Engine, Names

MOST_FAILED = 3
"""So many workers may end one after the other without having had a shard (chosen)."""

AGAIN_SECONDS = 1.0
"""After a worker that ended badly the next one starts so much later (chosen)."""

REFUSED = f"exit code {int(ExitCode.PERMISSION)}"
"""How a worker ends whose credential is refused, or missing: the next one would fare alike."""

NOTHING_WRONG = frozenset({int(ExitCode.OK), int(ExitCode.PENDING), int(ExitCode.LOCKED)})
"""Codes of workers that ended because there was nothing left for them."""


@dataclass(slots=True)
class Staff:
    """The workers of one run."""

    engine: Engine
    names: Names
    """What each of them is told, but for its own name."""
    most: int
    """How many work at the same time."""
    clock: Clock
    running: set[str] = field(default_factory=set)
    """Those that were started and have not ended, as far as the engine says."""
    ended: set[str] = field(default_factory=set)
    """Those that were started and have ended: what they had is nobody's."""
    failures: list[str] = field(default_factory=list)
    """How those ended that ended badly one after the other, none of which had a shard."""
    _had: bool = False
    """Whether any of them has had a shard."""
    _not_before: float = 0.0
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def refused(self) -> bool:
        """Whether the last of them ended because its credential was refused, or not to be had."""
        return self.failures[-1:] == [REFUSED]

    def bury(self, busy: Collection[str]) -> str | None:
        """Hears who has ended. What is to be said when too many ended badly, else None.

        `busy`: who had a shard at the last look; what becomes of those is for their shards to tell.
        """
        for worker, code in self.engine.ended().items():
            self.running.discard(worker)
            self.ended.add(worker)
            if worker in busy:
                self.failures.clear()
            elif code not in NOTHING_WRONG:
                self._fail(f"exit code {code}" if code >= 0 else f"signal {-code}")
        self._had = self._had or bool(busy)
        failed = len(self.failures)
        if failed > MOST_FAILED or (self.refused and not self._had):
            return f"{failed} workers ended without having had a shard, the last one with {self.failures[-1]}"
        return None

    def start(self, busy: Collection[str], free: int) -> None:
        """Starts as many as there are shards free, beside those who are about to take one."""
        idle = len(self.running.difference(busy))
        if self.running.intersection(busy):
            self.failures.clear()
        while idle < free and len(self.running) < self.most and self.clock.monotonic() >= self._not_before:
            worker = f"worker-{next(self._numbers)}"
            try:
                self.engine.start(Names(self.names.run, self.names.ledger, worker))
            except Unusable as error:
                return self._fail(error.message)
            self.running.add(worker)
            idle += 1
        return None

    def _fail(self, how: str) -> None:
        self.failures.append(how)
        self._not_before = self.clock.monotonic() + AGAIN_SECONDS
