"""A key that was derived from an identity number is sent, and nowhere else: who can list numbers finds none of them."""

import hashlib
import io
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, arrivals, lines, writes
from .people import Row, person, written
from .test_leaks import leaks
from .test_privacy import both_verify, left

Filed = Callable[[list[Row]], Path]


def unreferred(number: int, *given: str, **changes: str) -> Row:
    """A person whose row has no reference of the source."""
    return {name: value for name, value in person(number, *given, **changes).items() if name != "row_ref"}


ROWS = [unreferred(1), unreferred(2, "Kycstuck"), unreferred(3, phone="1"), unreferred(4, "Kycfail")]
"""Onboarded, pending, refused though its number is good, declined."""


HIDDEN = re.compile(rb"hidden-[0-9a-f]{8}")

TYPES = range(5_001, 5_005)
"""Wallet types of the sandbox."""


def keys_of(sandbox: Sandbox, row: Row) -> list[str]:
    """The row's keys as the contract derives them: the customer's, and those of wallets of any type."""
    app = uuid.uuid5(uuid.NAMESPACE_DNS, "muster-onboarding")
    tenant = uuid.uuid5(app, f"eclipse|{sandbox.tenant}")
    customer = f"cust-{uuid.uuid5(tenant, 'national_id|' + row['national_id'])}"
    return [customer, *(f"wal-{uuid.uuid5(tenant, f'{customer}|{kind}')}" for kind in TYPES)]


def guesses(sandbox: Sandbox, rows: list[Row]) -> Iterator[tuple[str, str]]:
    """What somebody could compute from a number and look for: keys, and hashes of bodies that hold nothing else."""
    for row in rows:
        for key in keys_of(sandbox, row):
            yield key, "key"
            yield key.partition("-")[2][:24], "key"
    for entry in writes(sandbox):
        yield hashlib.sha256(orjson.dumps(entry.get("body") or {})).hexdigest(), "fingerprint"
    for row in rows:
        for kind, key in zip(TYPES, keys_of(sandbox, row)[1:], strict=True):
            body = {"walletTypeId": kind, "currency": "ZAR", "status": "ACTIVE", "externalUniqueId": key, "version": 0}
            yield hashlib.sha256(orjson.dumps(body)).hexdigest(), "fingerprint"


def found(muster: Muster, sandbox: Sandbox) -> list[str]:
    """Where something lies that leads to a number, but for the input and the rows that go back to be corrected."""
    lying = leaks(left(muster), dict(guesses(sandbox, ROWS)))
    return [each for each in lying if "customers.csv" not in each]


def test_no_file_and_no_ledger_leads_to_a_number_and_what_is_sent_stays(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    ended = muster("run", file_of(ROWS), "--decision-wait", "0")
    assert ended.outcomes == ["onboarded", "pending", "quarantined", "declined"]
    sent = {entry["externalUniqueId"] for entry in writes(sandbox) if entry["operation"] == "create_customer"}
    assert sent == {keys_of(sandbox, row)[0] for row in (ROWS[0], ROWS[1], ROWS[3])}
    assert all(row["external_unique_id"].startswith("hidden-") for row in ended.rows)
    assert ended.rows[0]["wallet_external_unique_id"].startswith("hidden-")
    assert found(muster, sandbox) == []
    both_verify(muster, ended.folder)


def test_a_wallet_whose_create_went_unanswered_is_asked_for_with_the_same_key(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.faults([{"operation": "create_wallet", "kind": "status", "params": {"status": 500}}])
    muster("run", file_of(ROWS[:1]))
    sandbox.faults([])
    again = muster("retry", "run-1")
    assert again.outcomes == ["onboarded"]
    keys = [entry["externalUniqueId"] for entry in writes(sandbox) if entry["operation"] == "create_wallet"]
    assert len(keys) > 1
    assert len(set(keys)) == 1
    assert set(keys) < set(keys_of(sandbox, ROWS[0]))
    assert found(muster, sandbox) == []


def test_a_ledger_that_holds_plain_keys_is_gone_on_with_as_it_is(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(ROWS)
    with monkeypatch.context() as older:
        older.setattr("jobs.intake.judge.GUESSED", frozenset())
        first = muster("run", path, "--decision-wait", "0")
    assert [row["external_unique_id"] for row in first.rows] == [keys_of(sandbox, row)[0] for row in ROWS]
    sandbox.amend("customers", int(first.rows[1]["customer_id"]), kyc="PASSED")
    before = arrivals(sandbox)
    second = muster("resume", "run-1")
    assert second.outcomes == ["already_onboarded", "onboarded", "quarantined", "declined"]
    assert [entry["operation"] for entry in writes(sandbox, before)] == ["create_wallet"]
    assert second.rows[0]["external_unique_id"] == first.rows[0]["external_unique_id"]
    assert second.rows[2]["external_unique_id"].startswith("hidden-")
    assert muster("report", "run-1").code in {0, 1}
    assert muster("purge", "--older-than", "0").code == 0
    purged = found(muster, sandbox)
    assert purged == [], purged
    for run in (first, second):
        both_verify(muster, run.folder)


@pytest.fixture
def ended(muster: Muster, file_of: Filed) -> Ended:
    return muster("run", file_of([ROWS[0], ROWS[2], ROWS[3]]))


def test_purging_drops_even_the_pseudonyms(muster: Muster, ended: Ended) -> None:
    assert any(HIDDEN.search(content) for content in left(muster).values())
    assert muster("purge", "--older-than", "0").code == 0
    assert [name for name, content in left(muster).items() if HIDDEN.search(content)] == []
    both_verify(muster, ended.folder)
    assert muster("verify", "run-1").code == 0


def test_a_forgotten_person_is_found_by_a_refused_row_alone(
    muster: Muster, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ended.folder / "quarantine.csv").write_text("nothing is found here\n")
    number = ROWS[2]["national_id"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
    assert muster("report", "run-1", "--prove", "-").code == 0
    hidden = ended.rows[1]["external_unique_id"]
    next(muster.folder.glob("proof-*")).unlink()  # it is theirs
    muster("report", "run-1")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
    assert muster("forget", "--subject", "-").code == 0
    assert [name for name, content in left(muster).items() if hidden.encode() in content] == []


def test_reconciling_and_looking_up_go_by_the_hidden_key(muster: Muster, sandbox: Sandbox, ended: Ended) -> None:
    plain, hidden = keys_of(sandbox, ROWS[0])[0], ended.rows[0]["external_unique_id"]
    for key in (plain, hidden):
        looked = muster("lookup", "--reference", key)
        assert (looked.code, ended.rows[0]["customer_id"] in looked.stdout) == (0, True), looked.stderr
    extract = [{"externalUniqueId": plain, **{name: ROWS[0][name] for name in ("email", "phone")}}]
    extract.append({"externalUniqueId": keys_of(sandbox, unreferred(9))[0], "email": "x@example.com", "phone": "1"})
    muster("reconcile", "run-1", "--against", written(muster.folder / "at-target.csv", extract))
    later = next(ended.folder.glob("reconcile-*")) / "reconciliation.csv"
    told = {(line["source_row"], line["external_unique_id"]): line["class"] for line in lines(later)}
    assert told.pop(("1", hidden)) != "missing_in_target"
    assert [key[1][:7] for key, found in told.items() if found == "only_in_target"] == ["hidden-"]
    assert "cust-" not in later.read_text()
