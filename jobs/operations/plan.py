"""What a run would do with a file: rows to create, to finish, to leave alone; the calls and the time it takes.

Reads the ledger, if there is one, and the target. It changes nothing at the target, and in the ledger counts only its
own calls against the limits.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from jobs.batch import Batch
from jobs.clock import Clock, milliseconds
from jobs.engine.case import Case
from jobs.engine.newcomers import Newcomers
from jobs.engine.opening import Taking, known_of, ledger_keys, open_case
from jobs.intake.workspace import workspace
from jobs.keys import Pseudonyms
from jobs.ledger.place import place_of
from jobs.ledger.rows import Known, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.model import Outcome, Rate
from jobs.operations.capacity import Capacity
from jobs.progress import Progress
from jobs.run.place import Place
from jobs.run.read_input import read_new
from jobs.run.target import same_target
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, outage_of, system_of
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.settings import Settings
from jobs.side_by_side import side_by_side
from jobs.systems.contract import Reads, Step, System, writes
from jobs.systems.listing import pages_worth
from jobs.systems.messages import CallClass, ReadFailed
from jobs.systems.row import Row
from jobs.systems.verdict import Absent, Done, Ended, Undecided
from jobs.transport.client import Client
from jobs.value import value
from jobs.windows import A_LOOKUP

EXAMPLES = 3
"""Rows named for each intent; the contract's three."""

FIRST_PACE = 2.0
"""The contract: without a documented limit a run starts at 2 mutating calls a second."""


class Intent(StrEnum):
    """What a run would do with a row, as far as reading shows."""

    CREATE = "create"
    FINISH = "finish"
    """It is there already, and some of its steps are not done."""
    NOTHING = "nothing"
    """Complete at the target."""
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    """The system shows nothing before it is sent something."""


VERDICTS = (Outcome.QUARANTINED.value, *(each.value for each in (*Intent, *Outcome)))
"""What may be predicted of a row; the first one of every row that nobody asked the target about."""


@value
class Planned:
    """One row: an intent, or the outcome that it would end with as things stand. `writes`: mutating calls at least."""

    source_row: int
    verdict: Intent | Outcome
    why: str | None = None
    writes: int = 0


@value
class Prediction:
    """How each row would end. `sha256` of the input, in hex; `by_row`: for each source row, from 1, its place in
    `VERDICTS`.
    """

    sha256: str
    by_row: bytearray

    def spans(self) -> list[tuple[int, int, str]]:
        """(first source row, last one, verdict) of rows that stand beside each other and would end alike."""
        found: list[tuple[int, int, str]] = []
        for row, place in enumerate(self.by_row[1:], start=1):
            if found and found[-1][2] == VERDICTS[place]:
                found[-1] = (found[-1][0], row, VERDICTS[place])
            else:
                found.append((row, row, VERDICTS[place]))
        return found


@value
class Asked:
    """How the target was asked, and what a run would ask it."""

    reads: int = 0
    way: str = ""
    """How it was found out who is there, and why so."""
    pages: int | None = None
    """Those of the listing that said it; None: each row was looked for."""
    at_once: int = 1
    usual: Reads = Reads()
    """Those of a new row at this system."""

    def for_a_run(self, begun: int) -> int:
        """The same once more, and what the rows that a run begins cost on their way and in the fresh read."""
        reads = self.reads + begun * (self.usual.sending + self.usual.back)
        listed = self.pages is not None and pages_worth(begun, self.at_once) >= self.pages
        return reads - begun + self.pages if listed and self.pages is not None else reads


@dataclass(slots=True)
class Plan:
    """The whole file. `rate` None: the pace is found by trying."""

    rows: int
    quarantined: int
    rate: Rate | None = None
    asked: Asked = field(default_factory=Asked)
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    writes: int = 0
    warned: Mapping[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    """Warnings of the validation, as of `Validated.warned`."""
    prediction: Prediction = field(default_factory=lambda: Prediction("", bytearray()))

    @property
    def capacity(self) -> Capacity:
        """What the run would call: what the plan read once more, then what rows cost on their way and afterwards."""
        begun = self.verdicts[Intent.CREATE] + self.verdicts[Intent.FINISH]
        return Capacity(begun, self.writes, self.asked.for_a_run(begun), self.rate, self.asked.at_once)

    def add(self, row: Planned) -> None:
        """Counts one row."""
        verdict = row.verdict.value
        self.prediction.by_row[row.source_row] = VERDICTS.index(verdict)
        self.verdicts[verdict] += 1
        self.writes += row.writes
        if row.why is not None:
            self.reasons[verdict, row.why] += 1
        named = self.examples.setdefault(verdict, [])
        if len(named) < EXAMPLES:
            named.append(row.source_row)

    @property
    def seconds(self) -> float:
        """How long the mutating calls take: at the limit exactly, without one at the first pace and so at most."""
        if self.rate is None:
            return self.writes / FIRST_PACE
        return self.capacity.limited()

    def fitting(self, seconds: float) -> int:
        """How many of the mutating calls fit into `seconds`, at the limit, or without one at the first pace."""
        if self.rate is None:
            return min(self.writes, int(seconds * FIRST_PACE))
        return min(self.writes, self.rate.calls * (1 + int(seconds / self.rate.seconds)))


def plan(path: Path, settings: Settings, clock: Clock, progress: Progress) -> Plan:
    """Reads file, ledger and target. Raises Unusable, NotPermitted, Unreachable."""
    system = system_of(settings, path.parent)
    credential_of(settings, reading=True)
    settings.need("base_url")
    same_target(settings)
    with workspace(settings.workplace, clock) as work:
        batch = read_new(path, settings, Place(work, clock, progress))
        place_of(settings.ledger).refuse_remains()
        with Store.opened(settings.ledger) if place_of(settings.ledger).exists() else nullcontext() as store:
            return asyncio.run(_asked(batch, settings, system, clock, progress, store))


async def _asked(
    batch: Batch, settings: Settings, system: System, clock: Clock, progress: Progress, store: Store | None
) -> Plan:
    prediction = Prediction(batch.file.sha256, bytearray(batch.rows + 1))
    found = Plan(batch.rows, batch.validated.quarantined_rows, warned=batch.validated.warned, prediction=prediction)
    if found.quarantined:
        found.verdicts[Outcome.QUARANTINED.value] = found.quarantined
    given = credential_of(settings, reading=True)
    outage, hear = outage_of(settings, clock, progress.note), saying(progress)
    async with connected(settings, system, given, clock, store=store, outage=outage, hear=hear) as client:
        window = client.limiters[CallClass.WRITE].window
        found.rate = window.rate if window else None
        with progress.stage("asking the target", batch.validated.accepted_rows) as count:
            newcomers = Newcomers(system, client, clock, settings.concurrency)
            async for rows in _windows(batch, settings, newcomers, client, store, milliseconds(clock.now())):
                for row in rows:
                    found.add(row)
                count.advance(len(rows))
        calls, usual = sum(client.calls.values()), system.capabilities.reads
        found.asked = Asked(calls, newcomers.way, newcomers.pages, settings.concurrency, usual)
    return found


async def _windows(
    batch: Batch, settings: Settings, newcomers: Newcomers, client: Client, store: Store | None, now_ms: int
) -> AsyncIterator[Sequence[Planned]]:
    """The accepted rows, window by window, `settings.concurrency` asked at a time."""
    system, seen = newcomers.system, 0
    pseudonyms = pseudonyms_of(settings.ledger) if store is not None else Pseudonyms(b"not kept anywhere")

    async def one(opened: Case | Transition) -> Planned:
        if isinstance(opened, Case):
            opened.unlisted = newcomers.new(opened.row)
        return await _planned(opened, system, client)

    for rows in batch.accepted(A_LOOKUP):
        known = _known(rows, settings, store, pseudonyms)
        opened = [_opened(row, known, pseudonyms, system, now_ms) for row in rows]
        seen += len(rows)
        cases = [each for each in opened if isinstance(each, Case)]
        await newcomers.expect(cases, (batch.validated.accepted_rows - seen) * len(cases) // len(rows))
        yield await side_by_side(one, opened, settings.concurrency)


def _known(rows: Sequence[Row], settings: Settings, store: Store | None, pseudonyms: Pseudonyms) -> dict[str, Known]:
    if store is None:
        return {}
    space = store.space(settings.job_name.ledger_system, settings.need("tenant"))
    return store.known(space, ledger_keys(rows, pseudonyms))


def _opened(
    row: Row, known: dict[str, Known], pseudonyms: Pseudonyms, system: System, now_ms: int
) -> Case | Transition:
    steps = [step.name for step in system.steps_of(row)]
    return open_case(row, known_of(row, known, pseudonyms), "plan", pseudonyms, Taking(), now_ms, steps=steps)


def mutating(steps: Sequence[Step]) -> int:
    """How many of `steps` send something."""
    return sum(writes(step) for step in steps)


async def _planned(opened: Case | Transition, system: System, client: Client) -> Planned:
    """What the steps of a row show, one after the other, until one is not done."""
    if isinstance(opened, Transition):
        assert opened.outcome is not None
        ended = opened.outcome
        return Planned(ended.source_row, ended.outcome, ended.reason_code)
    case, steps = opened, system.steps_of(opened.row)
    unseen = Intent.CREATE if system.capabilities.reads_back else Intent.UNKNOWN
    for place, step in enumerate(steps):
        if case.step(step.name).status is StepStatus.DONE:
            continue
        try:
            finding = await step.look(client, case.view(step.name))
        except ReadFailed as error:
            return Planned(case.row.source_row, Intent.UNREADABLE, error.reason)
        if isinstance(finding, Done):
            case.facts.update(finding.facts)
            continue
        verdict = unseen if place == 0 and not case.resumed else Intent.FINISH
        if isinstance(finding, Absent):
            return Planned(case.row.source_row, verdict, writes=mutating(steps[place:]))
        if isinstance(finding, Undecided) and not finding.polled:
            return Planned(case.row.source_row, Outcome.PENDING, "decision")
        if isinstance(finding, Undecided):
            return Planned(case.row.source_row, Intent.FINISH, "decision", mutating(steps[place + 1 :]))
        if isinstance(finding, Ended):
            return Planned(case.row.source_row, finding.outcome, finding.reason_code)
        return Planned(case.row.source_row, Outcome.IN_DOUBT, finding.reason_code)
    return Planned(case.row.source_row, Intent.NOTHING)
