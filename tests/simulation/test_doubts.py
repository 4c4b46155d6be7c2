"""Doubts that only a certain order of events leaves: each test names its faults, and its seeds vary the times."""

import asyncio

import pytest

from tests.examples import some
from tests.simulation.draws import AGAIN
from tests.simulation.faults import Fault
from tests.simulation.records import Manners
from tests.simulation.simulate import calmed, judged, planned
from tests.simulation.world import World

SEEDS = range(some(3))
HIDDEN = Manners(show_keys=False, show_wallet_keys=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_look_that_began_too_early_is_no_licence_to_trigger_kyc_again(seed: int) -> None:
    trace = planned(seed, {("trigger_kyc", 1): Fault.LATE, ("read_kyc", 2): Fault.SLOW}, persona="slow")
    assert not trace.problems, trace.log
    assert trace.outcomes == ("already_onboarded",)


@pytest.mark.few(2)
@pytest.mark.parametrize("manners", [Manners(), HIDDEN], ids=["keys shown", "keys hidden"])
@pytest.mark.parametrize("operation", ["create_customer", "create_wallet"])
def test_taken_may_be_about_the_very_request_that_was_sent(operation: str, manners: Manners) -> None:
    for seed in SEEDS:
        trace = planned(seed, {(operation, 1): Fault.TAKEN_AFTER}, manners=manners)
        assert not trace.problems, trace.log
        unproven = manners is HIDDEN and operation == "create_customer"  # an answered create explains nothing
        assert trace.outcomes == ("conflict" if unproven else "already_onboarded",)


def test_a_run_that_dies_anywhere_after_taken_leaves_no_false_claim() -> None:
    places = set()
    for dies_at in range(8, 24):

        async def history(world: World, dies_at: int = dies_at) -> list[str]:
            places.add((await world.run(dies_at=dies_at)).died)
            await world.run()
            return judged(world) or await calmed(world)

        plan = {("create_customer", 1): Fault.TAKEN_AFTER, ("search_customers", 4): Fault.REDIRECTED}
        trace = planned(2, plan, history=history)
        assert not trace.problems, trace.log
    assert {"after create_customer", "before search_customers", "after apply"} <= places


@pytest.mark.few(2)
@pytest.mark.parametrize("operation", ["create_customer", "create_wallet"])
@pytest.mark.parametrize("refusal", [Fault.REDIRECTED, Fault.TAKEN_BEFORE])
def test_a_refusal_says_nothing_of_an_earlier_attempt_that_went_unanswered(operation: str, refusal: Fault) -> None:
    for seed in SEEDS:
        trace = planned(seed, {(operation, 1): Fault.LATE, (operation, 2): refusal})
        assert not trace.problems, trace.log
        assert trace.outcomes == ("already_onboarded",)


def test_a_retry_that_dies_leaves_its_row_open() -> None:
    async def history(world: World) -> list[str]:
        await world.run()
        assert judged(world) == []
        await asyncio.sleep(60)
        while (await world.run(taking=AGAIN, dies_at=len(world.runs) + 1)).died != "after create_customer":
            pass
        world.network.advance(world.now() + 10)
        await world.run()
        return judged(world) or await calmed(world)

    always = {("create_customer", number): Fault.ERROR_BEFORE for number in range(1, 6)}
    trace = planned(1, always, history=history)
    assert not trace.problems, trace.log
    assert trace.outcomes[0] in {"onboarded", "already_onboarded"}


@pytest.mark.slow
def test_a_run_that_dies_after_taken_leaves_the_wallet_type_that_was_asked_for() -> None:
    """The target has that wallet, shows no keys, and no longer allows its type: another would be a second wallet."""
    manners = Manners(show_wallet_keys=False, one_of_a_type=True)
    for dies_at in range(12, 40):

        async def history(world: World, dies_at: int = dies_at) -> list[str]:
            await world.run(dies_at=dies_at)
            await world.run()
            return judged(world) or await calmed(world)

        plan = {("create_wallet", 1): Fault.TAKEN_AFTER}
        trace = planned(2, plan, persona="many types", manners=manners, history=history)
        assert not trace.problems, trace.log
