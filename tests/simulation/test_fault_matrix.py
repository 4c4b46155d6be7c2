"""Each fault at each write, with keys shown and hidden: done once in the end, and claimed only with proof."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.simulation.faults import MET_BY, NOT_APPLIED, STEPS, Fault
from tests.simulation.records import Manners
from tests.simulation.simulate import planned

HIDDEN = Manners(show_keys=False, show_wallet_keys=False)
UNPROVEN = {Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE}
"""An answered create explains nothing where no key is shown; one that is refused without cause, nowhere."""


ENDING = (Fault.REDIRECTED, 2)
"""A redirect ends a row, and the calm run that follows would meet the second one."""


def cases() -> Iterator[Any]:
    """All of them; those in which nothing new can happen are slow: keys tell of what was applied, and KYC has none.

    A fault comes twice at one of the writes that can meet it: what a second time does is the driver's, at any step.
    """
    for place, fault in enumerate(Fault):
        steps = [operation for operation in STEPS if operation in MET_BY.get(fault, STEPS)]
        for operation, times, shown in product(steps, (1, 2), (True, False)):
            if (fault, times) == ENDING:
                continue
            idle = not shown and (operation == "trigger_kyc" or fault in NOT_APPLIED - UNPROVEN)
            idle |= times > 1 and not (shown and operation == steps[place % len(steps)])
            name = f"{operation}-{fault}-{times}-keys {'shown' if shown else 'hidden'}"
            marks = [pytest.mark.slow] if idle else []
            yield pytest.param(operation, fault, times, Manners() if shown else HIDDEN, id=name, marks=marks)


@pytest.mark.few(24)
@pytest.mark.parametrize(("operation", "fault", "times", "manners"), list(cases()))
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
