"""Customers that only the target has are named, bounded by the run's time; a listing is used where it costs less."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, arrivals, lines
from .people import Row, people, person, record

Filed = Callable[[list[Row]], Path]


DAY = 86_400.0


@pytest.fixture
def onboarded(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    return muster("run", file_of(people(6)))


def stranger(sandbox: Sandbox, number: int, *, days_earlier: int = 0) -> str:
    """A customer that was not in the file."""
    planted: Any = sandbox.plant(**record(person(number), externalUniqueId=f"else-{number}"))
    customer = max(sandbox.state.customers.values(), key=lambda each: int(each.customer_id))
    customer.created -= days_earlier * DAY
    assert planted is not False
    return str(customer.customer_id)


def found(ended: Ended) -> list[tuple[str, str, str]]:
    read = lines(max(ended.folder.glob("reconcile-*")) / "reconciliation.csv")
    return [(line["source_row"], line["class"], line["customer_id"]) for line in read if line["class"] != "match"]


def test_who_is_only_at_the_target_is_named(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    stranger(sandbox, 80, days_earlier=2)
    new = stranger(sandbox, 81)
    assert muster("reconcile", "run-1").code == 0
    ended = muster("reconcile", "run-1", "--list")
    assert (ended.code, found(onboarded)) == (1, [("", "only_in_target", new)])
    assert "listing of 8 customers" in ended.stdout
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_a_stranger_who_goes_away_is_a_change(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    new = stranger(sandbox, 81)
    muster("reconcile", "run-1", "--list")
    sandbox.amend("customers", int(new), deleted=True)
    ended = muster("reconcile", "run-1", "--list")
    (change,) = lines(max(onboarded.folder.glob("reconcile-*")) / "changes.csv")
    assert (ended.code, change["change"], change["customer_id"]) == (0, "cleared", new)


def test_a_listing_that_is_not_whole_claims_nothing(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.reconciliation.listing.MOST_LISTED", 3)
    ended = muster("reconcile", "run-1", "--list")
    assert (ended.code, found(onboarded)) == (1, [("", "unverified", "")])
    assert "unverified: who else is only at the target" in ended.stdout


def test_a_listing_is_used_unasked_where_it_costs_less(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", 6)
    sandbox.amend("customers", int(onboarded.rows[1]["customer_id"]), firstName="Another")
    sandbox.amend("customers", int(onboarded.rows[2]["customer_id"]), deleted=True)
    before = arrivals(sandbox)
    ended = muster("reconcile", "run-1")
    calls = Counter(each["operation"] for each in sandbox.journal(before))
    assert calls["get_customer"] == 2  # the two that differ, read for themselves
    assert {row for row, *_ in found(onboarded)} == {"2", "3"}
    assert "from a listing of 5 customers" in ended.stdout


@pytest.mark.few(1)
@pytest.mark.parametrize(("option", "worth"), [("--no-list", 1), ("--list", 1000)])
def test_the_way_of_reading_can_be_chosen(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch, option: str, worth: int
) -> None:
    monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", worth)
    before = arrivals(sandbox)
    ended = muster("reconcile", "run-1", option)
    calls = Counter(each["operation"] for each in sandbox.journal(before))
    assert (ended.code, found(onboarded)) == (0, [])
    assert calls["get_customer"] == (6 if option == "--no-list" else 0)


def test_a_listing_that_would_cost_more_is_given_up(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", 6)
    monkeypatch.setattr("jobs.systems.listing.LEAST_PAGES", 1)
    ended = muster("reconcile", "run-1")
    assert (ended.code, found(onboarded)) == (0, [])
    assert "a listing was given up" in ended.stdout
