"""`muster lookup` over sockets: one customer or a file of keys; masked, never choosing, never in a process list."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import Unproven
from jobs.evidence.events import verify_events
from jobs.os_user import os_user
from jobs.sandbox.server import Sandbox
from tests.forked import Forked

from .muster import REPOSITORY, Ended, Muster, eventually
from .people import Row, person, record
from .test_leaks import leaks

LOG = "muster.db.access.ndjson"
SIPHO = person(1, "Dlamini")
WALLET = {"walletTypeId": 5001}


def planted(sandbox: Sandbox, row: Row, **members: object) -> int:
    return int(sandbox.plant(**record(row, **members)))


def result(muster: Muster, keys: str, *options: str) -> tuple[Ended, list[dict[str, str]]]:
    """Looks up the file with the content `keys`; the lines of the result."""
    (muster.folder / "keys.csv").write_text(keys, encoding="utf-8")
    ended = muster("lookup", "--from", "keys.csv", "--to", "found.csv", *options)
    path = muster.folder / "found.csv"
    if not path.exists():
        return ended, []
    with path.open(encoding="utf-8", newline="") as file:
        return ended, list(csv.DictReader(file))


@pytest.mark.parametrize(
    "wanted",
    [
        ("--phone", "082 400 0001"),
        ("--identity", SIPHO["national_id"]),
        ("--identity", f"{SIPHO['national_id'][:6]} {SIPHO['national_id'][6:]}"),
        ("--first-name", "thandi", "--last-name", "DLAMINI"),
        ("--last-name", "Dlamini"),
        ("--customer-id", "ID"),
    ],
    ids=str,
)
def test_a_customer_is_found_and_shown_masked(muster: Muster, sandbox: Sandbox, wanted: tuple[str, ...]) -> None:
    number = str(planted(sandbox, SIPHO))
    planted(sandbox, person(2, "Zulu"))
    ended = muster("lookup", "--i-know", *(number if each == "ID" else each for each in wanted))
    assert (ended.code, ended.stdout.count("\n")) == (0, 1)
    assert f"customerId={number}" in ended.stdout
    assert leaks({"stdout": ended.stdout.encode()}, dict.fromkeys(record(SIPHO).values(), "personal")) == []  # type: ignore[arg-type]  # all texts


def test_nobody_ends_with_1_and_several_are_listed_and_never_chosen(muster: Muster, sandbox: Sandbox) -> None:
    numbers = [planted(sandbox, person(number)) for number in (1, 2, 3)]
    nobody = muster("lookup", "--i-know", "--last-name", "Nobody")
    several = muster("lookup", "--i-know", "--last-name", "Nkosi", "--full")
    assert (nobody.code, nobody.stdout) == (1, "")
    assert (several.code, several.stdout.count("\n")) == (1, 3)
    assert all(f"customerId={number}" in several.stdout for number in numbers)
    assert "confirm which one" in several.stderr


@pytest.mark.parametrize(("answer", "code", "profile"), [(2, 0, True), (0, 1, False)])
def test_a_person_at_a_terminal_says_which_one_of_several_is_meant(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: int, code: int, *, profile: bool
) -> None:
    numbers = [planted(sandbox, person(number)) for number in (1, 2, 3)]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: answer)
    ended = muster("lookup", "--i-know", "--last-name", "Nkosi", "--full")

    assert ended.code == code
    assert ("wallets" in ended.stdout.splitlines()[-1]) is profile
    assert [number for number in numbers if f"customerId={number}" in ended.stdout] == numbers


def test_our_reference_leads_by_the_ledger_and_else_by_the_list(muster: Muster, sandbox: Sandbox) -> None:
    sandbox.configure(show_external_ids=True)
    row = SIPHO | {"external_unique_id": "cust-000001"}
    ended = muster("run", written_one(muster, row))
    number = ended.rows[0]["customer_id"]
    before = len(sandbox.journal())
    known = muster("lookup", "--reference", "cust-000001")
    reads = [entry["operation"] for entry in sandbox.journal()[before:] if entry["operation"] != "login"]
    listed = muster("lookup", "--reference", "cust-000001", "--ledger", "sqlite:///other.db")

    assert (known.code, reads) == (0, ["get_customer"])
    assert f"customerId={number}" in known.stdout
    assert (listed.code, f"customerId={number}" in listed.stdout) == (0, True)
    assert muster("lookup", "--reference", "cust-000002", "--ledger", "sqlite:///other.db").code == 1
    sandbox.configure(show_external_ids=False)
    hidden = muster("lookup", "--reference", "cust-000001", "--ledger", "sqlite:///other.db")
    assert (hidden.code, "shows externalUniqueId" in hidden.stderr) == (75, True)


def test_the_sources_own_reference_leads_where_the_ledger_made_the_key_from_it(
    muster: Muster, sandbox: Sandbox
) -> None:
    ended = muster("run", written_one(muster, SIPHO))
    found = muster("lookup", "--reference", SIPHO["row_ref"])

    assert (found.code, f"customerId={ended.rows[0]['customer_id']}" in found.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--email", "sipho@example.com"),
        ("--phone", "12"),
        ("--customer-id", ".."),
        ("--identity", "1", "--last-name", "Nkosi"),
        ("--last-name", "Nkosi", "--reveal"),
        ("--from", "keys.csv"),
        ("--to", "found.csv"),
        ("--from", "keys.csv", "--to", "found.csv", "--full"),
        ("--from", "keys.csv", "--to", "keys.csv"),
        ("--from", "keys.csv", "--to", "absent/found.csv"),
        ("--from", "keys.csv", "--to", "found.csv", "--by", "email"),
        ("--from", "keys.csv", "--to", "found.csv", "--by", "customer-id"),
        ("--from", "digits.csv", "--to", "found.csv", "--by", "phone"),
    ],
    ids=" ".join,
)
def test_what_can_not_be_looked_up_is_refused_before_anything_is_sent(
    muster: Muster, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    (muster.folder / "keys.csv").write_text("name,phone\nSipho,0824000001\n")
    (muster.folder / "digits.csv").write_text("0824000001\n0824000002\n")
    ended = muster("lookup", "--i-know", *arguments)
    assert (ended.code, ended.stdout, sandbox.journal()) == (2, "", [])


@pytest.mark.few(1)
@pytest.mark.parametrize(("last_name", "status"), [("Kycfail", "FAILED"), ("Dlamini", "PASSED")])
def test_a_whole_profile_has_the_decision_its_failing_checks_and_the_wallets(
    muster: Muster, sandbox: Sandbox, last_name: str, status: str
) -> None:
    muster("run", written_one(muster, person(1, last_name)))
    identity = person(1)["national_id"]
    full = ("lookup", "--i-know", "--identity", identity, "--full")
    text = muster(*full)
    (found,) = json.loads(muster(*full, "--output", "json").stdout)["customers"]
    failed = ["sanctionsListCheck"] if status == "FAILED" else []
    assert (text.code, found["decision"], found["failed_checks"]) == (0, status, failed)
    assert [wallet["walletTypeId"] for wallet in found["wallets"]] == ([] if failed else ["5001"])
    assert status in text.stdout
    assert ("failing checks" in text.stdout) == bool(failed)
    assert "alance" not in text.stdout + json.dumps(found)


def written_one(muster: Muster, row: Row) -> Path:
    path = muster.folder / "customers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    return path


def test_a_profile_of_another_customer_is_not_believed(muster: Muster, sandbox: Sandbox, hasty: None) -> None:
    number = planted(sandbox, SIPHO)
    body = {"customerId": number + 1, "lastName": "Other"}
    sandbox.faults([{"operation": "get_customer", "kind": "status", "params": {"status": 200, "body": body}}])
    ended = muster("lookup", "--customer-id", str(number), "--full")
    assert (ended.code, ended.stdout) == (75, "")
    assert "could not be read" in ended.stderr


def test_personal_values_are_shown_on_a_terminal_alone(muster: Muster, sandbox: Sandbox) -> None:
    planted(sandbox, SIPHO, kyc="PASSED", wallets=[WALLET])
    ours, theirs = pty.openpty()
    command, pipe = ["lookup", "--identity", "-", "--full", "--reveal"], subprocess.PIPE
    running = Forked(command, os.environ, stdin=pipe, stdout=theirs, stderr=pipe)
    os.close(theirs)
    _, said = running.communicate(SIPHO["national_id"] + "\n", timeout=60)
    shown = b""
    while chunk := read_terminal(ours):
        shown += chunk
    os.close(ours)
    assert (running.returncode, SIPHO["national_id"].encode() in shown, b"currentBalance" in shown) == (0, True, True)
    assert "personal data is shown" in said
    assert SIPHO["national_id"] not in said


def read_terminal(number: int) -> bytes:
    """What a program wrote; nothing once it has ended."""
    try:
        return os.read(number, 4096)
    except OSError:
        return b""


@pytest.mark.slow
def test_a_value_that_is_read_from_stdin_is_in_no_process_list(muster: Muster, sandbox: Sandbox) -> None:
    planted(sandbox, SIPHO)
    running = subprocess.Popen(
        [sys.executable, "-m", "jobs", "lookup", "--identity", "-", "-v"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    sandbox.faults([{"operation": "search_customers", "kind": "delay", "params": {"seconds": 0.5}}])
    assert running.stdin is not None
    running.stdin.write(SIPHO["national_id"].encode() + b"\n")
    running.stdin.flush()
    seen = set()
    while running.poll() is None:
        seen.add(Path(f"/proc/{running.pid}/cmdline").read_bytes())
    told, said = running.communicate()
    assert running.returncode == 0
    assert b"customerId=" in told
    assert leaks({"cmdline": b"".join(seen), "said": told + said}, {SIPHO["national_id"]: "identity"}) == []


def test_a_file_of_keys_is_answered_line_by_line(muster: Muster, sandbox: Sandbox) -> None:
    first = planted(sandbox, person(1), kyc="PASSED", wallets=[WALLET])
    twins = [planted(sandbox, person(number, phone=person(2)["phone"])) for number in (2, 3)]
    ended, lines = result(muster, "name,phone\na,082 400 0001\nb,27824000002\nc,0824000009\nd,12\ne,1,2\n")
    assert (ended.code, [line["note"] for line in lines]) == (1, ["", "several", "none", "invalid", "invalid"])
    assert [line["hits"] for line in lines] == ["1", "2", "0", "", ""]
    assert (lines[0]["customer_id"], lines[0]["status"]) == (str(first), "ACTIVE")
    assert (lines[0]["decision_status"], bool(lines[0]["wallets"])) == ("PASSED", True)
    assert lines[1]["customer_id"].split(";") == [str(each) for each in twins]
    assert [line["source_row"] for line in lines] == ["1", "2", "3", "4", "5"]
    assert (muster.folder / "found.csv").stat().st_mode & 0o777 == 0o600
    told = {"found.csv": (muster.folder / "found.csv").read_bytes(), "stdout": ended.stdout.encode()}
    assert leaks(told, {person(number)["phone"]: "phone" for number in (1, 2, 9)}) == []


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("header", "by"),
    [("identity", ()), ("nationalIdentityNumber", ()), ("anything", ("--by", "identity")), ("customerId", ())],
)
def test_a_list_may_have_one_column_of_any_kind(
    muster: Muster, sandbox: Sandbox, header: str, by: tuple[str, ...]
) -> None:
    numbers = [planted(sandbox, person(number)) for number in range(1, 31)]
    keys = numbers if header == "customerId" else [person(number)["national_id"] for number in range(1, 31)]
    ended, lines = result(muster, "\n".join([header, *map(str, keys)]) + "\n", *by, "--output", "json")
    assert (ended.code, json.loads(ended.stdout)["notes"]) == (0, {"found": 30})
    assert [line["customer_id"] for line in lines] == [str(number) for number in numbers]


def test_a_key_whose_answer_can_not_be_read_is_noted_and_the_rest_goes_on(
    muster: Muster, sandbox: Sandbox, hasty: None
) -> None:
    numbers = [planted(sandbox, person(number)) for number in (1, 2, 3)]
    broken = {"match": {"customerId": str(numbers[1])}, "operation": "get_customer", "kind": "truncated_body"}
    throttled = {"operation": "search_customers", "nth": [1, 3], "kind": "throttle", "params": {"retry_after": 0.05}}
    sandbox.faults([broken, throttled])
    keys = "\n".join(["identity", *(person(number)["national_id"] for number in (1, 2, 3))])
    ended, lines = result(muster, keys + "\n")
    assert (ended.code, [line["note"] for line in lines]) == (1, ["", "unreadable", ""])


def test_a_look_up_that_is_not_permitted_leaves_the_earlier_result(muster: Muster, sandbox: Sandbox) -> None:
    (muster.folder / "found.csv").write_text("of yesterday\n")
    sandbox.faults([{"operation": "search_customers", "kind": "status", "params": {"status": 403}}])
    ended, _ = result(muster, "identity\n9001015009086\n")
    assert (ended.code, (muster.folder / "found.csv").read_text()) == (4, "of yesterday\n")
    assert sorted(path.name for path in muster.folder.iterdir()) == ["found.csv", "keys.csv", LOG]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_look_up_that_is_broken_off_leaves_nothing(
    muster: Muster, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    (muster.folder / "keys.csv").write_text("identity\n" + "9001015009086\n" * 50)
    sandbox.faults([{"operation": "search_customers", "kind": "delay", "nth": 3, "params": {"seconds": 600}}])
    started = muster.start("lookup", "--from", "keys.csv", "--to", "found.csv", "--concurrency", "1")
    eventually(lambda: len([each for each in sandbox.journal() if each["operation"] == "search_customers"]) == 3)
    started.running.send_signal(number)
    ended = muster.wait(started)
    assert (ended.code, ended.stdout) == (code, "")
    assert {path.name for path in muster.folder.iterdir()} == {"keys.csv", LOG}


def test_a_look_up_makes_no_ledger_and_no_key(muster: Muster, sandbox: Sandbox) -> None:
    planted(sandbox, SIPHO)
    assert muster("lookup", "--i-know", "--identity", SIPHO["national_id"]).code == 0
    assert [path.name for path in muster.folder.iterdir()] == [LOG]
    muster("run", written_one(muster, SIPHO))
    (muster.folder / "muster.db.key").unlink()
    assert muster("lookup", "--i-know", "--identity", SIPHO["national_id"]).code == 0
    assert not (muster.folder / "muster.db.key").exists()


@pytest.mark.parametrize("flag", ["--phone", "--identity", "--first-name", "--last-name"])
def test_a_personal_value_on_the_command_line_is_refused_unless_somebody_answers_for_it(
    muster: Muster, sandbox: Sandbox, flag: str
) -> None:
    refused = muster("lookup", flag, SIPHO["national_id"])
    assert (refused.code, f"{flag} -" in refused.stderr, sandbox.journal()) == (2, True, [])
    assert SIPHO["national_id"] not in refused.stderr
    assert not (muster.folder / LOG).exists()


def test_who_looked_up_and_proved_is_in_a_chained_log_that_names_nobody(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(sandbox, SIPHO)
    (muster.folder / "keys.csv").write_text("phone\n0824000001\n")
    muster("lookup", "--i-know", "--identity", SIPHO["national_id"])
    muster("lookup", "--from", "keys.csv", "--to", "found.csv")
    muster("run", written_one(muster, SIPHO))
    monkeypatch.setattr("sys.stdin", io.StringIO(SIPHO["national_id"] + "\n"))
    muster("report", "run-1", "--prove", "-")
    path = muster.folder / LOG
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["kind"] for each in events] == ["lookup", "lookup_list", "prove"]
    assert all(each["user"] == os_user() for each in events)
    assert verify_events(path).count == 3
    assert path.stat().st_mode & 0o777 == 0o600
    personal = dict.fromkeys((*record(SIPHO).values(), SIPHO["national_id"]), "personal")
    assert leaks({"log": path.read_bytes()}, personal) == []  # type: ignore[arg-type]  # all texts
    path.write_bytes(path.read_bytes().replace(b"lookup_list", b"lookup_look"))
    with pytest.raises(Unproven):
        verify_events(path)
