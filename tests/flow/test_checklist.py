"""`muster checklist`: what is verified of each row, from the ledger alone."""

import json
from collections.abc import Callable
from pathlib import Path

from jobs.sandbox.server import Sandbox

from .muster import Muster
from .people import Row, person

Filed = Callable[[list[Row]], Path]


def items(muster: Muster, *more: str) -> dict[int, tuple[str, ...]]:
    """The items of each row that is shown."""
    rows = json.loads(muster("checklist", "--output", "json", *more).stdout)["rows"]
    return {row["source_row"]: tuple(row["items"].values()) for row in rows}


def test_each_row_shows_what_is_verified_and_what_is_missing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [person(1), person(2, "Kycfail"), person(3, "Nowallet"), person(4, email="no-at-sign")]
    ended = muster("run", file_of(rows))
    sent = len(sandbox.journal())
    whole = muster("checklist")

    assert ended.outcomes == ["onboarded", "declined", "not_eligible", "quarantined"]
    assert items(muster) == {
        1: ("yes", "yes", "yes", "yes"),
        2: ("yes", "no", "open", "no"),
        3: ("yes", "yes", "no", "no"),
        4: ("no", "open", "open", "open"),
    }
    assert list(items(muster, "--missing")) == [2, 3, 4]
    assert (whole.code, "customer yes  decision yes  allowed type yes  wallet yes (PASSED)" in whole.stdout) == (
        1,
        True,
    )
    assert len(sandbox.journal()) == sent


def test_a_decision_that_is_outstanding_ends_with_5_and_a_complete_run_with_0(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    muster("run", file_of([person(1), person(2, "Kycstuck")]), "--decision-wait", "0")
    waiting = muster("checklist")
    waits = items(muster)[2]
    for customer in sandbox.state.customers:
        sandbox.amend("customers", customer, kyc="PASSED")
    muster("resume")

    assert (waiting.code, waits) == (5, ("yes", "open", "open", "open"))
    assert (muster("checklist").code, set(items(muster).values())) == (0, {("yes",) * 4})


def test_a_registration_has_no_such_checklist(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("register", file_of([person(1, identity="thandi.1")]), "--passwords", "delivered.csv")
    ended = muster("checklist")

    assert (ended.code, "was a registration" in ended.stderr) == (2, True)
