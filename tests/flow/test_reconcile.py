"""The target is read again, later: what changed there is found, named by its class, and nothing else is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, arrivals, lines, writes
from .people import Row, people, person, record

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def onboarded(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    ended = muster("run", file_of(people(8)))
    assert ended.code == 0
    return ended


def customer(ended: Ended, row: int) -> int:
    return int(ended.rows[row - 1]["customer_id"])


def wallet(ended: Ended, row: int) -> int:
    return int(ended.rows[row - 1]["wallet_id"])


def found(muster: Muster) -> list[tuple[int, str, str]]:
    """Row, class and field of the newest reconciliation's lines but the matches."""
    newest = max((muster.folder / "runs" / "run-1").glob("reconcile-*"))
    read = lines(newest / "reconciliation.csv")
    return [(int(line["source_row"]), line["class"], line["field"]) for line in read if line["class"] != "match"]


@pytest.mark.slow
def test_nothing_changed_is_all_matches(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    before = arrivals(sandbox)
    ended = muster("reconcile", "run-1")
    assert (ended.code, found(muster)) == (0, [])
    assert writes(sandbox, before) == []


CHANGES: dict[str, tuple[Callable[[Sandbox, Ended], None], list[tuple[int, str, str]]]] = {
    "name": (
        lambda sandbox, ended: sandbox.amend("customers", customer(ended, 2), firstName="Another"),
        [(2, "field_difference", "first_name")],
    ),
    "phone": (
        lambda sandbox, ended: sandbox.amend("customers", customer(ended, 3), phone1="27829999999"),
        [(3, "field_difference", "phone")],
    ),
    "wallet gone": (
        lambda sandbox, ended: sandbox.amend("wallets", wallet(ended, 4), deleted=True),
        [(4, "partial", "wallet_id")],
    ),
    "customer gone": (
        lambda sandbox, ended: sandbox.amend("customers", customer(ended, 5), deleted=True),
        [(5, "missing_in_target", "customer_id")],
    ),
    "verification withdrawn": (
        lambda sandbox, ended: sandbox.amend("customers", customer(ended, 6), kyc="FAILED"),
        [(6, "status_difference", "decision_status")],
    ),
    "customer closed": (
        lambda sandbox, ended: sandbox.amend("customers", customer(ended, 7), status="CLOSED"),
        [(7, "status_difference", "status")],
    ),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("change", CHANGES)
def test_a_later_change_is_found_exactly(muster: Muster, sandbox: Sandbox, onboarded: Ended, change: str) -> None:
    apply, expected = CHANGES[change]
    apply(sandbox, onboarded)
    ended = muster("reconcile", "run-1")
    assert found(muster) == expected
    assert ended.code == 1


@pytest.mark.slow
def test_all_changes_at_once_and_then_mended(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    for apply, _ in CHANGES.values():
        apply(sandbox, onboarded)
    assert muster("reconcile", "run-1").code == 1
    assert found(muster) == sorted(line for _, expected in CHANGES.values() for line in expected)
    first = {path.name for path in onboarded.folder.glob("reconcile-*")}
    assert muster("reconcile", "run-1").code == 1
    second = {path.name for path in onboarded.folder.glob("reconcile-*")}
    assert (len(first), len(second)) == (1, 2)
    assert muster("verify", "run-1").code == 0


def test_a_reconciliation_leaves_its_own_folder_with_all_its_files(
    muster: Muster, sandbox: Sandbox, onboarded: Ended
) -> None:
    before = {path.name: path.read_bytes() for path in onboarded.folder.iterdir() if path.is_file()}
    muster("reconcile", "run-1")
    folder = max(onboarded.folder.glob("reconcile-*"))
    names = {"reconciliation.csv", "reconciliation.parquet", "summary.json", "SHA256SUMS"}
    assert names <= {path.name for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in onboarded.folder.iterdir() if path.is_file()} == before


def test_reads_that_fail_are_unverified_and_never_a_match(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, hasty: None
) -> None:
    match = {"customerId": str(customer(onboarded, 3))}
    sandbox.faults([{"operation": "get_customer", "match": match, "kind": "status", "params": {"status": 500}}])
    ended = muster("reconcile", "run-1")
    assert (ended.code, found(muster)) == (1, [(3, "unverified", "")])


def test_a_run_finds_what_somebody_changed_since(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    sandbox.amend("wallets", wallet(onboarded, 2), deleted=True)
    again = muster("run", muster.folder / "customers.csv")
    assert again.outcomes == ["already_onboarded"] * 8
    classes = [line["class"] for line in again.reconciliation]
    assert classes == ["match", "partial", *["match"] * 6]
    assert again.code == 1


def test_each_outcome_is_compared_with_what_it_promises(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.plant(**record(person(5), externalUniqueId="cust-of-another"))
    never: dict[str, Any] = {"kind": "status", "params": {"status": 500}, "match": {"lastName": "Never"}}
    sandbox.faults([{"operation": "create_wallet", **never}])
    rows = [
        person(1),
        person(2, "Kycfail"),
        person(3, "Nowallet"),
        person(4, "Kycstuck"),
        person(5),
        person(6, "Refused"),
        person(7, phone="1"),
        person(8, "Never"),
    ]
    ended = muster("run", file_of(rows))
    assert ended.outcomes[-1] == "failed"
    classes = [line["class"] for line in ended.reconciliation]
    assert classes == ["match", "match", "match", "match", "not_sent", "match", "not_sent", "match"]


@pytest.mark.few(1)
@pytest.mark.parametrize("last_name", ["Kycfail", "Nowallet", "Kycstuck", "Never"])
def test_a_wallet_that_nobody_promised_is_a_difference(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, last_name: str
) -> None:
    never: dict[str, Any] = {"kind": "status", "params": {"status": 500}, "match": {"lastName": "Never"}}
    sandbox.faults([{"operation": "create_wallet", **never}])
    ended = muster("run", file_of([person(1, last_name)]))
    sandbox.faults([])
    only = sandbox.state.customers[customer(ended, 1)]
    sandbox._in_thread(  # a wallet from elsewhere; planting makes customers only
        lambda: sandbox.state.add_wallet(
            only, {"walletTypeId": 5001, "currency": "ZAR", "status": "ACTIVE", "externalUniqueId": "wal-else"}, 0.0
        )
    )
    assert muster("reconcile", "run-1").code == 1
    assert found(muster) == [(1, "status_difference", "wallet_id")]


def test_a_refused_login_leaves_no_folder(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_PASSWORD", "not-the-password")
    assert muster("reconcile", "run-1").code == 4
    assert list(onboarded.folder.glob("reconcile-*")) == []
    assert muster("verify", "run-1").code == 0
