"""What was done once is not done again: same file, other file, changed rows, a ledger that was lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Muster, arrivals, standing, writes
from .people import Row, identity_number, people, person, written

Filed = Callable[[list[Row]], Path]

MIXED = [
    person(1),
    person(2, "Kycfail"),
    person(3, "Nowallet"),
    person(4, "Refused"),
    person(5, phone="12"),
    person(6, "Kycslow"),
]


def forget(folder: Path) -> None:
    """The ledger is lost, and its key too."""
    for path in folder.glob("muster.db*"):
        path.unlink()


@pytest.mark.few(1)
def test_the_same_file_again_changes_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    first = muster("run", file_of(people(5)))
    before = arrivals(sandbox)
    again = muster("run", muster.folder / "customers.csv")
    assert (first.code, again.code) == (0, 0)
    assert again.outcomes == ["already_onboarded"] * 5
    assert writes(sandbox, before) == []
    assert again.summary["requests"]["mutating"] == 0
    names = ("customer_id", "wallet_id", "wallet_external_unique_id", "customer_origin")
    assert [[row[name] for name in names] for row in again.rows] == [
        [row[name] for name in names] for row in first.rows
    ]


def test_of_rows_that_were_complete_before_no_more_are_read_again_than_was_said(muster: Muster, file_of: Filed) -> None:
    muster("run", file_of(people(5)))
    again = muster("run", file_of(people(7)), "--reread", "0")
    assert (again.code, again.outcomes) == (0, ["already_onboarded"] * 5 + ["onboarded"] * 2)
    assert [line["source_row"] for line in again.reconciliation] == ["6", "7"]
    assert (again.summary["not_read"]["rows"], again.summary["not_read"]["complete"]) == (5, 5)
    assert all(equation["ok"] for equation in again.summary["equations"])
    assert any("5 rows that were complete before were not read again" in note for note in again.summary["notes"])
    assert len(muster("run", file_of(people(7))).reconciliation) == 7


@pytest.mark.slow
def test_rows_that_no_run_has_read_are_read_however_few_were_asked_for(muster: Muster, file_of: Filed) -> None:
    muster("run", file_of(people(3)))
    with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger, ledger:
        ledger.execute("UPDATE run SET summary = NULL")  # as a run leaves it that dies before it reads
    again = [len(muster("run", file_of(people(3)), "--reread", "0").reconciliation) for _ in range(2)]
    assert again == [3, 0], "the second run has read them for the first"


@pytest.mark.slow
def test_rows_that_ended_badly_are_reported_again_without_a_write(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    first = muster("run", file_of(MIXED))
    before = arrivals(sandbox)
    again = muster("run", muster.folder / "customers.csv")
    assert first.outcomes == ["onboarded", "declined", "not_eligible", "rejected", "quarantined", "onboarded"]
    assert again.outcomes == ["already_onboarded", *first.outcomes[1:5], "already_onboarded"]
    assert [row["reason_code"] for row in again.rows] == [row["reason_code"] for row in first.rows]
    assert writes(sandbox, before) == []
    assert (first.code, again.code) == (1, 1)


@pytest.mark.slow
def test_a_pending_row_is_only_read_again(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    first = muster("run", file_of([person(1, "Kycstuck")]))
    before = arrivals(sandbox)
    again = muster("run", muster.folder / "customers.csv")
    assert (first.code, again.code) == (5, 5)
    assert (first.outcomes, again.outcomes) == (["pending"], ["pending"])
    assert writes(sandbox, before) == []


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("in_profile", "in_wallets", "outcomes"),
    [
        (True, True, ["already_onboarded", "declined", "pending", "not_eligible"]),
        (True, False, ["already_onboarded", "declined", "pending", "not_eligible"]),
        (False, True, ["already_onboarded", "conflict", "conflict", "conflict"]),
        (False, False, ["conflict", "conflict", "conflict", "conflict"]),
    ],
    ids=["key shown", "key in the profile only", "key in the wallets only", "key hidden"],
)
def test_without_the_ledger_customers_are_proven_ours_by_their_key_or_left_alone(
    muster: Muster, sandbox: Sandbox, file_of: Filed, in_profile: bool, in_wallets: bool, outcomes: list[str]
) -> None:
    sandbox.configure(show_external_ids=in_profile, show_wallet_external_ids=in_wallets)
    rows = [person(1), person(2, "Kycfail"), person(3, "Kycstuck"), person(4, "Nowallet")]
    first = muster("run", file_of(rows))
    forget(muster.folder)
    before = arrivals(sandbox)
    again = muster("run", muster.folder / "customers.csv")
    assert again.outcomes == outcomes
    assert writes(sandbox, before) == []
    adopted = [row for row in again.rows if row["outcome"] != "conflict"]
    assert {row["customer_origin"] for row in adopted} <= {"adopted"}
    assert {row["reason_code"] for row in again.rows if row["outcome"] == "conflict"} <= {"unproven"}
    if outcomes[0] == "already_onboarded":
        assert again.rows[0]["wallet_id"] == first.rows[0]["wallet_id"]


def test_a_key_file_that_was_lost_alone_sends_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of(people(3)))
    (muster.folder / "muster.db.key").unlink()
    before = arrivals(sandbox)
    muster("run", muster.folder / "customers.csv")
    assert writes(sandbox, before) == []


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("column", "value", "outcome"),
    [
        ("email", "another.address@example.com", "already_onboarded"),
        ("last_name", "Botha", "already_onboarded"),
        ("phone", "27824999999", "already_onboarded"),
        ("national_id", identity_number(999), "conflict"),
    ],
)
def test_changed_data_under_a_known_row_ref_are_reported_and_not_sent(
    muster: Muster, sandbox: Sandbox, file_of: Filed, column: str, value: str, outcome: str
) -> None:
    muster("run", file_of([person(1), person(2)]))
    before = arrivals(sandbox)
    again = muster("run", file_of([person(1) | {column: value}, person(2)]))
    assert again.outcomes == [outcome, "already_onboarded"]
    assert again.rows[0]["reason_code"] == "changed_since"
    assert writes(sandbox, before) == []
    assert again.code == 1


def test_a_rejected_row_that_was_mended_is_sent(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    first = muster("run", file_of([person(1, "Refused"), person(2)]))
    again = muster("run", file_of([person(1, "Mended"), person(2)]))
    assert first.outcomes == ["rejected", "onboarded"]
    assert again.outcomes == ["onboarded", "already_onboarded"]
    assert again.code == 0


@pytest.mark.slow
def test_a_declined_row_that_was_changed_is_not_sent_again(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of([person(1, "Kycfail")]))
    before = arrivals(sandbox)
    again = muster("run", file_of([person(1, "Mended")]))
    assert again.outcomes == ["declined"]
    assert writes(sandbox, before) == []


@pytest.mark.slow
def test_another_file_with_the_same_customers_finds_them_done(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of(people(3)))
    before = arrivals(sandbox)
    other = written(muster.folder / "tomorrow.csv", [person(4), *reversed(people(3))])
    ended = muster("run", other)
    assert ended.outcomes == ["onboarded"] + ["already_onboarded"] * 3
    assert {entry["externalUniqueId"] for entry in writes(sandbox, before)} & {
        row["external_unique_id"] for row in ended.rows[1:]
    } == set()


def test_the_same_customer_without_row_ref_keeps_its_key_by_identity(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = [{name: value for name, value in row.items() if name != "row_ref"} for row in people(2)]
    first = muster("run", file_of(rows))
    forget(muster.folder)
    again = muster("run", file_of(rows))
    assert [row["customer_id"] for row in first.rows] == [row["customer_id"] for row in again.rows]
    assert again.outcomes == ["already_onboarded"] * 2
    assert all(standing(sandbox, row["national_id"]).customers == 1 for row in rows)


def test_retry_takes_failed_rows_and_nothing_else(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    rule = {"operation": "create_customer", "kind": "status", "params": {"status": 500}, "match": {"lastName": "Botha"}}
    sandbox.faults([rule])
    first = muster("run", file_of([person(1), person(2, "Botha"), person(3, "Kycfail")]))
    sandbox.faults([])
    before = arrivals(sandbox)
    run_again = muster("run", muster.folder / "customers.csv")
    assert writes(sandbox, before) == []
    retried = muster("retry", "run-2")
    assert first.outcomes == ["onboarded", "failed", "declined"]
    assert run_again.outcomes == ["already_onboarded", "failed", "declined"]
    assert retried.outcomes == ["already_onboarded", "onboarded", "declined"]
    assert standing(sandbox, identity_number(3)).verifications == 1


@pytest.mark.few(1)
@pytest.mark.parametrize(("shown", "reason"), [(True, "same_person"), (False, "unproven")])
def test_the_same_person_under_another_row_ref_is_a_conflict(
    muster: Muster, sandbox: Sandbox, file_of: Filed, shown: bool, reason: str
) -> None:
    sandbox.configure(show_external_ids=shown)
    muster("run", file_of([person(1)]))
    before = arrivals(sandbox)
    again = muster("run", file_of([person(1) | {"row_ref": "CRM-renamed"}]))
    assert (again.outcomes, again.rows[0]["reason_code"]) == (["conflict"], reason)
    assert writes(sandbox, before) == []
