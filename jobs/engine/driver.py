"""The engine: drives every row through its system's steps, and is the only place that decides what follows a write.

    look -> settled?                                        yes: next step
      no -> permit -> intent committed -> sent -> classified -> result posted -> settled? or look again

Who calls it for which row, and when, is said in `workers.py`. Attempts are counted here and nowhere else.
"""

import asyncio
import hashlib

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_never

from jobs.clock import Clock, milliseconds
from jobs.engine.case import Case, Made
from jobs.engine.endings import DEPARTS, HELD, LEFT, cause, held_by_another
from jobs.engine.stops import Stops
from jobs.errors import NotPermitted
from jobs.ledger.rows import StepStatus, Transition
from jobs.ledger.writer import Writer
from jobs.model import Origin, Outcome
from jobs.progress import Count
from jobs.systems.contract import PROFILE_STEP, Step, System, WritingStep, writes
from jobs.systems.messages import ReadFailed
from jobs.systems.verdict import (
    Absent,
    Again,
    Done,
    Doubted,
    Ended,
    Taken,
    Throttled,
    Unclear,
    Undecided,
    Unsendable,
    Verdict,
)
from jobs.transport.client import Client
from jobs.transport.limiter import Closed
from jobs.transport.retry import FullJitter
from jobs.transport.sender import MaybeSent, NotSent
from jobs.value import value

SETTLE_SECONDS = 6.0
"""How long after an unanswered write "not there" is not believed yet: reads may lag by 5 s after a commit (chosen)."""

SETTLE_LOOKS_EVERY = 1.5
"""Seconds between looks while a write is being settled (chosen)."""

REST_SECONDS = 2.0
"""A wait for "exists already" to settle that is as long costs no worker (chosen): the row is parked."""

MOST_THROTTLED_SECONDS = 3600.0
"""A step that is refused because of limits for so long ends `failed`, so that a run always ends (chosen)."""


@value
class Patience:
    """How long, how often: the operator's settings."""

    attempts: int = 5
    decision_poll: float = 30.0
    decision_wait: float = 600.0


@value
class Later:
    """A step is not settled: look at it again after `seconds`."""

    seconds: float


Settled = Done | Undecided | Ended


class RowDriver:
    """One run's way with a case."""

    def __init__(
        self,
        system: System,
        client: Client,
        writer: Writer,
        stops: Stops,
        clock: Clock,
        patience: Patience,
        *,
        progress: Count,
    ) -> None:
        self.system, self.client, self.writer, self.stops, self.clock = system, client, writer, stops, clock
        self.patience, self.progress = patience, progress
        self.jitter = FullJitter(clock.random)
        self.began = clock.monotonic()
        """From then on what earlier processes sent has to settle: their own clocks say nothing here."""
        self._proven: set[str] = set()
        """Operations that this credential has been allowed in this run."""

    async def leave(self, case: Case, reason: str | None = None) -> None:
        """The run ends here for this row, whatever its state; `reason` None: that of the stop."""
        outcome, code, step = case.standing(reason or self.stops.reason)
        await self._end(case, outcome, code, LEFT.get(code), step)

    async def advance(self, case: Case) -> float | None:
        """Takes the row as far as it goes now; returns when to come back, None when it ended.

        Raises NotPermitted, and Closed when the run stops meanwhile: then the row has to be left.
        """
        steps = self.system.steps_of(case.row)
        if (orphan := case.unanswered_beside([step.name for step in steps])) is not None:
            reason = f"the row no longer asks for {orphan}, whose request is unanswered; restore it, or decide by hand"
            await self._end(case, Outcome.IN_DOUBT, "changed_since", reason, orphan)
            return None
        for step in steps:
            if case.step(step.name).status is StepStatus.DONE:
                continue
            settled = await self._settle(step, case)
            if isinstance(settled, Later):
                case.resting = step.name
                return self.clock.monotonic() + settled.seconds
            if isinstance(settled, Undecided):
                return await self._wait_for_decision(step, case, polled=settled.polled)
            if isinstance(settled, Ended):
                await self._end(case, settled.outcome, settled.reason_code, settled.reason, step.name)
                return None
            if step.name == PROFILE_STEP:
                case.brought()
        changed_something = case.attempts > 0 or case.resumed
        await self._end(case, Outcome.ONBOARDED if changed_something else Outcome.ALREADY_ONBOARDED, None, None, None)
        return None

    async def _wait_for_decision(self, step: Step, case: Case, *, polled: bool) -> float | None:
        now = self.clock.monotonic()
        if case.wait_until is None:
            case.wait_until = now + self.patience.decision_wait
        if not polled or now >= case.wait_until or self.stops.requested.is_set():
            await self._end(case, Outcome.PENDING, "decision", "the decision is outstanding", step.name)
            return None
        case.row = case.row.only(self.system.later_columns)
        poll = self.patience.decision_poll * self.clock.random.uniform(0.9, 1.1)  # spreads rows that began together
        return now + poll

    async def _settle(self, step: Step, case: Case) -> Settled | Later:
        """Brings one step to an end, or to a rest. The first go is bare; tenacity comes in when it settled nothing."""
        if case.resting != step.name:
            case.spent, case.taken, case.refused, case.throttled_since, case.last_reason = 0, False, None, None, ""
            case.last_sent_at = self._sent_earlier(step, case)
            case.chosen = {}
        case.resting = ""
        first = await self._go(step, case)
        if not isinstance(first, Later) or rests(step, case, first):
            return first
        await self._pause(first.seconds)
        retrying = AsyncRetrying(
            retry=retry_if_result(lambda result: isinstance(result, Later) and not rests(step, case, result)),
            wait=_asked_for,
            stop=stop_never,  # _go itself ends the step when its attempts or its time are used up
            sleep=self._pause,
        )
        settled: Settled | Later = await retrying(self._go, step, case)
        return settled

    async def rest(self, due: float) -> None:
        """Waits for a row that found no place to rest, in the hands of its worker. Raises Closed when the run stops."""
        await self._pause(max(0.0, due - self.clock.monotonic()))

    async def _pause(self, seconds: float) -> None:
        if await self.clock.pause(seconds, self.stops.requested):
            raise Closed

    async def _go(self, step: Step, case: Case) -> Settled | Later:
        """Looks, and writes when nothing is there."""
        if self.stops.requested.is_set():
            raise Closed
        finding = await self._look(step, case)
        if isinstance(finding, Later):
            return finding
        if isinstance(finding, Absent):
            if not writes(step):
                raise TypeError(f"the step {step.name} only reads, so that nothing can be absent")
            case.facts.update(finding.facts)
            case.chosen = dict(finding.facts)
            return self._given_up(step, case) or self._held_back(step, case) or await self._write(step, case)
        if (holder := await self._holder(case, finding)) is not None:
            return self._believed(step, case, held_by_another(case.step(step.name), holder))
        transition = case.found(step.name, finding, self._now_ms())
        if transition is not None:
            await self.writer.post(transition)
        return finding

    def _believed(self, step: Step, case: Case, ended: Ended) -> Ended | Later:
        """`ended`, when it proves what became of an unanswered write, or when that had its time to settle.

        Until then the write may still be applied, and the row would end as if it could not. A doubt may end at once.
        """
        certain = ended.proves or ended.outcome is Outcome.IN_DOUBT
        return ended if certain or self._settling(step, case) <= 0 else self._look_later(step)

    async def _holder(self, case: Case, found: Settled) -> str | None:
        """The key that holds what `found` claims for this row; None: this row has it now, or had it before."""
        claims = case.claims(found.claims)
        if not claims:
            return None
        return next(iter((await self.writer.commit(Transition(claims=claims))).values()), None)

    async def _look(self, step: Step, case: Case) -> Settled | Absent | Later:
        """A look, with what it can't tell turned into a decision: later, in doubt, or failed."""
        now = case.step(step.name)
        doubtful = case.unsettled(step.name)
        undecided = now.status is StepStatus.UNDECIDED
        case.looked_at = self.clock.monotonic()
        try:
            finding = await step.look(self.client, case.view(step.name))
        except ReadFailed as error:
            case.trace, case.traced = error.trace, step.name
            if undecided:
                return Undecided()
            outcome = Outcome.IN_DOUBT if doubtful else Outcome.FAILED
            return Ended(outcome, "read_failed", error.reason, trace=error.trace)
        if undecided and isinstance(finding, Absent):
            return Undecided()  # the write was acknowledged: that its trace is gone is no licence to repeat it
        if isinstance(finding, Unclear):
            if self._settling(step, case) > 0:
                return self._look_later(step)
            return Ended(Outcome.IN_DOUBT, finding.reason_code, finding.reason, trace=finding.trace)
        return self._believed(step, case, finding) if isinstance(finding, Ended) else finding

    def _sent_earlier(self, step: Step, case: Case) -> float | None:
        """Monotonic time from which an unanswered write of the step has to settle; None when there is none.

        One that an earlier process sent counts from this one's beginning: wall clocks jump, and those of hosts differ.
        """
        if not case.unsettled(step.name):
            return None
        return case.sent_at.get(step.name, self.began)

    def _look_later(self, step: Step) -> Later:
        """Some eight looks while a write is being settled."""
        return Later(max(SETTLE_LOOKS_EVERY, settle_seconds(step) / 8))

    def _settling(self, step: Step, case: Case) -> float:
        """Seconds by which the last look began too early for its "not there" to be believed.

        Its beginning counts, not its end: a slow answer shows what was there when it was made.
        """
        if case.last_sent_at is None:
            return 0.0
        return case.last_sent_at + settle_seconds(step) - case.looked_at

    def _given_up(self, step: Step, case: Case) -> Ended | Later | None:
        """The end of a step whose attempts are used up and which is provably not done."""
        throttled = case.throttled_since is not None and (
            self.clock.monotonic() - case.throttled_since > MOST_THROTTLED_SECONDS
        )
        if case.spent < self.patience.attempts and not throttled and case.refused is None:
            return None
        if self._settling(step, case) > 0:
            return self._look_later(step)
        if case.refused is not None:
            return case.refused
        code = "throttled" if throttled else "attempts_exhausted"
        return Ended(
            Outcome.FAILED, code, f"not done after {case.spent} attempts: {case.last_reason}", trace=case.trace
        )

    def _held_back(self, step: WritingStep, case: Case) -> Ended | Later | None:
        """Whether a doubtful write forbids another one, for steps whose repetition the target would not notice."""
        if step.resends is None:
            return None
        if self._settling(step, case) > 0:
            return self._look_later(step)
        doubts = case.step(step.name).doubts
        if doubts > step.resends:
            return Ended(
                Outcome.IN_DOUBT, "unanswered", f"{doubts} requests went unanswered and reading shows no trace of them"
            )
        return None

    async def _write(self, step: WritingStep, case: Case) -> Settled | Later:
        """One attempt: permit, intent, sending, result."""
        before, view = case.step(step.name), case.view(step.name)
        try:
            request = step.write(view)
        except Unsendable as error:
            return self._believed(step, case, Ended(error.outcome, error.reason_code, error.reason))
        told = request.body if request.described is None else request.described
        made = Made(case.chosen, request.key, hashlib.sha256(told or b"").hexdigest())
        if case.departs(step.name, made):
            return Ended(Outcome.IN_DOUBT, "changed_since", DEPARTS)

        async def intend() -> None:
            if self.stops.requested.is_set():
                raise Closed
            try:
                await self.writer.commit(case.intend(step.name, made, self._now_ms()))
            except asyncio.CancelledError:
                if not self.stops.requested.is_set():
                    raise
                self.client.calls[request.operation, request.method, "not_sent"] += 1
                raise NotSent("the run was stopped before it was sent") from None

        try:
            reply = await self.client.write(request, intend)
            verdict = step.classify(reply, view)
            status = self.system.status_of(reply)
            self._permission(request.operation, 200 <= status < 300, verdict)
            if isinstance(verdict, Ended) and not verdict.proves and self._says_little(case, status):
                case.refused = verdict
                verdict = Doubted(verdict.reason_code, verdict.reason, answered=True, trace=verdict.trace)
            if isinstance(verdict, Settled) and (holder := await self._holder(case, verdict)) is not None:
                verdict = Doubted("held_by_another", HELD.format(holder), answered=False, trace=verdict.trace)
        except NotSent as error:
            verdict = Again("not_sent", str(error))
        except MaybeSent as error:
            verdict = Doubted("unanswered", error.reason, answered=error.answered)
        except NotPermitted as error:
            if case.step(step.name).status is StepStatus.INTENDED:  # the target answered: it did not apply it
                await self.writer.post(
                    case.learn(step.name, before, Again("not_permitted", str(error)), self._now_ms())
                )
            raise
        await self.writer.post(case.learn(step.name, before, verdict, self._now_ms()))
        return self._next(step, case, verdict)

    def _says_little(self, case: Case, status: int) -> bool:
        """Whether a refusal does not prove that nothing was applied: a look comes first, and the row ends with it then.

        It says nothing of an earlier attempt that went unanswered; and who answers with a redirect may have done it.
        """
        return case.last_sent_at is not None or 300 <= status < 400

    def _permission(self, operation: str, allowed: bool, verdict: Verdict) -> None:
        """A 403 before any such call was allowed is about the credential, later it is about the row."""
        if allowed:
            self._proven.add(operation)
        elif isinstance(verdict, Ended) and verdict.reason_code == "forbidden" and operation not in self._proven:
            raise NotPermitted(
                f"the credential may not {operation.replace('_', ' ')}: {verdict.reason}",
                hint=self.system.capabilities.rights,
            )

    def _next(self, step: Step, case: Case, verdict: Verdict) -> Settled | Later:
        """What follows from the answer to a write."""
        case.last_reason = getattr(verdict, "reason", case.last_reason)
        match verdict:
            case Done():
                if verdict.facts.get("customer_origin") == Origin.CREATED:
                    case.fresh_customer = True
                return verdict
            case Undecided() | Ended():
                return verdict
            case Again():
                case.spent += 1
                return Later(self.jitter.seconds(case.spent))
            case Doubted():
                case.spent += 1
                case.last_sent_at = case.sent_at[step.name] = self.clock.monotonic()
                return Later(min(1.0, self.jitter.seconds(case.spent)))
            case Taken():
                case.spent += 1
                case.taken = True
                case.last_sent_at = case.sent_at[step.name] = self.clock.monotonic()
                return Later(0)
            case Throttled():
                case.throttled_since = case.throttled_since or self.clock.monotonic()
                return Later(0)

    async def _end(self, case: Case, outcome: Outcome, code: str | None, reason: str | None, step: str | None) -> None:
        await self.writer.post(case.end(outcome, code, reason, step, self._now_ms()))
        self.progress.advance(1, outcome)
        self.stops.ended(outcome, cause(step, code, case.trace))

    def _now_ms(self) -> int:
        return milliseconds(self.clock.now())


def rests(step: Step, case: Case, later: Later) -> bool:
    """Whether the row waits without a worker: for what its step was told is there already, and nothing of it is lost.

    A lost write keeps its worker: while a target answers nothing of use, few rows shall be in its hands.
    """
    return case.taken and case.step(step.name).doubts == 0 and later.seconds >= REST_SECONDS


def settle_seconds(step: Step) -> float:
    """How long after an unanswered write of `step` "not there" is not believed."""
    given = step.settle_seconds if writes(step) else None
    return SETTLE_SECONDS if given is None else given


def _asked_for(state: RetryCallState) -> float:
    """tenacity's wait: the seconds that the last go asked for."""
    result = state.outcome.result() if state.outcome is not None else None
    return result.seconds if isinstance(result, Later) else 0.0
