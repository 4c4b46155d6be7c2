"""A file of rows against a bank behind bLink, over sockets: what each row ends as, and what the bank then holds."""

import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.conftest import hasty as hasty
from tests.flow.conftest import later as later
from tests.flow.muster import REPOSITORY, Muster, lines
from tests.flow.people import Row, written
from tests.flow.test_leaks import OWN, everything, leaks

from .blink import REFRESH, configure, counts, environment, only, row

Filed = Callable[[list[Row]], Path]
ADDRESS = ("street", "postal_code", "town", "country")
CONTACTS = ("bank_person_id", "email", "phone")
WRITES = ("create_contact", "create_address", "update_address")
DONE = "already_onboarded"
START = {"contacts": 40, "doubleContacts": 0, "addresses": 20}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.faults([])
    running.reset()
    return running


@pytest.fixture
def muster(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> Muster:
    environment(sandbox, tmp_path, monkeypatch)
    return Muster(tmp_path, sandbox, capsys.readouterr)


@pytest.fixture
def file_of(tmp_path: Path) -> Filed:
    return lambda rows: written(tmp_path / "customers.csv", rows)


def each_or_slow(each: list[tuple[str, str]], quick: set[tuple[str, str]]) -> list[Any]:
    """Parameters, all but the quick ones marked as slow."""
    return [pytest.param(*pair, marks=() if pair in quick else pytest.mark.slow) for pair in each]


def committed(sandbox: Sandbox, after: int = 0) -> list[str]:
    """The operations that changed something."""
    return [entry["operation"] for entry in sandbox.journal(after) if entry["committed"]]


def test_a_customer_is_linked_and_its_contacts_and_address_are_made_as_given(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    ended = muster("run", file_of([row(1), row(2), only(3)]))
    assert ended.outcomes == ["onboarded", "onboarded", "already_onboarded"]
    assert [line["customer_id"] for line in ended.rows] == ["C-0001", "C-0002", "C-0003"]
    assert {line["customer_origin"] for line in ended.rows} == {"adopted"}
    assert [line["attempts"] for line in ended.rows] == ["3", "3", "0"]
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert counts(sandbox) == {"contacts": 44, "doubleContacts": 0, "addresses": 21}
    assert sorted(committed(sandbox)) == ["create_address", *["create_contact"] * 4, "update_address"]
    assert ended.code == 0


@pytest.mark.parametrize("forgotten", [False, True], ids=["the ledger knows", "another ledger"])
def test_a_second_run_changes_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed, forgotten: bool) -> None:
    path = file_of([row(1), row(2)])
    muster("run", path)
    before, after = counts(sandbox), len(sandbox.journal())
    again = muster("run", path, *(("--ledger", "sqlite:///other.db") if forgotten else ()))
    assert again.outcomes == ["already_onboarded"] * 2
    assert (again.code, counts(sandbox), committed(sandbox, after)) == (0, before, [])


def test_what_is_so_already_is_not_sent(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    contacts = [
        {"medium": "email", "contactMediumType": "private", "contactContent": " New.Address.77@Example.com"},
        {"medium": "phone", "contactContent": "079 200 00 77"},
    ]
    place = {"streetName": "Seestrasse", "buildingNumber": "77", "postCode": "8002", "townName": "ZOLLIKERBERG"}
    sandbox.of("blink").plant(
        customerIdentification="C-0077",
        persons=[{"personIdentification": "P-0077", "contacts": contacts}],
        addresses=[{"postalAddress": {"physicalAddress": place | {"country": "CH"}}}],
    )
    ended = muster("run", file_of([row(77)]))
    assert (ended.outcomes, ended.code) == (["already_onboarded"], 0)
    assert committed(sandbox) == []
    assert [line["class"] for line in ended.reconciliation] == ["match"]


def strangers(sandbox: Sandbox) -> None:
    """Customers that a row must not be given to."""
    bank = sandbox.of("blink")
    bank.plant(customerIdentification="C-9001", externalReference="X-0005")
    bank.plant(customerIdentification="C-9002", consent=False)
    bank.plant(customerIdentification="C-9003", status="closed")
    refused = [{"personIdentification": "P-9004", "lastName": "Refused"}]
    bank.plant(customerIdentification="C-9004", persons=refused)


ENDINGS: list[tuple[Row, str, str]] = [
    (row(1), "onboarded", ""),
    (only(2), "already_onboarded", ""),
    ({"row_ref": "r-3", "external_reference": "X-0003"}, "already_onboarded", ""),
    ({"row_ref": "r-4", "external_reference": "X-none"}, "rejected", "not_available"),
    ({"row_ref": "r-5", "external_reference": "X-0005"}, "conflict", "ambiguous"),
    (only(9002), "rejected", "not_available"),
    (only(9003), "rejected", "customer_inactive"),
    (only(9004, "bank_person_id", "email"), "rejected", "refused_by_target"),
    (only(6, external_reference="X-0007"), "conflict", "reference_differs"),
    (only(8, "email", bank_person_id="P-0009"), "conflict", "person_not_linked"),
    (only(10, "email"), "quarantined", "missing:bank_person_id"),
    (only(11, "street"), "quarantined", "missing:postal_code;missing:town;missing:country"),
    ({"row_ref": "r-12"}, "quarantined", "missing:bank_customer_id"),
    (only(13, bank_customer_id=".."), "quarantined", "value_invalid:bank_customer_id"),
    (only(14, *CONTACTS) | {"phone": "12"}, "quarantined", "phone_invalid:phone"),
]


def test_each_row_ends_for_its_own_reason(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    strangers(sandbox)
    ended = muster("run", file_of([given for given, _, _ in ENDINGS]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [ending[1:] for ending in ENDINGS]
    assert {line["class"] for line in ended.reconciliation} == {"match", "not_sent"}
    refused = ended.rows[7]
    assert (refused["http_status"], refused["error_code"], refused["failed_step"]) == (
        "400",
        "invalidPayload",
        "contact_email",
    )
    sent = [entry for entry in sandbox.journal() if entry["operation"] == "create_contact" and entry["status"] == 400]
    assert len(sent) == 1
    assert len(refused["trace_id"]) == 32
    assert all(equation["ok"] for equation in ended.summary["equations"])


@pytest.mark.parametrize(
    ("missing", "status"),
    each_or_slow(
        [(missing, status) for missing in (*WRITES, "list_contacts") for status in ("501", "405")],
        {("create_contact", "501"), ("update_address", "405"), ("list_contacts", "405")},
    ),
)
def test_what_the_bank_does_not_offer_ends_only_rows_that_ask_for_it(
    muster: Muster, sandbox: Sandbox, file_of: Filed, missing: str, status: str
) -> None:
    operations = {"healthcheck", "list_customers", "get_customer", "list_contacts", "create_contact"}
    operations |= {"get_address", "update_address", "create_address"}
    configure(sandbox, offers=sorted(operations - {missing}), not_offered=status)
    asks = CONTACTS[:2] if "contact" in missing else ADDRESS
    first = 1 if missing == "update_address" else 2
    ended = muster("run", file_of([only(first, *asks), only(6), only(first + 2, *asks)]), "--concurrency", "1")
    assert ended.outcomes == ["rejected", "already_onboarded", "rejected"]
    assert {line["reason_code"] for line in ended.rows} == {"not_offered", ""}
    tried = [entry for entry in sandbox.journal() if entry["operation"] == missing and entry["method"] != "GET"]
    assert len(tried) == (missing != "list_contacts")
    assert committed(sandbox) == []


FAULTY: dict[str, dict[str, Any]] = {
    "drop_after_commit": {},
    "drop_before_commit": {},
    "status_after_commit": {"status": 504},
    "status": {"status": 503},
    "truncated_body": {},
    "garbage_body": {},
}


@pytest.mark.parametrize(
    ("operation", "kind"),
    each_or_slow(
        [(operation, kind) for operation in WRITES for kind in FAULTY],
        {("create_contact", kind) for kind in FAULTY} | {(operation, "drop_after_commit") for operation in WRITES},
    ),
)
def test_a_lost_or_broken_answer_makes_no_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, kind: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": kind, "nth": 1, "params": FAULTY[kind]}])
    ended = muster("run", file_of([row(1), row(2)]))
    assert ended.outcomes == ["onboarded", "onboarded"]
    assert counts(sandbox) == {"contacts": 44, "doubleContacts": 0, "addresses": 21}
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert sorted(committed(sandbox)) == ["create_address", *["create_contact"] * 4, "update_address"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_storm_of_faults_makes_no_double_and_hides_no_write(
    muster: Muster, sandbox: Sandbox, file_of: Filed, seed: int
) -> None:
    chance = random.Random(seed)
    calls = [*WRITES, "get_customer", "list_contacts", "get_address", "list_customers", "token"]
    sandbox.faults(
        [
            {"operation": name, "kind": kind, "nth": chance.sample(range(1, 40), 6), "params": FAULTY[kind]}
            for name in calls
            for kind in chance.sample(sorted(FAULTY), 3)
            if name != "token" or kind in {"status", "drop_before_commit"}
        ]
    )
    configure(sandbox, lag_reads=chance.randrange(3))
    rows = [row(number) for number in range(1, 31)]
    for storm in (True, False):
        ended = muster("run", file_of(rows), "--concurrency", "6")
        found = counts(sandbox)
        assert (found["doubleContacts"], ended.code in {0, 1}) == (0, True), seed
        assert (found["contacts"] <= 100, found["addresses"] <= 35) == (True, True), seed
        assert all(equation["ok"] for equation in ended.summary["equations"] if equation["kind"] == "books"), seed
        if storm:
            sandbox.faults([])
    open_ends = {line["reason_code"] for line in ended.rows if line["outcome"] not in {"onboarded", DONE}}
    assert open_ends <= {"unanswered", "not_shown", "read_failed"}, seed
    assert not {line["class"] for line in ended.reconciliation if line["class"] in {"missing_in_target", "ambiguous"}}


@pytest.mark.parametrize("operation", WRITES)
def test_a_write_that_is_never_answered_ends_in_doubt_after_one_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": "drop_before_commit"}])
    asks = CONTACTS[:2] if operation == "create_contact" else ADDRESS
    ended = muster("run", file_of([only(1 if operation == "update_address" else 2, *asks)]))
    assert [(line["outcome"], line["reason_code"], line["attempts"]) for line in ended.rows] == [
        ("in_doubt", "unanswered", "2")
    ]
    assert counts(sandbox) == START
    sandbox.faults([])
    assert muster("resume").code == 1
    assert counts(sandbox) == START


@pytest.mark.parametrize("first", [1, 2], ids=["changed", "made"])
def test_a_bank_that_shows_late_what_it_took_is_waited_for(
    muster: Muster, sandbox: Sandbox, file_of: Filed, first: int
) -> None:
    configure(sandbox, lag_reads=2)
    sandbox.faults([{"operation": "create_contact", "kind": "drop_after_commit", "nth": 1}])
    ended = muster("run", file_of([row(first)]), "--concurrency", "1")
    assert ended.outcomes == ["onboarded"]
    assert counts(sandbox)["doubleContacts"] == 0
    assert len(committed(sandbox)) == 3


def test_a_change_that_the_bank_never_shows_ends_in_doubt(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, lag_reads=10_000)
    ended = muster("run", file_of([only(1, *ADDRESS)]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "not_shown")]
    assert committed(sandbox) == ["update_address"]
    assert {line["class"] for line in ended.reconciliation} == {"field_difference"}
    configure(sandbox, lag_reads=0)


@pytest.mark.parametrize(
    ("operation", "when"),
    each_or_slow(
        [(operation, when) for operation in WRITES for when in ("before", "after")],
        {("create_contact", "after"), ("update_address", "before")},
    ),
)
def test_a_run_that_is_killed_is_finished_without_a_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, when: str
) -> None:
    started = muster.start("run", file_of([row(1), row(2), row(3), row(4)]), "--concurrency", "2")
    params = {"pid": started.running.pid, "when": when}
    sandbox.faults([{"operation": operation, "kind": "signal_client", "nth": 1, "params": params}])
    assert muster.wait(started).code == -9
    sandbox.faults([])
    resumed = muster("resume")
    assert (resumed.code, set(resumed.outcomes)) == (0, {"onboarded"})
    assert counts(sandbox) == {"contacts": 48, "doubleContacts": 0, "addresses": 22}
    assert all(equation["ok"] for equation in resumed.summary["equations"])


def test_a_bank_that_throttles_is_asked_again_later(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    throttle = {"kind": "throttle", "nth": [1, 2], "params": {"retry_after": 0}}
    sandbox.faults([{"operation": name, **throttle} for name in ("create_contact", "get_customer", "token")])
    ended = muster("run", file_of([row(1), row(2)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert counts(sandbox)["doubleContacts"] == 0


@pytest.mark.parametrize("path", ["seed", "plural"])
def test_a_bank_with_one_spelling_of_the_path_is_understood(
    muster: Muster, sandbox: Sandbox, file_of: Filed, path: str
) -> None:
    configure(sandbox, addresses_path=path)
    ended = muster("run", file_of([only(number, *ADDRESS, **row(number)) for number in range(1, 5)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 4)
    assert counts(sandbox)["addresses"] == 22


@pytest.mark.parametrize("header", ["nextCursor", "X-Next-Cursor"])
def test_many_customers_are_listed_once(muster: Muster, sandbox: Sandbox, file_of: Filed, header: str) -> None:
    configure(sandbox, cursor_header=header, cursor_end="empty", page_size=15)
    ended = muster("run", file_of([only(number) for number in range(1, 41)]))
    assert (ended.code, set(ended.outcomes)) == (0, {"already_onboarded"})
    calls = [entry["operation"] for entry in sandbox.journal()]
    assert calls[: calls.index("token", 1)].count("list_customers") == 3


def test_a_list_without_an_end_proves_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, cursor_loop=True)
    ended = muster("run", file_of([{"row_ref": "r-1", "external_reference": "X-none"}]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("failed", "read_failed")]
    assert "twice" in ended.rows[0]["reason"]


def test_a_used_refresh_token_is_replaced_in_its_file(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    refresh = muster.folder / "refresh-token"
    sandbox.faults([{"operation": "create_contact", "kind": "unauthorized", "nth": 1}])
    ended = muster("run", file_of([row(1)]))
    kept = refresh.read_text().strip()
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert kept not in {"", REFRESH}
    assert muster("run", file_of([row(2)])).code == 0
    assert kept not in "".join(raw.decode("latin-1") for raw in everything(muster, ended).values())


def test_an_expired_consent_ends_with_4_and_asks_for_a_person(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, refuse_refresh=True)
    ended = muster("run", file_of([row(1)]))
    assert ended.code == 4
    assert "a person has to renew the consent" in ended.stderr
    assert not ended.folder.exists()
    assert {entry["operation"] for entry in sandbox.journal()} == {"token"}


def test_a_stored_consent_needs_no_token(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(sandbox, caas=True)
    for name in ("IDENTITY", "PASSWORD_FILE"):
        monkeypatch.delenv(f"MUSTER_{name}")
    assert muster("run", file_of([row(1)])).code == 4
    assert sandbox.journal() == []
    consent = 'permission_id = "00000000-0000-4000-8000-000000000001"'
    (muster.folder / "muster.toml").write_text(f"[blink]\n{consent}\nsettle_seconds = 0.4\n")
    ended = muster("run", file_of([row(1)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])


def test_reconciling_finds_what_was_changed_since(
    muster: Muster, sandbox: Sandbox, file_of: Filed, later: None
) -> None:
    ended = muster("run", file_of([row(number) for number in (1, 2, 3, 4)]))
    assert ended.code == 0
    bank = sandbox.of("blink")
    persons = {each["personIdentification"]: each["contacts"] for each in bank.snapshot()["persons"]}
    bank.amend("contacts", persons["P-0001"][-1]["contactIdentification"], deleted=True)
    bank.amend("contacts", persons["P-0002"][1]["contactIdentification"], contactContent="other@example.org")
    bank.amend("customers", "C-0003", deleted=True)
    bank.amend("customers", "C-0004", status="inactive")
    again = muster("reconcile", ended.folder.name)
    found = [folder for folder in ended.folder.iterdir() if folder.name.startswith("reconcile-")]
    told = lines(found[0] / "reconciliation.csv")
    seen = sorted((line["customer_id"], line["class"], line["field"]) for line in told)
    assert seen == [
        ("C-0001", "field_difference", "phone"),
        ("C-0002", "field_difference", "email"),
        ("C-0003", "missing_in_target", "customer_id"),
        ("C-0004", "status_difference", "status"),
    ]
    assert again.code == 1


def test_without_the_input_a_row_is_not_called_a_match(
    muster: Muster, sandbox: Sandbox, file_of: Filed, later: None
) -> None:
    path = file_of([row(1), row(2), row(3)])
    ended = muster("run", path)
    path.unlink()
    sandbox.of("blink").amend("customers", "C-0002", status="closed")
    sandbox.of("blink").amend("customers", "C-0003", deleted=True)
    assert muster("reconcile", ended.folder.name).code == 1
    found = next(folder for folder in ended.folder.iterdir() if folder.name.startswith("reconcile-"))
    classes = [line["class"] for line in lines(found / "reconciliation.csv")]
    assert classes == ["unverified", "status_difference", "missing_in_target"]


def test_a_look_up_shows_no_name(muster: Muster) -> None:
    by_id = muster("lookup", "--customer-id", "C-0003")
    by_reference = muster("lookup", "--reference", "X-0003")
    assert (by_id.code, by_reference.code) == (0, 0)
    assert "customerId=C-0003" in by_id.stdout
    assert "customerId=C-0003" in by_reference.stdout
    assert muster("lookup", "--customer-id", "C-none").code == 1
    assert muster("lookup", "--phone", "+41791234567").code == 2


def test_the_doctor_asks_for_health_and_customers(muster: Muster, sandbox: Sandbox) -> None:
    ended = muster("doctor")
    assert ended.code == 0, ended.stdout
    assert "20 on the first page" in ended.stdout
    assert {entry["operation"] for entry in sandbox.journal()} == {"token", "healthcheck", "list_customers"}


def test_nothing_personal_is_left_but_in_the_quarantine(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    strangers(sandbox)
    rows = [given for given, _, _ in ENDINGS] + [row(15), row(16)]
    sandbox.faults([{"operation": "update_address", "kind": "drop_before_commit"}])
    ended = muster("run", file_of(rows), "-v")
    told = everything(muster, ended, muster("reconcile", "run-1"))
    values = {given["email"]: f"e-mail of {given['row_ref']}" for given in rows if "email" in given}
    values |= {given["phone"]: f"phone of {given['row_ref']}" for given in rows if len(given.get("phone", "")) > 5}
    values |= {f"Seestrasse {number}": "street" for number in (1, 15, 16)} | {"Zollikerberg": "town"}
    kept = (muster.folder / "refresh-token").read_text().strip()
    private = {name: raw for name, raw in told.items() if OWN not in name and "refresh-token" not in name}
    assert leaks(private, values | {kept: "refresh token", REFRESH: "refresh token"}) == []


def test_the_sample_file_is_valid_and_ends_well(muster: Muster) -> None:
    sample = REPOSITORY / "sample_data" / "blink_10.csv"
    ended = muster("run", sample)
    assert (ended.code, len(ended.rows)) == (0, 10)
    assert set(ended.outcomes) == {"onboarded", "already_onboarded"}


@pytest.mark.slow
def test_the_session_of_the_guide_can_be_pasted(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "blink.md").read_text(encoding="utf-8")
    session = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[-1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (tmp_path / "sample_data").symlink_to(REPOSITORY / "sample_data")
    program = tmp_path / "muster"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m jobs \"$@\"\n")
    program.chmod(0o700)
    script = f"set -e\n{session}".replace("8080", port).replace("blink &", "blink > listening & trap 'kill $!' EXIT")
    script = script.replace("printf", "until [ -s listening ]; do sleep 0.1; done; printf", 1)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "customerId=C-0003" in done.stdout
