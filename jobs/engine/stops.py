"""Why a run stops before its end: signals, the deadline, the operator's policies, a refused credential, an outage."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from jobs.clock import Clock
from jobs.errors import ExitCode, MusterError, Unreachable, strongest
from jobs.ledger.tally import Tally
from jobs.model import ATTENTION, Outcome
from jobs.value import value

BROKEN = frozenset({Outcome.FAILED, Outcome.IN_DOUBT})
"""Outcomes that say more about the target than about the row."""

DEADLINE_LOOK_SECONDS = 0.05
"""So often a run looks at the wall clock, which may be set while it works, whether its deadline has passed (chosen)."""

UNTOUCHED = frozenset({Outcome.QUARANTINED, Outcome.NOT_ATTEMPTED})
"""Outcomes of rows that were never sent: no policy counts them."""


@value
class ErrorBudget:
    """How many rows may come to need attention in a run before it stops itself: more than `rows` stop it.

    Rows that validation refused are for `--max-quarantined`; rows that an earlier run left so count nowhere.
    """

    rows: float

    @classmethod
    def given(cls, text: str | None, accepted: int) -> "ErrorBudget | None":
        """From `N`, or `P%` of the `accepted` rows; None when nothing was given."""
        if text is None:
            return None
        return cls(accepted * float(text[:-1]) / 100 if text.endswith("%") else int(text))


@dataclass(slots=True)
class Stops:
    """Set once; the first reason wins, but a refused credential and a signal raise the exit code."""

    budget: ErrorBudget | None = None
    breaker: int = 0
    """Stop after so many rows in a row that failed or are in doubt; 0: never."""
    same_cause: int = 0
    """Stop when so many rows, and at least half of all that were sent, ended for one and the same cause; 0: never."""
    requested: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    signalled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a signal, whatever asked for a stop before."""
    reason: str = "interrupted"
    """Reason code of the rows that were not attempted."""
    why: str | None = None
    """The reason in a sentence; None: nothing has stopped the run."""
    codes: set[ExitCode] = field(default_factory=set)
    error: MusterError | None = None
    asked: Callable[[], bool] | None = None
    """Whether a program that runs muster wants it to stop, as a signal would; None: nobody is asked."""
    due: datetime | None = None
    """What the local clock shows at the deadline, without its zone; None: there is none."""
    unreadable: bool = False
    """Whether the target takes no more reads, so that nothing can be compared at the end."""
    tally: Tally = field(default_factory=Tally)
    """How the rows have ended that this process worked on."""
    others: Tally = field(default_factory=Tally)
    """Those of the other processes of the run, as far as it is known."""
    _notes: list[str] = field(default_factory=list)

    def signal(self, code: ExitCode) -> None:
        """A first signal drains; a second one stops at once."""
        if code in self.codes or self.codes & {ExitCode.SIGINT, ExitCode.SIGTERM}:
            self.at_once.set()
        self.signalled.set()
        self._stop("interrupted", code, f"interrupted by {code.name}")

    def deadline(self) -> None:
        """The time given by --deadline has come."""
        self.policy("deadline", "stopped: the deadline has come")

    def limited(self) -> None:
        """--limit rows were handed out, and there are more."""
        self.codes.add(ExitCode.POLICY)
        self.why = self.why or "no more rows were wanted (--limit)"

    def abandoned(self, shards: int) -> None:
        """Too many processes died with the rows of some shards: those are left as they stand."""
        self.codes.add(ExitCode.POLICY)
        self.reason = "worker_died"
        self.why = self.why or f"the processes that worked on {shards} shards died, one after the other"
        self._notes.append(f"{self.why}: their rows are left as they stand")

    @contextmanager
    def watching(self, clock: Clock) -> Iterator[None]:
        """Stops when the local clock shows `due` or a later time.

        It is looked at while the run is under way: whoever sets the clock forward past the deadline ends the run at
        once, whoever sets it back gives it that much longer.
        """
        looking = asyncio.create_task(self._watch(clock), name="deadline")
        try:
            yield
        finally:
            looking.cancel()

    async def _watch(self, clock: Clock) -> None:
        """Looks again and again until the deadline has passed, or somebody wants it to stop."""
        left = self.seconds_left(clock)
        while left or (self.asked is not None and left is None):
            if self.asked is not None and self.asked():
                self.signal(ExitCode.SIGTERM)
                return
            await clock.sleep(min(left or DEADLINE_LOOK_SECONDS, DEADLINE_LOOK_SECONDS))
            left = self.seconds_left(clock)
        if self.due is not None:
            self.deadline()

    def seconds_left(self, clock: Clock) -> float | None:
        """Seconds until the deadline as the wall clock stands, 0 when it has passed; None: there is none."""
        return None if self.due is None else seconds_before(self.due, clock.now())

    @property
    def target_is_closed(self) -> bool:
        """Whether nothing more is to be read either: a signal, a refused credential, a target that takes no reads."""
        return self.unreadable or bool(self.codes & {ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.PERMISSION})

    def note(self, text: str) -> None:
        """Something that the report must say."""
        self._notes.append(text)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report says about the stop."""
        if self.error is None:
            return tuple(self._notes)
        hint = f"; try: {self.error.hint}" if self.error.hint else ""
        return (*self._notes, self.error.message + hint)

    def block(self, error: MusterError) -> None:
        """The credential was refused, or the target can't be reached any more: nothing else can succeed."""
        self.error = self.error or error
        reason = "unreachable" if isinstance(error, Unreachable) else "not_permitted"
        self._stop(reason, error.exit_code, error.message)

    def ended(self, outcome: Outcome, cause: str) -> None:
        """One row ended; `cause` is its signature (step, code, the target's own code), empty for a good end."""
        if outcome in UNTOUCHED:
            return
        mine, others = self.tally, self.others
        mine.sent += 1
        mine.errors += outcome in ATTENTION
        mine.in_a_row = mine.in_a_row + 1 if outcome in BROKEN else 0
        sent, in_a_row = mine.sent + others.sent, mine.in_a_row + others.in_a_row
        if self.budget is not None and mine.errors + others.errors > self.budget.rows:
            self.policy(
                "max_errors", f"stopped: more than {self.budget.rows:g} rows came to need attention (--max-errors)"
            )
        if self.breaker and mine.in_a_row and in_a_row >= self.breaker:
            self.policy("breaker", f"stopped: {in_a_row} rows in a row failed, the last one of {cause} (--breaker)")
        if outcome in ATTENTION and outcome is not Outcome.CONFLICT:
            mine.causes[cause] += 1
            alike = mine.causes[cause] + others.causes[cause]
            if self.same_cause and alike >= max(self.same_cause, sent / 2):
                self.policy("same_cause", f"stopped: {alike} rows ended alike, of {cause} (--same-cause)")

    def told(self) -> dict[str, object]:
        """Why this process was stopped, for the others of its run: what `heard` takes."""
        return {
            "reason": self.reason,
            "code": int(strongest(self.codes)),
            "why": self.why,
            "notes": list(self.notes),
            "unreadable": self.unreadable,
            "at_once": self.at_once.is_set(),
        }

    def heard(self, told: Mapping[str, Any]) -> None:
        """Another process of the run was stopped, and so is this one."""
        if not self.requested.is_set():
            self._notes += told["notes"]
            self.unreadable = self.unreadable or told["unreadable"]
            self._stop(told["reason"], ExitCode(told["code"]), told["why"])

    def policy(self, reason: str, note: str) -> None:
        """A policy of the operator stops the run; `note` says why."""
        if not self.requested.is_set():
            self._notes.append(note)
        self._stop(reason, ExitCode.POLICY, note.removeprefix("stopped: "))

    def _stop(self, reason: str, code: ExitCode, why: str) -> None:
        if not self.requested.is_set():
            self.reason, self.why = reason, why
        self.codes.add(code)
        self.requested.set()


def next_showing(deadline: time, now: datetime) -> datetime:
    """The next local date on which the clock passes `deadline`, with it; just missed means tomorrow."""
    here = local(now)
    then = datetime.combine(here.date(), deadline)
    return then if then > here else then + timedelta(days=1)


def seconds_before(then: datetime, now: datetime) -> float:
    """Seconds from `now` until the local clock shows `then` or a later time; 0 when it does.

    Nights in which the clock is changed are longer or shorter: an hour that comes twice counts the first time from
    `now` on, one that does not come ends with the change.
    """
    if local(now) >= then:
        return 0.0
    both = sorted(then.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    coming = [moment for moment in both if moment > now]
    shown = [moment for moment in coming if local(moment) == then]
    return (next(iter(shown or coming[-1:]), now + timedelta(hours=1)) - now).total_seconds()


def local(moment: datetime) -> datetime:
    """What the local clock shows, without its zone."""
    return moment.astimezone().replace(tzinfo=None)
