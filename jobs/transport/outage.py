"""Whether the target answers at all. While it does not, nothing is sent but one probe at a time, with growing pauses.

    three calls in a row fail,
    or one finds no connection ─▶ a probe at once ─ answered ─▶ it was those calls: they go on
                                                 ─ fails ────▶ pause, probe, pause, … ─▶ answered: all go on
                                                                                      ─▶ too long: Unreachable

A probe repeats a read that went well, of another operation than the calls that failed where there is one: so it costs
no row an attempt, and what breaks by itself is not taken for an outage. Where one request fails alone and nothing else
was read, the probe asks for the target's root: whoever answers that is there. An outage is no refusal: nothing is known
of the credential, the file or the rows then.
"""

import asyncio
from collections.abc import Awaitable, Callable

from jobs.clock import Clock
from jobs.errors import Unreachable
from jobs.systems.messages import CallClass, Request
from jobs.transport.limiter import Closed
from jobs.value import value

WAIT_SECONDS = 600.0
"""How long an outage may last (the contract's default)."""

START_SECONDS = 15.0
"""The same for a target that was not reached yet: the contract's 20 s, less what a start takes (chosen)."""

SUSPECT = 3
"""Chosen: so many failures in a row, with nothing that went well between them, are looked into."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two probes: each pause is twice as long as the one before (chosen)."""

READS = {CallClass.READ, CallClass.DOWNLOAD}

ANYTHING = Request("probe", "GET", "/", anonymous=True)
"""The probe of a job that has read nothing: whoever answers it, with whatever but a 5xx, is there."""


@value
class Trouble:
    """Why a call failed, in words for the operator."""

    why: str
    unsent: bool = False
    """There was no connection, so that the request itself can't be the cause."""
    asked: float = 0.0
    """Seconds after which the target asks to be called again."""


Ask = Callable[[Request], Awaitable[Trouble | None]]
"""Sends a probe; None when it was answered as it should be."""


def repeatable(request: Request) -> bool:
    """Whether it may be sent as a probe: a plain read at the target's own address, with our credential."""
    plain = request.method in {"GET", "HEAD"} and request.call_class is CallClass.READ
    return plain and request.base_url is None and not request.anonymous


class Outage:
    """One target as all clients of a command see it. `place` is its host and port."""

    def __init__(
        self,
        clock: Clock,
        place: str,
        *,
        wait_seconds: float = WAIT_SECONDS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.clock, self.place, self.wait_seconds, self.tell = clock, place, wait_seconds, tell
        self.reached = False
        """Whether anything ever answered there."""
        self.waited = 0.0
        """Seconds of all outages that are over."""
        self._since: float | None = None
        self._trouble = Trouble("")
        self._failures = self._pauses = 0
        self._failing: set[Request] = set()
        """Reads, some of them: whether it is more than one is what counts."""
        self._known: dict[str, Request] = {}
        """The newest read of each operation that went well, the newest of all last."""
        self._probing = self._told = False
        self._next_at = 0.0
        self.ended: Unreachable | None = None
        """That an outage lasted too long: from then on nothing is sent any more."""
        self._alone: Request | None = None
        self._changed = asyncio.Event()

    @property
    def lasts(self) -> bool:
        """Whether calls have to wait."""
        return self._since is not None

    @property
    def left(self) -> float:
        """Seconds that are left until the outage has lasted too long; all of them while there is none."""
        most = self.wait_seconds if self.reached else min(self.wait_seconds, START_SECONDS)
        return most if self._since is None else self._since + most - self.clock.monotonic()

    def answered(self, request: Request | None = None) -> None:
        """A call went well; `request` when it can be repeated as a probe."""
        self._failures, self._alone = 0, None
        self._failing.clear()
        if request is not None and repeatable(request):
            self._known.pop(request.operation, None)
            self._known[request.operation] = request
        if self._since is None or self.ended is not None:
            return
        seconds = self.clock.monotonic() - self._since
        self.waited += seconds if self._told else 0.0
        if self._told:
            self.tell(f"{self.place} answers again, after {seconds:,.0f} s")
        self._over()

    def failed(self, request: Request, trouble: Trouble) -> None:
        """A call failed; the next ones wait when it was one too many."""
        self._failures += 1
        self._trouble = trouble
        if len(self._failing) < SUSPECT and request.call_class in READS:
            self._failing.add(request)
        suspect = trouble.unsent or self._failures >= SUSPECT  # no connection: no further attempts are spent on it
        if self._since is None and suspect and request != self._alone:
            self._begin(self.clock.monotonic())

    async def passage(self, request: Request, ask: Ask, closed: asyncio.Event) -> bool:
        """Waits until the target answers; whether there was an outage, and not calls alone that failed by themselves.

        Raises Unreachable when that takes too long, Closed when the run stops.
        """
        earnest = False
        while self._since is not None:
            await self._turn(closed)
            earnest = earnest or self._told
            if self._since is None or self._probing:
                continue
            self._probing = True
            probe = self._probe(request)
            try:
                trouble = await ask(probe)
            finally:
                self._probing = False
                self._wake()
            if trouble is None and probe is ANYTHING and self._is_alone:
                self._leave_alone()
            elif trouble is None:
                self.answered()
            else:
                self._trouble = trouble
                self._again()
                earnest = True
        return earnest

    async def rest(self, trouble: Trouble, since: float, closed: asyncio.Event) -> None:
        """The pause before a login that was begun at `since` (monotonic) is tried again.

        Raises Unreachable and Closed like `passage`.
        """
        self._trouble = trouble
        if self._since is None:
            self._begin(since)
        self._again()
        if self.ended is not None:
            raise self.ended
        await self._turn(closed, alone=False)  # a probe may itself be waiting for this login

    def unreachable(self, why: str) -> Unreachable:
        """That it lasted too long, said now and to all who still wait."""
        if self.ended is None:
            self.ended = Unreachable(
                f"{self.place} can't be reached: {why}; nothing is wrong with the file or the credential",
                hint="run it again",
            )
        self._since = self.clock.monotonic() if self._since is None else self._since
        self._wake()
        return self.ended

    def wake(self) -> None:
        """Whoever waits looks again whether the run stops."""
        self._wake()

    async def _turn(self, closed: asyncio.Event, *, alone: bool = True) -> None:
        """Returns when the next try is due, `alone` when no probe is under way, or when the outage is over."""
        while self._since is not None:
            if self.ended is not None:
                raise self.ended
            if closed.is_set():
                raise Closed
            seconds = self._next_at - self.clock.monotonic()
            busy = alone and self._probing
            if not busy and seconds <= 0:
                return
            await self.clock.pause(LONGEST_PAUSE if busy else seconds, self._changed)

    def _probe(self, request: Request) -> Request:
        failing = {each.operation for each in self._failing}
        newest = list(reversed(self._known.values()))
        others = [each for each in newest if each.operation not in failing]
        same = [each for each in newest if each not in self._failing]
        if others or same:
            return (others or same)[0]
        return request if request.call_class in READS and not self._is_alone else ANYTHING

    @property
    def _is_alone(self) -> bool:
        """Whether a target that was reached fails one read only, and nothing else was ever read from it."""
        return len(self._failing) == 1 and self._failing.issuperset(self._known.values()) and not self._trouble.unsent

    def _leave_alone(self) -> None:
        """One request that failed all alone proves no outage: that row's own attempts go on."""
        self._alone = next(iter(self._failing))
        self._over()

    def _begin(self, since: float) -> None:
        self._since = since
        self._next_at = self.clock.monotonic() + self._trouble.asked
        self._pauses, self._told = 0, False

    def _again(self) -> None:
        """A probe failed: a longer pause, unless it lasted too long."""
        left, asked = self.left, self._trouble.asked
        if left <= 0 or asked > left:
            self._give_up()
            return
        if not self._told:
            self._told = True
            self.tell(f"{self.place} does not answer ({self._trouble.why}): waiting for it, up to {left:,.0f} s")
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._pauses, 30))
        pause = max(longest * self.clock.random.uniform(0.75, 1.0), asked)  # processes come back one after the other
        self._pauses += 1
        self._next_at = self.clock.monotonic() + min(pause, left)
        self._wake()

    def _give_up(self) -> None:
        """It lasted too long."""
        if self._is_alone:
            self._leave_alone()
        else:
            self.unreachable(self._trouble.why)

    def _over(self) -> None:
        self._since = None
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
