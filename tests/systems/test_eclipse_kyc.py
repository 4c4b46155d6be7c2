"""KYC at Eclipse: by kind and checks, and asked for again on purpose, never by accident."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.evidence.events import read_events
from jobs.sandbox.server import Sandbox
from jobs.systems.eclipse.decision import stale
from tests.flow.muster import ONE_OF_EACH, Ended, Muster, Standing, arrivals, standing, writes
from tests.flow.people import Row, person
from tests.forked import Forked

Filed = Callable[[list[Row]], Path]

pytestmark = pytest.mark.usefixtures("hasty")


def triggers(sandbox: Sandbox, after: int = 0) -> int:
    """How often KYC was asked for."""
    return sum(entry["operation"] == "trigger_kyc" for entry in writes(sandbox, after))


@pytest.fixture
def again(muster: Muster) -> Callable[..., Ended]:
    """`muster kyc RUN --retrigger` with more arguments."""
    return lambda run, *more: muster("kyc", run, "--retrigger", *more)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("arguments", "kind", "checks"),
    [
        ((), "NORMAL", 3),
        (("--kyc-type", "COMPARISON"), "COMPARISON", 3),
        (("--checks", "ofacCheck,sanctionsListCheck"), "NORMAL", 2),
    ],
)
def test_kyc_is_asked_for_by_kind_and_checks(
    muster: Muster, sandbox: Sandbox, file_of: Filed, arguments: tuple[str, ...], kind: str, checks: int
) -> None:
    muster("run", file_of([person(1)]), *arguments)
    (customer,) = sandbox.state.customers.values()
    (verification,) = customer.verifications
    assert (verification.kind, len(verification.checks)) == (kind, checks)


@pytest.mark.parametrize("arguments", [("--kyc-type", "QUICK"), ("--checks", "a,b c"), ("--checks", "x" * 61)])
def test_an_unusable_kind_or_check_ends_with_2(muster: Muster, file_of: Filed, arguments: tuple[str, ...]) -> None:
    assert muster("run", file_of([person(1)]), *arguments).code == 2


def test_a_failed_kyc_is_asked_for_again_and_the_row_finished(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended], tmp_path: Path
) -> None:
    rows = [person(1, "Kycsecond"), person(2), person(3, "Kycfail")]
    assert muster("run", file_of(rows)).outcomes == ["declined", "onboarded", "declined"]
    before = arrivals(sandbox)
    ended = again("run-1")
    assert (ended.code, ended.outcomes) == (1, ["onboarded", "already_onboarded", "declined"])
    assert [entry["operation"] for entry in writes(sandbox, before)].count("create_wallet") == 1
    assert triggers(sandbox, before) == 2
    assert muster("run", tmp_path / "customers.csv").outcomes == ["already_onboarded"] * 2 + ["declined"]
    assert triggers(sandbox, before) == 2


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit", "garbage_body"])
def test_a_lost_answer_is_not_taken_for_the_old_result(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended], tmp_path: Path, kind: str
) -> None:
    row = person(1, "Kycsecond")
    muster("run", file_of([row]))
    sandbox.faults([{"operation": "trigger_kyc", "kind": kind, "nth": 1}])
    ended = again("run-1")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert standing(sandbox, row["national_id"]) == Standing(customers=1, verifications=2, wallets=1)


@pytest.mark.slow
def test_rows_in_doubt_about_kyc_are_asked_for_once_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended], tmp_path: Path
) -> None:
    sandbox.faults([{"operation": "trigger_kyc", "kind": "drop_before_commit"}])
    assert muster("run", file_of([person(1)])).outcomes == ["in_doubt"]
    sandbox.faults([])
    assert muster("resume").outcomes == ["in_doubt"]
    assert again("run-1").code == 0
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


@pytest.mark.slow
def test_only_the_rows_that_are_named_are_asked_again_and_the_word_is_on_record(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended]
) -> None:
    sandbox.faults([{"operation": "trigger_kyc", "match": {"lastName": "Nkosi"}, "kind": "drop_before_commit"}])
    rows = [person(1), person(2), person(3, "Kycsecond"), person(4, "Dlamini")]
    assert muster("run", file_of(rows)).outcomes == ["in_doubt", "in_doubt", "declined", "onboarded"]
    sandbox.faults([])
    before = arrivals(sandbox)
    for wrong in ("4", "2,9", "x", "0x1", ""):
        assert (wrong, again("run-1", "--rows", wrong).code) == (wrong, 2)
    assert writes(sandbox, before) == []
    ended = again("run-1", "--rows", "2", "--yes")
    assert ended.outcomes == ["in_doubt", "onboarded", "declined", "already_onboarded"]
    assert triggers(sandbox, before) == 1
    events = read_events(ended.folder / "events.ndjson")
    (asked,) = [event for event in events if event["kind"] == "decision"]
    assert (asked["source_row"], json.loads(asked["detail"])) == (2, {"unanswered": "2"})
    assert again("run-1", "--rows", "1,3").outcomes == [
        "onboarded",
        "already_onboarded",
        "onboarded",
        "already_onboarded",
    ]


def test_a_person_at_a_terminal_is_asked_before_rows_in_doubt_are_asked_about_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "trigger_kyc", "kind": "drop_before_commit"}])
    assert muster("run", file_of([person(1)])).outcomes == ["in_doubt"]
    before = arrivals(sandbox)
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    pipe = subprocess.PIPE
    asked = Forked(["kyc", "run-1", "--retrigger"], os.environ, stdin=theirs, stdout=pipe, stderr=pipe)
    _, said = asked.communicate(timeout=60)
    for side in (ours, theirs):
        os.close(side)
    assert (asked.returncode, "In doubt: 1." in said, arrivals(sandbox)) == (130, True, before)


@pytest.mark.slow
def test_a_result_without_a_time_is_no_licence_to_ask_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended]
) -> None:
    sandbox.faults([{"operation": "trigger_kyc", "kind": "drop_before_commit"}])
    assert muster("run", file_of([person(1)])).outcomes == ["in_doubt"]
    params = {"status": 200, "body": [{"status": "PENDING"}]}
    sandbox.faults([{"operation": "read_kyc", "kind": "status", "params": params}])
    before = arrivals(sandbox)
    assert again("run-1").outcomes == ["pending"]
    assert triggers(sandbox, before) == 0


@pytest.mark.slow
def test_what_passed_is_asked_again_only_when_its_number_is_named(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended], tmp_path: Path
) -> None:
    muster("run", file_of([person(1), person(2), person(3, "Kycfail")]))
    before = arrivals(sandbox)
    for more in (("--include-passed",), ("--include-passed", "--confirm", "3")):
        refused = again("run-1", *more)
        assert (refused.code, "2 rows" in refused.stderr) == (2, True), refused.stderr
    assert writes(sandbox, before) == []
    ended = again("run-1", "--include-passed", "--confirm", "2")
    assert triggers(sandbox, before) == 3
    assert ended.outcomes == ["onboarded", "onboarded", "declined"]


def test_an_outstanding_kyc_is_never_asked_for_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended]
) -> None:
    muster("run", file_of([person(1, "Kycstuck")]))
    before = arrivals(sandbox)
    assert again("run-1", "--include-passed", "--confirm", "0").code == 2
    assert writes(sandbox, before) == []


@pytest.mark.slow
def test_a_result_that_passed_meanwhile_is_taken_without_asking(
    muster: Muster, sandbox: Sandbox, file_of: Filed, again: Callable[..., Ended], tmp_path: Path
) -> None:
    muster("run", file_of([person(1, "Kycfail")]))
    (customer,) = sandbox.state.customers.values()
    customer.verifications[-1].status = "PASSED"
    before = arrivals(sandbox)
    assert again("run-1").outcomes == ["onboarded"]
    assert [entry["operation"] for entry in writes(sandbox, before)] == ["create_wallet"]


@pytest.mark.slow
def test_who_asked_again_stands_in_the_history(
    muster: Muster, file_of: Filed, again: Callable[..., Ended], tmp_path: Path
) -> None:
    muster("run", file_of([person(1, "Kycfail")]))
    ended = again("run-1")
    events = read_events(ended.folder / "events.ndjson")
    (asked,) = [event for event in events if event["kind"] == "decision"]
    assert (asked["verdict"], json.loads(asked["detail"])["was"]) == ("ask_again", "FAILED")
    assert muster("verify", ended.folder.name).code == 0


def test_without_the_word_retrigger_nothing_happens(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of([person(1, "Kycfail")]))
    before = arrivals(sandbox)
    assert muster("kyc", "run-1").code == 2
    assert arrivals(sandbox) == before


@pytest.mark.parametrize(
    ("shown", "after", "old"),
    [
        ("2026-05-19T08:30:20.000Z", None, False),
        ("2026-05-19T08:30:20.000Z", "2026-05-19T08:30:20Z", True),
        ("2026-05-19T08:30:20.001Z", "2026-05-19T08:30:20.000Z", False),
        (None, "2026-05-19T08:30:20.000Z", True),
    ],
)
def test_only_a_later_result_answers_the_new_question(shown: str | None, after: str | None, old: bool) -> None:
    assert stale({"status": "FAILED", "lastModified": shown}, after) is old


def test_every_report_names_the_checks_that_failed(muster: Muster, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, "Kycfail"), person(2, "Kycfail"), person(3)]))
    assert ended.summary["failed_checks"] == {"sanctionsListCheck": 2}
    told = [ended.stdout, muster("status", ended.folder.name).stdout]
    told += [(ended.folder / name).read_text() for name in ("report.html", "report.md", "outcome.csv")]
    assert [text.count("sanctionsListCheck") > 0 for text in told] == [True] * 5


@pytest.mark.few(1)
@pytest.mark.parametrize("when", ["before", "after"])
def test_asking_again_survives_a_kill(muster: Muster, sandbox: Sandbox, file_of: Filed, when: str) -> None:
    row = person(1, "Kycsecond")
    muster("run", file_of([row]))
    muster.killed("trigger_kyc", when, 1, "kyc", "run-1", "--retrigger")
    assert muster("resume").outcomes == ["onboarded"]
    assert standing(sandbox, row["national_id"]) == Standing(customers=1, verifications=2, wallets=1)
