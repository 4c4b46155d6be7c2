"""The first rows of a run, sent before the rest: when they do not go well, nothing else is sent.

Only rows count that say how the rest would fare. One that somebody else holds already says nothing, nor one that an
earlier run left in doubt and that nothing was sent for; the next row takes its place.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from jobs.engine.case import Case
from jobs.engine.driver import RowDriver
from jobs.engine.workers import WorkerPool
from jobs.model import Outcome
from jobs.settings.settings import Settings
from jobs.systems.contract import Capabilities

DEAD = frozenset({Outcome.REJECTED, Outcome.FAILED, Outcome.IN_DOUBT})
"""Outcomes that a canary must not have: they say that the rest would fare no better."""


def with_default_canary(settings: Settings, able: Capabilities) -> Settings:
    """The settings with the system's own number of first rows, where nobody gave one."""
    if settings.origins["canary"] != "default" or not able.canary:
        return settings
    origins = {**settings.origins, "canary": f"default of {able.title}"}
    return replace(settings, canary=able.canary, origins=origins)


async def send_first(engine: RowDriver, rows: AsyncIterator[Case], most: int, workers: int) -> dict[int, Outcome]:
    """Takes `rows` until `most` of them count or there are no more; the outcomes of those that count, by source row."""
    counted: dict[int, Outcome] = {}
    while (missing := most - len(counted)) > 0 and not engine.stops.requested.is_set():
        cases = [case async for case in first(rows, missing)]
        if not cases:
            break
        await WorkerPool(engine).run(given(cases), workers)
        counted |= {case.row.source_row: outcome for case in cases if (outcome := telling(case)) is not None}
    return counted


def telling(case: Case) -> Outcome | None:
    """The outcome of a row that counts; None for one that does not."""
    outcome = case.record.outcome
    said_nothing = outcome is Outcome.CONFLICT or (outcome in DEAD and not case.attempts)
    return None if said_nothing else outcome


async def first(cases: AsyncIterator[Case], most: int) -> AsyncIterator[Case]:
    """The first `most` of `cases`; the rest stays with `cases`."""
    for _ in range(most):
        try:
            yield await anext(cases)
        except StopAsyncIteration:
            return


async def given(cases: Sequence[Case]) -> AsyncIterator[Case]:
    """`cases` as the engine takes them."""
    for case in cases:
        yield case
