"""What a person decided: checked before anything is sent, kept in the history, and followed."""

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.evidence.events import read_events
from jobs.ledger.packed import pack, unpack
from jobs.sandbox.server import Sandbox

from .muster import ONE_OF_EACH, Ended, Muster, Standing, arrivals, lines, standing, writes
from .people import Row, person, record

Filed = Callable[[list[Row]], Path]

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def left_open(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    """Row 1 is a conflict: the same person is there without our key. Row 2 went well."""
    sandbox.plant(**record(person(1), externalUniqueId="cust-of-another"))
    ended = muster("run", file_of([person(1), person(2)]))
    assert ended.outcomes == ["conflict", "onboarded"]
    return ended


@pytest.fixture
def in_doubt(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    """One row whose KYC was asked for twice without an answer, and reading shows no trace of it."""
    sandbox.faults([{"operation": "trigger_kyc", "kind": "drop_before_commit"}])
    ended = muster("run", file_of([person(1)]))
    assert ended.outcomes == ["in_doubt"]
    sandbox.faults([])
    return ended


def holder(sandbox: Sandbox, row: Row) -> str:
    """The customer that holds the row's identity number."""
    held = (
        each for each in sandbox.state.customers.values() if each.fields["nationalIdentityNumber"] == row["national_id"]
    )
    return str(next(held).customer_id)


def decided(folder: Path, *rows: str, header: str = "row,decision,customer_id,reason,decided_by") -> Path:
    path = folder / "decided.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def told(folder: Path) -> list[dict[str, Any]]:
    """The decisions in the history of a folder."""
    events = read_events(folder / "events.ndjson")
    return [{"verdict": each["verdict"], **json.loads(each["detail"])} for each in events if each["kind"] == "decision"]


def test_a_customer_that_is_ours_is_adopted_and_finished(muster: Muster, sandbox: Sandbox, left_open: Ended) -> None:
    customer_id = holder(sandbox, person(1))
    path = decided(muster.folder, f"1,ours,{customer_id},seen in the branch,A. Auditor")
    ended = muster("resume", "run-1", "--decisions", path)
    assert ended.outcomes == ["onboarded", "already_onboarded"]
    assert (ended.rows[0]["customer_id"], ended.rows[0]["customer_origin"]) == (customer_id, "adopted")
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH
    expected = {"customer_id": customer_id, "decided_by": "A. Auditor", "reason": "seen in the branch"}
    assert told(ended.folder) == [{"verdict": "ours", **expected}]
    assert muster("verify", ended.folder.name).code == 0


@pytest.mark.few(1)
@pytest.mark.parametrize("way", ["purge", "forget"])
def test_why_somebody_decided_goes_with_the_run_and_the_customer_with_the_person(
    muster: Muster, sandbox: Sandbox, left_open: Ended, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    customer_id = holder(sandbox, person(1))
    path = decided(muster.folder, f"1,ours,{customer_id},seen in the branch,A. Auditor")
    ended = muster("resume", "run-1", "--decisions", path)
    assert ended.code == 0, ended.stderr
    monkeypatch.setattr("sys.stdin", io.StringIO(person(1)["national_id"]))
    options = {"purge": ("--older-than", "0"), "forget": ("--subject", "-")}
    assert muster(way, *options[way]).code == 0

    kept = {"purge": {"customer_id": customer_id}, "forget": {}}[way]
    assert told(ended.folder) == [{"verdict": "ours", **kept, "decided_by": "A. Auditor"}]
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        [(detail,)] = ledger.execute("SELECT detail FROM event WHERE kind = ?", [pack("decision")]).fetchall()
    ledger.close()
    assert json.loads(unpack(detail)) == {**kept, "decided_by": "A. Auditor"}
    assert muster("verify", ended.folder.name).code == 0


@pytest.mark.slow
def test_a_stranger_is_never_adopted(muster: Muster, sandbox: Sandbox, left_open: Ended) -> None:
    stranger = sandbox.plant(**record(person(3), externalUniqueId="cust-of-a-third"))
    path = decided(muster.folder, f"1,ours,{stranger},mixed up,A. Auditor")
    before = arrivals(sandbox)
    ended = muster("resume", "run-1", "--decisions", path)
    assert (ended.code, ended.folder.exists()) == (2, False)
    assert "decided.csv, line 2" in ended.stderr
    assert writes(sandbox, before) == []
    assert muster("resume", "run-1").outcomes[0] == "conflict"


def test_a_customer_of_one_row_is_not_decided_to_be_another_rows_too(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    assert muster("run", file_of([person(1)])).outcomes == ["onboarded"]
    twin = muster("run", file_of([person(1, external_unique_id="twin-1")]))
    assert twin.outcomes == ["conflict"]
    customer_id = holder(sandbox, person(1))
    path = decided(muster.folder, f"1,ours,{customer_id},same person,A. Auditor")
    for command in ("resume", "reconcile"):
        ended = muster(command, twin.folder.name, "--decisions", path)
        assert ended.code == 2
        assert f"another row has customer {customer_id} already" in ended.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize("command", ["resume", "retry", "run"])
def test_a_row_that_was_given_up_is_never_written_again(
    muster: Muster, sandbox: Sandbox, in_doubt: Ended, command: str
) -> None:
    path = decided(muster.folder, "1,give_up,,person withdrew,A. Auditor")
    before = arrivals(sandbox)
    ended = muster("resume", "run-1", "--decisions", path)
    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["failed"], "given_up")
    again = muster(command, muster.folder / "customers.csv" if command == "run" else ended.folder.name)
    assert (again.outcomes, again.rows[0]["reason_code"]) == (["failed"], "given_up")
    assert writes(sandbox, before) == []


def test_a_write_that_was_not_applied_may_be_sent_again(muster: Muster, sandbox: Sandbox, in_doubt: Ended) -> None:
    assert muster("resume", "run-1").outcomes == ["in_doubt"]
    path = decided(muster.folder, "1,not_done,,the vendor's log shows none,A. Auditor")
    ended = muster("resume", "run-2", "--decisions", path)
    assert ended.outcomes == ["onboarded"]
    assert standing(sandbox, person(1)["national_id"]) == ONE_OF_EACH


@pytest.mark.slow
def test_a_row_that_is_left_stays_as_it_is(muster: Muster, sandbox: Sandbox, in_doubt: Ended) -> None:
    before = arrivals(sandbox)
    path = decided(muster.folder, "1,leave,,asked the vendor,A. Auditor")
    ended = muster("resume", "run-1", "--decisions", path)
    assert (ended.outcomes, writes(sandbox, before)) == (["in_doubt"], [])
    assert [each["verdict"] for each in told(ended.folder)] == ["leave"]
    assert standing(sandbox, person(1)["national_id"]) == Standing(1, 0, 0)


def test_a_reconciliation_records_decisions_and_the_next_resume_follows(
    muster: Muster, sandbox: Sandbox, left_open: Ended
) -> None:
    customer_id = holder(sandbox, person(1))
    path = decided(muster.folder, f"1,ours,{customer_id},seen in the branch,A. Auditor")
    before = arrivals(sandbox)
    assert muster("reconcile", "run-1", "--decisions", path).code == 0
    assert writes(sandbox, before) == []
    for _ in range(2):  # the decision holds for every later reconciliation of that run
        newest = max(left_open.folder.glob("reconcile-*"))
        line = lines(newest / "reconciliation.csv")[0]
        assert (line["class"], line["customer_id"]) == ("match", customer_id)
        assert muster("reconcile", "run-1").code == 0
    assert [each["verdict"] for each in told(min(left_open.folder.glob("reconcile-*")))] == ["ours"]
    ended = muster("resume", "run-1")
    assert ended.outcomes == ["onboarded", "already_onboarded"]
    assert muster("reconcile", ended.folder.name).code == 0
    assert muster("verify", "run-1").code == 0


REFUSED = {
    "9,leave,,why,A. Auditor": "no row 9",
    "2,give_up,,why,A. Auditor": "row 2 is onboarded",
    "1,not_done,,why,A. Auditor": "only one in doubt",
    "1,leave,,,A. Auditor": "reason is missing",
    "1,leave,,why,": "decided_by is missing",
    "1,perhaps,,why,A. Auditor": "decision must be one of",
    "1,ours,,why,A. Auditor": "customer_id belongs",
    "1,leave,77,why,A. Auditor": "customer_id belongs",
    "one,leave,,why,A. Auditor": "row must be the number",
    "1,leave,why,A. Auditor": "4 fields",
    "1,ours,../7,why,A. Auditor": "letters and digits",
    '1,leave,,"why,A. Auditor': "can't be read",
}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["resume", "reconcile"])
def test_a_file_that_is_not_strictly_right_ends_with_2_and_names_its_line(
    muster: Muster, sandbox: Sandbox, left_open: Ended, command: str
) -> None:
    before = arrivals(sandbox)
    for line, said in REFUSED.items():
        ended = muster(command, "run-1", "--decisions", decided(muster.folder, line))
        assert (line, ended.code) == (line, 2)
        assert said in ended.stderr
        assert "line 2" in ended.stderr or "can't be read" in said
    twice = decided(muster.folder, "1,leave,,why,A", "1,leave,,why,A")
    assert "decided in line 2 already" in muster(command, "run-1", "--decisions", twice).stderr
    header = decided(muster.folder, header="row,decision,who")
    assert "line 1" in muster(command, "run-1", "--decisions", header).stderr
    assert [each["operation"] for each in sandbox.journal(before) if each["operation"] not in ("login", "renew")] == []


def test_a_decision_about_an_earlier_standing_is_refused(muster: Muster, sandbox: Sandbox, in_doubt: Ended) -> None:
    path = decided(muster.folder, "1,not_done,,the vendor's log shows none,A. Auditor")
    assert muster("resume", "run-1", "--decisions", path).outcomes == ["onboarded"]
    ended = muster("resume", "run-1", "--decisions", path)
    assert ended.code == 2
    assert "no longer as run run-1 left it" in ended.stderr


@pytest.mark.slow
def test_personal_numbers_in_a_reason_are_masked(muster: Muster, in_doubt: Ended) -> None:
    path = decided(muster.folder, "1,leave,,called 0821234567,a.auditor@example.com")
    ended = muster("resume", "run-1", "--decisions", path)
    assert told(ended.folder) == [{"verdict": "leave", "decided_by": "a***@example.com", "reason": "called ********67"}]
