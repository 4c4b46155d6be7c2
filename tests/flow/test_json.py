"""What a scheduler reads of a run that was stopped, refused or interrupted: one document with its `error`."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, arrivals, eventually
from .people import Row, people, written

Filed = Callable[[list[Row]], Path]

BROKEN = [{"operation": "create_customer", "nth": "every", "kind": "status", "params": {"status": 500}}]


def error(ended: Ended) -> dict[str, Any]:
    """The `error` of the one document on stdout."""
    document = json.loads(ended.stdout)
    assert document["schema_version"] == 1
    found: dict[str, Any] = document["error"]
    assert found["exit_code"] == ended.code
    return found


@pytest.mark.usefixtures("hasty")
def test_a_run_that_was_stopped_tells_its_summary_and_the_error(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults(BROKEN)

    ended = muster("run", file_of(people(4)), "--breaker", "2", "--concurrency", "1", "--output", "json")

    found = error(ended)
    assert (found["code"], found["retryable"]) == ("policy", False)
    assert found["hint"] == "muster resume run-1"
    document = json.loads(ended.stdout)
    assert {name: value for name, value in document.items() if name != "error"} == ended.summary


@pytest.mark.slow
def test_a_run_that_came_to_its_end_has_no_error(muster: Muster, file_of: Filed) -> None:
    for rows, code in ((people(1), 0), (people(1, "Refused", first=2), 1), (people(1, "Kycstuck", first=3), 5)):
        ended = muster("run", file_of(rows), "--output", "json")

        assert (ended.code, json.loads(ended.stdout)) == (code, ended.summary)


def test_a_credential_that_is_refused(muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PASSWORD", "wrong")

    for command in (["run", file_of(people(1))], ["plan", "customers.csv"], ["lookup", "--customer-id", "1"]):
        found = error(muster(*command, "--output", "json"))

        assert (found["code"], found["exit_code"], found["retryable"]) == ("not_permitted", 4, False)


def test_a_tenant_that_another_run_works_on_may_be_tried_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(2))
    sandbox.configure(latency_ms=1_000)
    first = muster.start("run", path)
    eventually(lambda: arrivals(sandbox))

    refused = muster("run", path, "--output", "json")
    first.running.kill()
    muster.wait(first)

    found = error(refused)
    assert (found["code"], found["exit_code"], found["retryable"]) == ("locked", 6, True)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
@pytest.mark.parametrize("command", [["plan", "customers.csv"], ["lookup", "--customer-id", "1"]], ids=lambda c: c[0])
def test_a_signal_ends_a_command_that_only_reads_in_order(
    muster: Muster, sandbox: Sandbox, file_of: Filed, command: list[str], number: signal.Signals, code: int, word: str
) -> None:
    file_of(people(1))
    sandbox.configure(latency_ms=20_000)
    started = muster.start(*command, "--output", "json")
    eventually(lambda: arrivals(sandbox))
    started.running.send_signal(number)
    ended = muster.wait(started)

    assert ended.code == code, ended
    found = error(ended)
    assert (found["code"], found["retryable"]) == (word, True)
    assert "Traceback" not in ended.stderr
    assert list(muster.folder.glob("runs/.work-*")) == []


@pytest.mark.slow
def test_an_onboarding_that_can_not_follow_leaves_the_registration_in_the_document(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(muster.folder / "customers.csv", [row | {"identity": "thandi.nkosi.1"} for row in people(1)])
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.onboarding_identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.onboarding_password)
    for name, password in (("RECON", sandbox.password), ("OPERATOR", "wrong")):
        monkeypatch.setenv(f"MUSTER_{name}_IDENTITY", sandbox.identity)
        monkeypatch.setenv(f"MUSTER_{name}_PASSWORD", password)
    options = ("--passwords", "delivered.csv", "--then-onboard", "--output", "json")

    ended = muster("register", "customers.csv", *options)

    assert ended.code == 4, ended.stderr
    assert error(ended)["code"] == "not_permitted"
    assert json.loads(ended.stdout)["registration"]["command"] == "register"
