"""Azakaw end to end: every ending, every loss, every dialect; and that nobody is added twice."""

from typing import Any

import pytest

from jobs.model import Rate
from jobs.systems.messages import CallClass
from tests.flow.muster import lines
from tests.flow.test_leaks import everything, leaks

from .azakaw import UNSEEN, World, company, configure, counts, person, sent, settings
from .azakaw import world as world

LOST: list[dict[str, Any]] = [
    {"kind": "drop_after_commit"},
    {"kind": "drop_before_commit"},
    {"kind": "drop_mid_reply"},
    {"kind": "truncated_body"},
    {"kind": "garbage_body"},
    {"kind": "empty_body"},
    {"kind": "wrong_content_type"},
    {"kind": "status_after_commit", "params": {"status": 500}},
    {"kind": "status_after_commit", "params": {"status": 504}},
    {"kind": "status_after_commit", "params": {"status": 200, "body": {"statusCode": 500, "result": None}}},
    {"kind": "status_after_commit", "params": {"status": 200, "body": {"statusCode": 200, "result": {}}}},
    {"kind": "status", "params": {"status": 503}},
    {"kind": "huge_body", "params": {"bytes": 6_000_000}},
]


def test_both_kinds_are_added_once_and_a_second_run_changes_nothing(world: World) -> None:
    ended = world.run([person(1), company(2), person(3, "Approved")])

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 3)
    assert [row["decision_status"] for row in ended.rows] == ["New", "New", "Approved"]
    assert {row["class"] for row in ended.reconciliation} == {"match"}
    assert counts(world.sandbox) == {"customers": 3, "doubles": 0, "mails": 0}
    with world.unchanged():
        assert world.again().outcomes == ["already_onboarded"] * 3


def test_every_ending_has_its_outcome(world: World) -> None:
    taken = world.sandbox.of("azakaw").plant(customerEmail=" THANDI.4@example.com")
    rows = [person(1), person(2, "Refused"), person(3, "Rejected"), person(4), person(5, email=""), company(6)]
    rows += [person(7), person(8, email="Thandi.7@Example.com"), company(9, registration_number=""), company(10, "")]
    rows += [person(11, customer_kind="firm"), person(12, first_name="")]

    ended = world.run(rows)

    expected = ["onboarded", "rejected", "declined", "conflict", "quarantined", "onboarded"]
    assert ended.outcomes == expected + ["quarantined"] * 6
    reasons = [row["reason_code"] for row in ended.rows]
    assert reasons[1:5] == ["refused_by_target", "application_rejected", "email_taken", "missing:email"]
    assert reasons[6:8] == ["duplicate_in_file:email"] * 2
    assert reasons[8:] == [
        "missing:registration_number",
        "missing:legal_name",
        "value_invalid:customer_kind",
        "missing:first_name",
    ]
    assert taken["submissionId"] in ended.rows[3]["reason"]
    assert "Refused" not in ended.rows[1]["reason"]
    assert {row["class"] for row in ended.reconciliation} == {"match", "not_sent"}
    with world.unchanged():
        assert world.again().counts["already_onboarded"] == 2


def test_a_lost_create_is_settled_by_the_list(world: World) -> None:
    once = {"operation": "add_customer", "nth": 1}
    world.sandbox.faults(
        [{**once, **fault, "match": {"lastName": f"Lost{number}"}} for number, fault in enumerate(LOST)]
    )
    rows = [person(number, f"Lost{number}") for number in range(len(LOST))]

    ended = world.run(rows)

    assert ended.outcomes == ["onboarded"] * len(LOST), [row["reason"] for row in ended.rows]
    assert {row["customer_origin"] for row in ended.rows} == {"created"}
    assert counts(world.sandbox) == {"customers": len(LOST), "doubles": 0, "mails": 0}
    assert sent(world.sandbox) == len(LOST) + 2


def test_a_create_that_is_never_answered_is_sent_twice_at_most(world: World) -> None:
    world.sandbox.faults([{"operation": "add_customer", "kind": "drop_before_commit"}])

    ended = world.run([person(1)])

    assert (ended.code, ended.outcomes, ended.rows[0]["reason_code"]) == (1, ["in_doubt"], "unanswered")
    assert sent(world.sandbox) == 2
    world.sandbox.faults([])
    with world.unchanged():
        assert world.again().outcomes == ["in_doubt"]


@pytest.mark.few(1)
@pytest.mark.parametrize(("fault", "outcome"), [("drop_before_commit", "in_doubt"), ("drop_after_commit", "onboarded")])
def test_where_a_create_mails_somebody_it_is_sent_once_only(world: World, fault: str, outcome: str) -> None:
    settings(world.folder, "send_email = true")
    world.sandbox.faults([{"operation": "add_customer", "kind": fault, "nth": 1}])

    ended = world.run([person(1)])

    assert ended.outcomes == [outcome]
    assert sent(world.sandbox) == 1
    assert counts(world.sandbox)["mails"] == (outcome == "onboarded")


@pytest.mark.few(1)
@pytest.mark.parametrize("dialect", ["409", "400"])
def test_an_email_that_is_taken_after_all_is_a_conflict(world: World, dialect: str) -> None:
    configure(world.sandbox, duplicate=dialect)
    world.sandbox.of("azakaw").plant(customerEmail="thandi.1@example.com")
    world.sandbox.faults([{**UNSEEN, "nth": 1}])

    ended = world.run([person(1)])

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["conflict"], "email_taken")
    assert ended.rows[0]["customer_id"] == ""
    assert counts(world.sandbox) == {"customers": 1, "doubles": 0, "mails": 0}


@pytest.mark.few(1)
@pytest.mark.parametrize("dialect", ["409", "400", "200-existing"])
def test_a_repetition_that_is_refused_is_still_ours(world: World, dialect: str) -> None:
    configure(world.sandbox, duplicate=dialect)
    world.sandbox.faults(
        [{"operation": "add_customer", "kind": "drop_after_commit", "nth": 1}, {**UNSEEN, "nth": [2, 3, 4, 5, 6]}]
    )

    ended = world.run([person(1)])

    assert ended.outcomes == ["onboarded"]
    assert sent(world.sandbox) == 2
    assert counts(world.sandbox) == {"customers": 1, "doubles": 0, "mails": 0}


def test_refusals_inside_of_a_200_mean_the_same(world: World) -> None:
    configure(world.sandbox, body_status=True)
    world.sandbox.faults([{"operation": "add_customer", "kind": "unauthorized", "nth": 1}])

    ended = world.run([person(1), person(2, "Refused")])

    assert ended.outcomes == ["onboarded", "rejected"]
    assert ended.rows[1]["error_code"] == "400"


@pytest.mark.few(1)
@pytest.mark.parametrize("strictness", ["seed", "vendor"])
def test_without_the_list_nothing_is_sent_unless_the_operator_says_so(world: World, strictness: str) -> None:
    world.sandbox.configure(strictness=strictness)
    configure(world.sandbox, listing=False)

    refused = world.run([person(1)])

    assert (refused.code, refused.outcomes, sent(world.sandbox)) == (4, ["not_attempted"], 0)
    assert "uses_list" in refused.stdout
    settings(world.folder, "uses_list = false")
    world.sandbox.faults([{"operation": "add_customer", "kind": "drop_after_commit", "match": {"lastName": "Lost"}}])
    ended = world.run([person(1), person(2, "Lost"), company(3)])
    assert ended.outcomes == ["onboarded", "in_doubt", "onboarded"]
    assert ended.rows[1]["reason_code"] == "list_unavailable"
    assert [row["class"] for row in ended.reconciliation] == ["match", "missing_in_target", "match"]
    assert sent(world.sandbox) == 3


@pytest.mark.slow
def test_a_list_that_goes_away_leaves_the_lost_in_doubt(world: World) -> None:
    world.sandbox.faults(
        [
            {"operation": "add_customer", "kind": "drop_after_commit", "nth": 1},
            {"operation": "list_submissions", "kind": "status", "nth": list(range(2, 30)), "params": {"status": 403}},
        ]
    )

    ended = world.run([person(1)])

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["in_doubt"], "list_unavailable")
    assert sent(world.sandbox) == 1
    world.sandbox.faults([])
    with world.unchanged():
        assert world.again().outcomes == ["onboarded"]


def test_a_list_that_is_not_whole_proves_nobody_absent(world: World) -> None:
    configure(world.sandbox, count_wrong=True)

    ended = world.run([person(1)])

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["failed"], "read_failed")
    assert sent(world.sandbox) == 0
    configure(world.sandbox)
    assert world.muster("retry", ended.folder.name).outcomes == ["onboarded"]


def test_a_list_that_lags_delays_and_doubles_nothing(world: World) -> None:
    configure(world.sandbox, lag_reads=2)
    world.sandbox.faults([{"operation": "add_customer", "kind": "drop_after_commit", "match": {"lastName": "Lost"}}])

    ended = world.run([person(1), person(2, "Lost")])

    assert ended.outcomes == ["onboarded"] * 2
    assert counts(world.sandbox) == {"customers": 2, "doubles": 0, "mails": 0}


@pytest.mark.slow
def test_an_awaited_decision_is_polled_and_found_later(world: World) -> None:
    settings(world.folder, "await_decision = true")

    ended = world.run([person(1), person(2, "Inreview"), person(3, "Approved"), company(4, "Rejected")])

    assert (ended.code, ended.outcomes) == (1, ["pending", "pending", "onboarded", "declined"])
    assert ended.rows[1]["decision_status"] == "ComplianceReview"
    for row, state in zip(ended.rows, ["Approved", "Rejected"], strict=False):
        world.sandbox.of("azakaw").amend("customers", row["customer_id"], kycState=state)
    assert world.muster("resume").outcomes == ["onboarded", "declined", "already_onboarded", "declined"]
    assert sent(world.sandbox) == 4


@pytest.mark.slow
def test_a_password_is_asked_for_once(world: World) -> None:
    settings(world.folder, "set_password = true")
    world.sandbox.faults([{"operation": "set_password", "kind": "drop_after_commit", "nth": 2}])

    ended = world.run([person(1), company(2)], "--concurrency", "1")

    assert ended.outcomes == ["onboarded", "in_doubt"]
    assert ended.rows[1]["failed_step"] == "password"
    assert counts(world.sandbox)["mails"] == 2
    with world.unchanged():
        assert world.again().outcomes == ["already_onboarded", "in_doubt"]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_at_a_create_is_finished_without_a_double(world: World, when: str) -> None:
    rows = [person(number) for number in range(1, 6)] + [company(6)]
    world.muster.killed("add_customer", when, 3, "run", world.file(rows), "--concurrency", "4")

    resumed = world.muster("resume")

    assert set(resumed.outcomes) <= {"onboarded", "already_onboarded"}
    assert resumed.code == 0
    assert counts(world.sandbox) == {"customers": 6, "doubles": 0, "mails": 0}


def test_the_documented_limit_is_never_met(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(world.sandbox, limits={"create": "3/0.3"})
    monkeypatch.setenv("MUSTER_RATE", "3/0.3")

    ended = world.run([person(number) for number in range(1, 8)])

    assert ended.outcomes == ["onboarded"] * 7
    assert 429 not in {entry["status"] for entry in world.sandbox.journal()}


def test_a_refusal_because_of_a_limit_costs_no_attempt(world: World) -> None:
    body = {"statusCode": 429, "messages": ["Too many requests"], "result": None}
    inside = {"operation": "add_customer", "kind": "status", "nth": 2, "params": {"status": 200, "body": body}}
    world.sandbox.faults([{"operation": "add_customer", "kind": "throttle", "nth": 1}, inside])

    ended = world.run([person(1)])

    assert ended.outcomes == ["onboarded"]
    assert sent(world.sandbox) == 3


@pytest.mark.slow
def test_a_later_comparison_finds_what_was_changed_or_deleted(world: World) -> None:
    ended = world.run([person(1), person(2), company(3)])
    azakaw = world.sandbox.of("azakaw")
    azakaw.amend("customers", ended.rows[0]["customer_id"], kycState="Rejected")
    azakaw.amend("customers", ended.rows[2]["customer_id"], deleted=True)

    compared = world.muster("reconcile", ended.folder.name, "--output", "json")
    (world.folder / "customers.csv").unlink()
    without = world.muster("reconcile", ended.folder.name, "--output", "json")

    found = {"match": 1, "status_difference": 1, "missing_in_target": 1}
    for each in (compared, without):
        assert each.code == 1
        assert f'"reconciliation":{"{"}' in each.stdout.replace(" ", "")
        assert all(f'"{name}":{count}' in each.stdout.replace(" ", "") for name, count in found.items())


def test_profiles_are_read_too_where_that_is_wanted(world: World) -> None:
    settings(world.folder, "check_profiles = true")
    world.sandbox.faults([{"operation": "legal_profile", "kind": "status", "params": {"status": 404}}])

    ended = world.run([person(1), company(2)])

    assert [row["class"] for row in ended.reconciliation] == ["match", "missing_in_target"]


@pytest.mark.slow
def test_a_listing_names_who_only_the_target_has(world: World) -> None:
    ended = world.run([person(1)])
    stranger = world.sandbox.of("azakaw").plant(customerEmail="stranger@example.com")

    compared = world.muster("reconcile", ended.folder.name, "--list")

    assert compared.code == 1
    [folder] = ended.folder.glob("reconcile-*")
    found = {row["class"]: row["customer_id"] for row in lines(folder / "reconciliation.csv")}
    assert found == {"match": ended.rows[0]["customer_id"], "only_in_target": stranger["submissionId"]}


def test_what_a_person_decides_is_proven_by_the_email(world: World) -> None:
    world.sandbox.faults([{"operation": "add_customer", "kind": "drop_before_commit"}])
    ended = world.run([person(1)])
    world.sandbox.faults([])
    azakaw = world.sandbox.of("azakaw")
    ids = [azakaw.plant(customerEmail=email)["submissionId"] for email in ("THANDI.1@example.com", "b@example.com")]
    decisions = world.folder / "decisions.csv"

    codes = []
    for submission_id in reversed(ids):
        decisions.write_text(f"row,decision,customer_id,reason,decided_by\n1,ours,{submission_id},by phone,Ann\n")
        codes.append(world.muster("resume", ended.folder.name, "--decisions", decisions).code)

    assert codes == [2, 0]
    assert world.again().rows[0]["customer_id"] == ids[0]


@pytest.mark.slow
def test_customers_are_found_by_email_name_and_id(world: World) -> None:
    found = world.run([person(1), company(2)]).rows[1]["customer_id"]

    assert "o***@example.com" in world.muster("lookup", "--i-know", "--email", "OFFICE.2@example.com").stdout
    assert found in world.muster("lookup", "--i-know", "--last-name", "trading").stdout
    assert found in world.muster("lookup", "--customer-id", found).stdout
    assert world.muster("lookup", "--i-know", "--email", "nobody@example.com").code == 1
    assert world.muster("lookup", "--i-know", "--phone", "0821234567").code == 2


@pytest.mark.slow
def test_a_login_at_another_address_than_before_is_refused_until_the_settings_name_it(world: World) -> None:
    """The base URL is the same; `auth_base_url` alone would take the secret elsewhere."""
    assert world.run([person(1)]).code == 0
    calls = len(world.sandbox.journal())
    table = world.folder / "muster.toml"
    elsewhere = world.sandbox.base_url.replace("127.0.0.1", "localhost")
    table.write_text(table.read_text() + f'auth_base_url = "{elsewhere}"\n')
    for command in (
        ("run", world.folder / "customers.csv"),
        ("lookup", "--i-know", "--last-name", "x"),
        ("reconcile", "run-1"),
    ):
        refused = world.muster(*command)
        assert (refused.code, f"would now be sent to {elsewhere} too" in refused.stderr) == (2, True), command
    assert len(world.sandbox.journal()) == calls
    table.write_text(table.read_text() + f'origins = ["{world.sandbox.base_url}", "{elsewhere}"]\n')
    named = world.muster("lookup", "--i-know", "--last-name", "x")
    assert named.code == 4  # it went there, where nobody gives tokens
    assert f"logins to {elsewhere}" in named.stderr


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ('employee_id = "nobody"', 4, "employee"),
        ('form_id_individual = "form-unknown"', 4, "form"),
        ("employee_id = 7", 4, "The run was stopped: the target has no employee 7."),
        ('auth_base_url = "http://example.com"', 2, "https"),
    ],
)
def test_wrong_settings_stop_before_anything_is_sent(world: World, wrong: str, code: int, words: str) -> None:
    name = wrong.split(" ")[0]
    lines = (world.folder / "muster.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(name)]
    (world.folder / "muster.toml").write_text("\n".join([*kept, wrong]))

    ended = world.run([person(1)])

    assert ended.code == code
    assert words in ended.stdout + ended.stderr
    assert sent(world.sandbox) == 0
    assert code == 2 or world.muster("doctor").code == 1


def test_missing_settings_and_a_wrong_secret_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "muster.toml").write_text("")
    assert world.run([person(1)]).code == 2
    settings(world.folder)
    monkeypatch.setenv("MUSTER_PASSWORD", "wrong")

    ended = world.run([person(1)])

    assert ended.code == 4
    assert "MUSTER_PASSWORD" in ended.stderr


@pytest.mark.slow
def test_a_corrected_row_is_taken_up_again(world: World) -> None:
    world.run([person(1, "Refused")])

    assert world.run([person(1, "Nkosi")]).outcomes == ["onboarded"]
    assert counts(world.sandbox)["customers"] == 1


@pytest.mark.slow
def test_nothing_personal_is_left_anywhere(world: World) -> None:
    rows = [person(1, national_id="9001015009086"), person(2, "Refused"), company(3), person(4), person(5, "Lost")]
    rows[2]["row_ref"] = rows[2]["email"]
    world.sandbox.of("azakaw").plant(customerEmail=rows[3]["email"])
    words = f"{rows[1]['email']} +{rows[1]['phone']} is refused"
    quoting = {"status": 400, "body": {"statusCode": 400, "messages": [words], "result": None}}
    create = {"operation": "add_customer"}
    world.sandbox.faults(
        [
            {**create, "kind": "status", "params": quoting, "match": {"lastName": "Refused"}},
            {**create, "kind": "drop_after_commit", "match": {"lastName": "Lost"}},
        ]
    )
    ended = world.run(rows, "-v")
    found = world.muster("lookup", "--i-know", "--last-name", "Nkosi", "-v")
    compared = world.muster("reconcile", ended.folder.name)

    assert ended.outcomes == ["onboarded", "rejected", "onboarded", "conflict", "onboarded"]
    personal = {"email", "phone", "national_id"}
    values = {value: column for row in rows for column, value in row.items() if column in personal}
    told = everything(world.muster, ended, found, compared)
    assert leaks(told, values | {"app-secret": "secret"}) == []


@pytest.mark.slow
def test_a_run_stopped_within_its_first_rows_gives_every_row_an_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {CallClass.WRITE: Rate(1000, 1.0), CallClass.READ: Rate(60, 60.0), CallClass.DOWNLOAD: Rate(30, 60.0)}
    monkeypatch.setattr("jobs.systems.azakaw.system.LIMITS", limits)
    settings(world.folder, "check_profiles = true")

    rows = [person(1), person(2), person(4, "Refused"), *(person(number) for number in range(5, 16))]
    ended = world.run(rows, "--canary", "8", "--max-errors", "0", "--concurrency", "3")

    assert ended.code == 3
    assert len(ended.outcomes) == len(rows)
    assert ended.outcomes[2] == "rejected"
