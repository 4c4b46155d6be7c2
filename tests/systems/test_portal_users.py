"""`muster admin-users` over sockets: each user is made once, a taken login name is left alone, no password leaks."""

import csv
import io
import json
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster, arrivals, writes
from tests.flow.people import person, written
from tests.flow.test_leaks import everything, leaks
from tests.sandbox.caller import Caller

from .portal import DELIVERED, arguments, body, created, delivered, held, may_log_in, planted, user, users

LOST: list[tuple[str, dict[str, Any]]] = [
    ("drop_before_commit", {}),
    ("drop_after_commit", {}),
    ("status_after_commit", {"status": 502}),
    ("truncated_body", {}),
    ("garbage_body", {"text": "]]"}),
    ("empty_body", {}),
]


def fault(sandbox: Sandbox, operation: str, kind: str, nth: object = 1, **params: object) -> None:
    sandbox.faults([{"operation": operation, "kind": kind, "nth": nth, "params": params}])


def test_users_are_created_and_log_in_with_what_was_given_or_delivered(muster: Muster, sandbox: Sandbox) -> None:
    rows = [user(1), user(2, password="of-my-own", positions="LEVEL_02; level_01"), user(3)]
    ended = created(muster, rows)
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 3)
    assert [row["customer_id"] for row in ended.rows] == [str(held(sandbox, row["identity"])[0]) for row in rows]
    passwords = delivered(muster.folder)
    assert sorted(passwords) == ["thembi.1", "thembi.3"]
    assert all(may_log_in(sandbox, name, password) for name, password in passwords.items())
    assert may_log_in(sandbox, "thembi.2", "of-my-own")
    assert sandbox.state.admin_users[int(ended.rows[1]["customer_id"])][1]["positions"] == ["LEVEL_01", "LEVEL_02"]
    assert (muster.folder / DELIVERED).stat().st_mode & 0o777 == 0o600
    assert {line["class"] for line in ended.reconciliation} == {"match"}


def test_a_password_that_was_hashed_before_is_sent_as_it_is(muster: Muster, sandbox: Sandbox) -> None:
    hashed = "$2b$04$abcdefghijklmnopqrstuu5Lo1H.cMbFUIuXxXzH3fYHhZ5HYH5TK"
    assert created(muster, [user(1, password=hashed)]).outcomes == ["onboarded"]
    assert sandbox.state.logins["thembi.1"].password == hashed


@pytest.mark.few(1)
@pytest.mark.parametrize("ledger_lost", [False, True])
def test_the_same_file_again_changes_nothing(muster: Muster, sandbox: Sandbox, ledger_lost: bool) -> None:
    rows = users(3)
    first, before = created(muster, rows), arrivals(sandbox)
    for path in muster.folder.glob("muster.db*") if ledger_lost else ():
        path.unlink()
    again = created(muster, rows)
    assert (again.code, again.outcomes) == (0, ["already_onboarded"] * 3)
    assert [row["customer_id"] for row in again.rows] == [row["customer_id"] for row in first.rows]
    assert writes(sandbox, after=before) == []


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "members",
    [{"lastName": "Zulu"}, {"email": "other@example.com"}, {"phone1": "27790000000"}, {"positions": ["LEVEL_02"]}],
    ids=str,
)
def test_a_user_that_differs_is_a_conflict_and_left_alone(
    muster: Muster, sandbox: Sandbox, members: dict[str, Any]
) -> None:
    number = planted(sandbox, user(1), **members)
    kept, before = dict(sandbox.state.admin_users[number][1]), arrivals(sandbox)
    ended = created(muster, [user(1)])
    assert (ended.code, ended.outcomes, ended.rows[0]["reason_code"]) == (1, ["conflict"], "identity_taken")
    assert str(number) in ended.rows[0]["reason"]
    assert (writes(sandbox, after=before), sandbox.state.admin_users[number][1]) == ([], kept)


def test_a_name_that_differs_in_capitals_alone_is_taken(muster: Muster, sandbox: Sandbox) -> None:
    planted(sandbox, user(1), identity="Thembi.1")
    before = arrivals(sandbox)
    assert created(muster, [user(1)]).rows[0]["reason_code"] == "identity_taken"
    assert writes(sandbox, after=before) == []


def test_a_name_that_is_taken_elsewhere_on_the_platform_is_a_conflict(
    muster: Muster, sandbox: Sandbox, hasty: None
) -> None:
    planted(sandbox, user(1), tenant=1002)
    with Caller(sandbox, "operator", "operator-password", 1001) as caller:
        login = {"identity": "thembi.2", "password": "of-a-customer"}
        caller("POST", f"customers/{caller.customer(1)}/identities", json=login)
    ended = created(muster, users(3))
    assert ended.outcomes == ["conflict", "conflict", "onboarded"]
    assert [row["reason_code"] for row in ended.rows[:2]] == ["identity_taken"] * 2
    assert [row["error_code"] for row in ended.rows[:2]] == ["USR004"] * 2
    assert (held(sandbox, "thembi.1"), held(sandbox, "thembi.2")) == ([], [])


def test_a_taken_name_that_is_told_as_a_bad_request_is_judged_too(
    muster: Muster, sandbox: Sandbox, hasty: None
) -> None:
    told = [{"code": "USR004", "description": "exists", "traceId": "0" * 32}]
    fault(sandbox, "create_admin_user", "status", "every", status=400, body=told)
    assert created(muster, [user(1)]).rows[0]["reason_code"] == "identity_taken"


@pytest.mark.few(2)
@pytest.mark.parametrize(("kind", "params"), LOST, ids=[kind for kind, _ in LOST])
def test_a_lost_answer_makes_no_double(
    muster: Muster, sandbox: Sandbox, hasty: None, kind: str, params: dict[str, Any]
) -> None:
    fault(sandbox, "create_admin_user", kind, 2, **params)
    rows = users(3)
    ended = created(muster, rows, "--concurrency", "1")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 3)
    assert [len(held(sandbox, row["identity"])) for row in rows] == [1, 1, 1]
    assert {row["customer_origin"] for row in ended.rows} == {"created"}
    assert all(may_log_in(sandbox, name, password) for name, password in delivered(muster.folder).items())


@pytest.mark.slow
def test_nothing_is_sent_while_the_list_can_not_be_read(muster: Muster, sandbox: Sandbox, hasty: None) -> None:
    fault(sandbox, "list_admin_users", "truncated_body", "every")
    planted(sandbox, user(9))
    before = arrivals(sandbox)
    ended = created(muster, users(2), "--concurrency", "1")
    assert (ended.code, ended.outcomes) == (1, ["failed"] * 2)
    assert [row["reason_code"] for row in ended.rows] == ["read_failed"] * 2
    assert writes(sandbox, after=before) == []
    sandbox.faults([])
    assert muster("retry", "run-1").outcomes == ["onboarded"] * 2


def test_throttled_calls_come_back_later(muster: Muster, sandbox: Sandbox, hasty: None) -> None:
    sandbox.faults(
        [
            {"operation": "list_admin_users", "kind": "throttle", "nth": [1, 2], "params": {"retry_after": 0.05}},
            {"operation": "create_admin_user", "kind": "throttle", "nth": [1, 3], "params": {"retry_after": 0.05}},
        ]
    )
    ended = created(muster, users(3))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 3)


@pytest.mark.few(1)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_run_is_finished_without_a_double(muster: Muster, sandbox: Sandbox, hasty: None, when: str) -> None:
    rows = users(4)
    path = written(muster.folder / "users.csv", rows)
    muster.killed("create_admin_user", when, 3, *arguments(muster, path, "--concurrency", "2"))
    ended = muster("resume")
    assert (ended.code, set(ended.outcomes)) == (0, {"onboarded", "already_onboarded"})
    assert [len(held(sandbox, row["identity"])) for row in rows] == [1] * 4
    passwords = delivered(muster.folder)
    assert len(passwords) == 4
    assert all(may_log_in(sandbox, name, password) for name, password in passwords.items())


def test_privileged_positions_need_a_word_of_their_own(muster: Muster, sandbox: Sandbox) -> None:
    rows = [user(1), user(2, positions="level_01;tenant_system"), user(3, positions="ONBOARDING")]
    refused = created(muster, rows)
    assert refused.code == 2
    assert "rows 2, 3" in refused.stderr
    assert (sandbox.journal(), (muster.folder / "runs").exists()) == ([], False)
    allowed = created(muster, rows, "--allow-privileged")
    assert (allowed.code, allowed.outcomes) == (0, ["onboarded"] * 3)


@pytest.mark.slow
def test_a_resumed_run_keeps_the_word_for_privileged_positions(muster: Muster) -> None:
    rows = [user(1, positions="TENANT_SYSTEM"), user(2, positions="ONBOARDING")]
    assert created(muster, rows, "--allow-privileged", "--limit", "1").outcomes == ["onboarded", "not_attempted"]
    assert muster("resume").outcomes == ["already_onboarded", "onboarded"]


def test_without_a_place_for_passwords_nothing_is_sent(muster: Muster, sandbox: Sandbox) -> None:
    path = written(muster.folder / "users.csv", users(1))
    ended = muster("admin-users", "create", path)
    assert (ended.code, "--passwords" in ended.stderr, sandbox.journal()) == (2, True, [])


def test_what_the_target_would_refuse_is_quarantined(muster: Muster) -> None:
    rows = [
        user(1, identity="ab"),
        user(2, positions="LEVEL_21"),
        user(3, password="x"),
        user(4, phone="12"),
        user(5),
        user(6, identity="thembi.5"),
    ]
    ended = created(muster, rows)
    reasons = ["identity", "positions", "password", "phone", "identity", "identity"]
    assert ended.outcomes == ["quarantined"] * 6
    assert [row["reason_code"].partition(":")[2] for row in ended.rows] == reasons


def test_no_password_and_nothing_personal_is_left_anywhere(muster: Muster, sandbox: Sandbox, hasty: None) -> None:
    rows = [user(1), user(2, password="secret-of-row-2"), user(3, password="secret-of-row-3", last_name="Refused")]
    quoted = [{"code": "VAL001", "description": "bad password secret-of-row-3", "traceId": "1" * 32}]
    sandbox.faults(
        [
            {"operation": "create_admin_user", "kind": "drop_after_commit", "nth": 1},
            {"operation": "create_admin_user", "kind": "status", "nth": 3, "params": {"status": 400, "body": quoted}},
        ]
    )
    ended = created(muster, rows, "--concurrency", "1", "-v")
    assert sorted(ended.outcomes) == ["onboarded", "onboarded", "rejected"]
    told = everything(muster, ended, muster("admin-users", "list"), muster("report", "run-1"))
    told = {name: raw for name, raw in told.items() if not name.startswith(("users.csv", DELIVERED))}
    forbidden = {row["email"]: "e-mail" for row in rows} | {row["phone"]: "phone" for row in rows}
    forbidden |= {row["password"]: "password" for row in rows[1:]}
    forbidden |= dict.fromkeys(delivered(muster.folder).values(), "generated password")
    assert leaks(told, forbidden) == []


@pytest.mark.slow
def test_reconciling_finds_users_that_were_changed_or_removed(muster: Muster, sandbox: Sandbox) -> None:
    ended = created(muster, users(3))
    changed, gone = (int(row["customer_id"]) for row in ended.rows[:2])
    with Caller(sandbox, "operator", "operator-password", 1001) as caller:
        caller("PUT", f"admin-users/{changed}", json={"positions": ["TENANT_SYSTEM"], "lastName": "Zulu"})
    del sandbox.state.admin_users[gone]
    assert muster("reconcile", "run-1").code == 1
    (folder,) = ended.folder.glob("reconcile-*")
    with (folder / "reconciliation.csv").open(encoding="utf-8", newline="") as file:
        found = [(line["source_row"], line["class"], line["field"]) for line in csv.DictReader(file)]
    assert found == [
        ("1", "field_difference", "last_name"),
        ("1", "field_difference", "positions"),
        ("2", "missing_in_target", "customer_id"),
        ("3", "match", ""),
    ]


def test_a_run_about_users_is_not_compared_with_an_extract_of_customers(muster: Muster) -> None:
    created(muster, users(1))
    (muster.folder / "extract.csv").write_text("customerId,nationalIdentityNumber\n1,9001015009086\n")
    ended = muster("reconcile", "run-1", "--against", "extract.csv")
    assert (ended.code, "extract" in ended.stderr) == (2, True)


@pytest.mark.slow
def test_a_customer_with_the_key_of_a_user_is_another_matter(muster: Muster) -> None:
    users_run = created(muster, [user(1, row_ref="SAME")])
    customers_run = muster("run", written(muster.folder / "customers.csv", [person(1, row_ref="SAME")]))
    assert (users_run.outcomes, customers_run.outcomes) == (["onboarded"], ["onboarded"])
    assert users_run.rows[0]["external_unique_id"] != customers_run.rows[0]["external_unique_id"]


@pytest.fixture
def many(sandbox: Sandbox) -> int:
    """More users than a page has; another tenant's beside them."""
    with Caller(sandbox, "operator", "operator-password", 1001) as caller:
        for number in range(1, 46):
            caller("POST", "admin-users", json=body(user(number)))
    planted(sandbox, user(99), tenant=1002)
    return 45


def test_all_users_are_listed_masked(muster: Muster, many: int) -> None:
    ended = muster("admin-users", "list")
    lines = ended.stdout.splitlines()
    assert (ended.code, len(lines)) == (0, many + 1)
    assert lines[1].split()[1:] == ["thembi.1", "T*****", "N****", "t***@example.com", "*********01", "LEVEL_01"]


def test_the_list_is_json_or_csv_on_request(muster: Muster, many: int) -> None:
    document = json.loads(muster("admin-users", "list", "--output", "json").stdout)
    sheet = list(csv.DictReader(io.StringIO(muster("admin-users", "list", "--output", "csv").stdout)))
    assert (document["schema_version"], len(document["admin_users"]), len(sheet)) == (1, many, many)
    assert sheet == document["admin_users"]
    assert sheet[0]["phone1"] == "*********01"


@pytest.mark.parametrize("arguments", [("list",), ("create", "users.csv")])
def test_a_system_without_a_portal_is_refused(muster: Muster, arguments: tuple[str, ...]) -> None:
    written(muster.folder / "users.csv", users(1))
    ended = muster("admin-users", *arguments, "--system", "banklingo")
    assert (ended.code, "no portal users" in ended.stderr) == (2, True)


def test_personal_values_are_shown_on_a_terminal_only(muster: Muster, sandbox: Sandbox) -> None:
    ended = muster("admin-users", "list", "--reveal")
    assert (ended.code, "terminal" in ended.stderr, ended.stdout, sandbox.journal()) == (2, True, "", [])


def test_a_credential_that_may_not_manage_users_ends_the_command(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.onboarding_identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.onboarding_password)
    listed, made = muster("admin-users", "list"), created(muster, users(2))
    assert (listed.code, listed.stdout) == (4, "")
    assert (made.code, made.folder.exists(), writes(sandbox)) == (4, False, [])
