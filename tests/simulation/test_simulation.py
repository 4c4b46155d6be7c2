"""Seeded histories of the real engine: every invariant, every fault met, the same seed the same history."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest

from tests.simulation.draws import WORLD
from tests.simulation.faults import Fault
from tests.simulation.population import PERSONAS, Ending, Persona
from tests.simulation.simulate import Trace, planned, shrunk, simulate

SEEDS = (*range(1, 11), 18, 63, 80, 87, 113, 129, 162)
"""Chosen: the first ones, and those after them in which something rare is met. `make test-all` tells thousands."""
MANY = range(1, 4001)
SEAMS = {
    f"death {when} {what}"
    for what in ("search_customers", "create_customer", "trigger_kyc", "read_kyc", "create_wallet", "apply", "reserve")
    for when in ("before", "after")
}


history = cache(simulate)
"""Told once for all the tests of a process."""


def failures(traces: Iterable[Trace]) -> str:
    """What failed, and the command that shows what matters of it."""
    failed = [shrunk(trace) for trace in traces if trace.problems]
    return "\n".join(f"{trace.problems[0]}: {trace.command}" for trace in failed)


def test_every_invariant_holds_in_every_history_and_all_that_may_happen_is_met() -> None:
    told = [history(seed) for seed in SEEDS]
    reached = sum((Counter(trace.reached) for trace in told), Counter[str]())

    assert failures(told) == ""
    assert [name for name in (*Fault, *WORLD) if not reached[name]] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 80])
def test_the_same_seed_gives_the_same_history(seed: int) -> None:
    first, second = history(seed), simulate(seed)
    assert first.digest == second.digest
    assert first.log == second.log
    assert first.digest != history(seed + 1).digest


@pytest.mark.few(7)
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_a_row_ends_as_its_persona_says_when_nothing_goes_wrong(persona: Persona) -> None:
    trace = planned(5, {}, persona=persona.name)
    expected = {"onboarded", "already_onboarded"} if persona.ending is Ending.COMPLETE else {persona.ending}
    assert trace.problems == ()
    assert set(trace.outcomes) <= expected


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thousands_of_histories() -> None:
    reached: Counter[str] = Counter()
    failed: list[Trace] = []
    for seed in MANY:
        trace = simulate(seed, 3 + seed % 4)
        reached.update(trace.reached)
        failed += [trace] if trace.problems else []
    assert failures(failed) == ""
    assert {seam for seam in SEAMS if not reached[seam]} == set()
