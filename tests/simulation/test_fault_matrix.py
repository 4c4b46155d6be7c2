"""Each fault at each write, with keys shown and hidden: done once in the end, and claimed only with proof."""

import pytest

from tests.simulation.faults import MET_BY, STEPS, Fault
from tests.simulation.records import Manners
from tests.simulation.simulate import planned

HIDDEN = Manners(show_keys=False, show_wallet_keys=False)
UNPROVEN = {Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE}
"""An answered create explains nothing where no key is shown; one that is refused without cause, nowhere."""


ENDING = (Fault.REDIRECTED, 2)
"""A redirect ends a row, and the calm run that follows would meet the second one."""


@pytest.mark.parametrize("manners", [Manners(), HIDDEN], ids=["keys shown", "keys hidden"])
@pytest.mark.parametrize(
    ("operation", "fault", "times"),
    [
        (operation, fault, times)
        for operation in STEPS
        for fault in Fault
        for times in (1, 2)
        if operation in MET_BY.get(fault, STEPS) and (fault, times) != ENDING
    ],
)
def test_a_fault_at_a_write_is_settled(fault: Fault, operation: str, manners: Manners, times: int) -> None:
    plan = {(operation, number): fault for number in range(1, times + 1)}

    trace = planned(3, plan, manners=manners)

    assert not trace.problems, trace.log
    allowed = {"onboarded", "already_onboarded"}
    if fault in UNPROVEN and operation != "trigger_kyc":
        allowed |= {"conflict"}
    if fault is Fault.REFUSED:
        allowed |= {"rejected"}
    if operation == "trigger_kyc" and times > 1:
        allowed |= {"in_doubt"}
    assert set(trace.outcomes) <= allowed, trace.log
