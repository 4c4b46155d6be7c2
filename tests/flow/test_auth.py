"""Credentials that are wrong, expire or are refused: exit 4, and no row goes without an outcome."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Muster, eventually, standing, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


def test_a_wrong_password_ends_with_4_and_leaves_no_folder(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_PASSWORD", "not-the-password")
    ended = muster("run", file_of(people(2)))
    assert ended.code == 4
    assert not ended.folder.exists()
    assert {entry["operation"] for entry in sandbox.journal()} == {"login"}
    assert "not-the-password" not in ended.stderr + ended.stdout


def test_a_credential_of_another_tenant_ends_with_4_before_any_other_call(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_IDENTITY", "other-operator")
    monkeypatch.setenv("MUSTER_PASSWORD", "other-password")
    ended = muster("run", file_of(people(2)))
    assert (ended.code, ended.folder.exists()) == (4, False)
    assert [entry["operation"] for entry in sandbox.journal()] == ["login"]
    assert f"not to {sandbox.tenant}" in ended.stderr


def test_no_credential_at_all_is_a_matter_of_settings(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSTER_PASSWORD")
    ended = muster("run", file_of(people(1)))
    assert (ended.code, sandbox.journal()) == (2, [])
    assert "MUSTER_PASSWORD" in ended.stderr


def test_tokens_that_expire_during_the_run_are_replaced(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    def expire() -> None:
        """All tokens that were given so far are a day old, twice."""
        for days in (1, 2):
            eventually(lambda days=days: len(writes(sandbox)) >= 20 * days)
            sandbox.configure(clock_offset=86_400.0 * days)

    rows = people(20)
    clock = threading.Thread(target=expire)
    clock.start()
    ended = muster("run", file_of(rows), "--concurrency", "2")
    clock.join()
    assert (ended.code, ended.counts["onboarded"]) == (0, 20)
    assert len([entry for entry in sandbox.journal() if entry["operation"] in {"login", "renew"}]) >= 3
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 20


def test_a_wave_of_401_costs_one_login(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    names = [f"Nkosi{letter}" for letter in "abcdefgh"]
    first: dict[str, Any] = {"operation": "create_customer", "nth": 1, "kind": "unauthorized"}
    sandbox.faults([first | {"match": {"lastName": name}} for name in names])
    rows = [person(number, name) for number, name in enumerate(names, 1)]
    ended = muster("run", file_of(rows), "--concurrency", "8")
    assert ended.outcomes == ["onboarded"] * 8
    logins = [entry for entry in sandbox.journal() if entry["operation"] in {"login", "renew"}]
    assert len(logins) <= 4  # the run's, the wave's (of which some may come late), the reconciliation's


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["create_customer", "trigger_kyc", "create_wallet"])
def test_a_write_that_met_an_expired_token_is_sent_again_and_the_books_close(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    sandbox.faults([{"operation": operation, "nth": [1], "kind": "unauthorized"}])
    rows = people(2)
    ended = muster("run", file_of(rows))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 2
    assert muster("reconcile", "run-1").code == 0
    assert muster("report", "run-1").code == 0


WRITES = ("create_customer", "trigger_kyc", "create_wallet")
REFUSALS: dict[str, dict[str, Any]] = {
    "forbidden": {"status": 403},
    "step-up": {"status": 403, "headers": {"SCA": "id=abc;type=OTP"}},
    "no configuration": {
        "status": 400,
        "body": [{"code": "PNF001", "description": "no configuration", "traceId": "t"}],
    },
}
CASES = [
    pytest.param(operation, refusal, marks=() if place == number else pytest.mark.slow, id=f"{name}-{operation}")
    for number, (name, refusal) in enumerate(REFUSALS.items())
    for place, operation in enumerate(WRITES)
]
"""Each refusal at each write, and always at one of them."""


@pytest.mark.few(1)
@pytest.mark.parametrize(("operation", "params"), CASES)
def test_a_refused_credential_stops_the_run_with_every_row_reported(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, params: dict[str, Any]
) -> None:
    sandbox.faults([{"operation": operation, "kind": "status", "params": params}])
    ended = muster("run", file_of(people(30)), "--concurrency", "2")
    assert ended.code == 4
    assert len(ended.rows) == 30
    assert set(ended.outcomes) == (
        {"not_attempted"} if operation == "create_customer" else {"pending", "not_attempted"}
    )
    assert len([entry for entry in writes(sandbox) if entry["operation"] == operation]) <= 2
    assert {row["reason_code"] for row in ended.rows if row["outcome"] == "not_attempted"} == {"not_permitted"}
    assert all(equation["ok"] for equation in ended.summary["equations"] if equation["kind"] == "books")
    sandbox.faults([])
    assert muster("resume").outcomes == ["onboarded"] * 30


def test_a_credential_that_only_registers_ends_a_run_before_its_first_call(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.onboarding_identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.onboarding_password)
    ended = muster("run", file_of(people(3)))

    assert (ended.code, writes(sandbox), ended.folder.exists()) == (4, [], False)
    assert "the position ONBOARDING" in ended.stderr
    assert "muster register INPUT" in ended.stderr
    assert {entry["operation"] for entry in sandbox.journal()} == {"login"}
    assert "FAIL  login" in muster("doctor").stdout


def test_what_was_refused_to_the_run_is_its_first_sentence_and_what_programs_are_told(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "create_customer", "kind": "status", "params": {"status": 403}}])
    ended = muster("run", file_of(people(2)))
    document = json.loads(muster("run", muster.folder / "customers.csv", "--output", "json").stdout)

    assert (
        "The run was stopped: the credential may not create customer" in ended.stdout.splitlines()[2]
    )  # behind that of a stand-in
    assert document["error"]["message"].startswith("the credential may not create customer")
    assert "may not create customer" in (ended.folder / "report.md").read_text("utf-8")


def test_a_row_that_is_forbidden_after_others_went_through_is_rejected_alone(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": 3, "kind": "status", "params": {"status": 403}}])
    ended = muster("run", file_of(people(5)), "--concurrency", "1")
    assert ended.outcomes == ["onboarded", "onboarded", "rejected", "onboarded", "onboarded"]
    assert (ended.rows[2]["reason_code"], ended.code) == ("forbidden", 1)


@pytest.mark.slow
def test_reads_that_are_forbidden_stop_the_run(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.faults([{"operation": "search_customers", "kind": "status", "params": {"status": 403}}])
    ended = muster("run", file_of(people(3)))
    assert (ended.code, ended.outcomes) == (4, ["not_attempted"] * 3)
    assert writes(sandbox) == []


@pytest.mark.slow
def test_a_login_that_is_refused_by_the_reconciliation_leaves_a_complete_report(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_RECON_IDENTITY", "auditor")
    monkeypatch.setenv("MUSTER_RECON_PASSWORD", "not-the-password")
    ended = muster("run", file_of(people(2)))
    assert (ended.code, ended.outcomes) == (4, ["onboarded"] * 2)


def test_a_redirect_is_not_followed(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    params = {"status": 307, "location": f"{sandbox.base_url}/elsewhere"}
    sandbox.faults([{"operation": "create_customer", "kind": "redirect", "params": params}])
    ended = muster("run", file_of(people(1)))
    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["failed"], "redirected")
    assert [entry["operation"] for entry in writes(sandbox)] == ["create_customer"]
