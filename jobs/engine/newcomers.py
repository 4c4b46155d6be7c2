"""Who is nobody yet: rows that one listing of the target shows to be new need not be looked for one by one.

It only ever spares a look that would find nobody: whoever has anything in common with a listed customer is looked for,
and so is everybody once the listing is old, incomplete, or was found wanting.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence

from jobs.clock import Clock
from jobs.engine.case import Case
from jobs.errors import NotPermitted, Unreachable
from jobs.systems.contract import System
from jobs.systems.listing import pages_worth
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.row import Row
from jobs.systems.verdict import Absent
from jobs.transport.limiter import Closed

HOLDS_SECONDS = 600.0
"""How long a listing is believed (chosen). Whoever comes meanwhile is met by the create's key, as after a search."""

TRIED = 3
"""Rows that are looked for all the same, so that a listing which shows too few is noticed (chosen)."""

HASH_MASK = (1 << 64) - 1


class Newcomers:
    """What a listing says of the rows of one run."""

    def __init__(
        self, system: System, reader: Reader, clock: Clock, at_once: int, worth: Callable[[int, int], int] = pages_worth
    ) -> None:
        """`at_once`: how many rows are looked for at a time. `worth`: how many pages that many reads are worth."""
        self.system, self.reader, self.clock, self.at_once, self.worth = system, reader, clock, at_once, worth
        self.way = "by looking for each row"
        """How it is found out who is there, and why so; for people."""
        self._offered = True
        self._listed = False
        self._marks = array("Q")
        self._kinds: frozenset[str] = frozenset()
        self._read_at = 0.0
        self._served = 0
        self._least = 0
        """Pages that a listing has at least, as far as that is known."""

    async def expect(self, cases: Sequence[Case], more: int) -> None:
        """Lists the target where `cases`, and about `more` rows after them, make it worth that.

        Never raises for what the target answers: without a listing each row is looked for.
        """
        if not self._offered or self.fresh or not self.system.capabilities.lists_customers:
            return
        new = [case for case in cases if not case.resumed and self.system.marks(case.row)]
        rows = len(new) + more if new else 0
        if self._listed:  # how many rows the last one served says what another one is worth
            rows = min(rows, self._served)
        spared = rows * self.system.capabilities.reads.searching
        self._listed = False
        most = self.worth(spared, self.at_once)
        if most == 0 or most < self._least:
            self.way = f"by looking for each row: a listing would spare {spared:,} reads, and cost more"
            return
        try:
            if await self._read(most):
                await self._try([case for case in new if self.new(case.row)][:TRIED])
        except (ReadFailed, NotPermitted) as error:
            self._do_without(str(error))
        except (Closed, Unreachable):
            self._offered = self._listed = False  # whoever looks next is told

    @property
    def pages(self) -> int | None:
        """Those of the listing that says now who is new; None: there is none."""
        return self._least if self._listed else None

    @property
    def fresh(self) -> bool:
        """Whether a listing is there and not too old."""
        return self._listed and not self.stale

    @property
    def stale(self) -> bool:
        """Whether there is a listing that is too old."""
        return self._listed and self.clock.monotonic() - self._read_at >= HOLDS_SECONDS

    def new(self, row: Row) -> bool:
        """Whether nobody listed has anything of the row's."""
        if not self.fresh:
            return False
        self._served += 1
        marks = self.system.marks(row)
        told = not self._marks or {mark[0] for mark in marks} <= self._kinds
        return bool(marks) and told and not any(map(self._has, marks))

    def _has(self, mark: str) -> bool:
        digest = hash(mark) & HASH_MASK
        place = bisect_left(self._marks, digest)
        return place < len(self._marks) and self._marks[place] == digest

    async def _read(self, most: int) -> bool:
        """Whether a listing of up to `most` pages tells who is there."""
        found, kinds, pages, customers, began = array("Q"), set[str](), 0, 0, self.clock.monotonic()
        async for page in self.system.listing(self.reader):
            pages, customers = pages + 1, customers + len(page)
            if pages > most:
                self.way, self._least = f"by looking for each row: {most:,} pages do not list the target", 2 * most
                return False
            for each in page:
                if each.marks is None:
                    self._do_without("a listing does not show by what customers are told apart")
                    return False
                found.extend(hash(mark) & HASH_MASK for mark in each.marks)
                kinds.update(mark[0] for mark in each.marks)
        self._marks, self._kinds, self._read_at = array("Q", sorted(found)), frozenset(kinds), began
        self._listed, self._served, self._least = True, 0, pages
        self.way = f"from a listing of {customers:,} customers ({pages:,} pages); only whom it may show is looked for"
        return True

    async def _try(self, cases: Sequence[Case]) -> None:
        """Gives the listing up when a look finds somebody for a row that it shows to be new."""
        for case in cases:
            step = self.system.steps_of(case.row)[0]
            if not isinstance(await step.look(self.reader, case.view(step.name)), Absent):
                self._do_without("somebody who is there is not listed")
                return

    def _do_without(self, why: str) -> None:
        self._listed = self._offered = False
        self.way = f"by looking for each row: {why}"
