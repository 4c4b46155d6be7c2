"""A file of rows to Omnumi's stand-in, over sockets: what each row ends as, and what the target then holds."""

from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster
from tests.flow.people import written
from tests.flow.test_leaks import OWN, everything, leaks

from .omnumi import TENANT, World, environment, person


@pytest.fixture
def world(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> World:
    environment(sandbox, tmp_path, monkeypatch)
    return World(Muster(tmp_path, sandbox, capsys.readouterr), sandbox)


def test_rows_are_created_once_and_wait_for_their_review(world: World) -> None:
    ended = world.run([person(1), person(2)])
    again = world.again()

    assert (ended.outcomes, ended.code) == (["pending", "pending"], 5)
    assert {row["decision_status"] for row in ended.rows} == {"PENDING"}
    assert all(row["customer_id"] for row in ended.rows)
    assert "nothing was compared" in ended.stdout
    assert (again.outcomes, len(world.sent()), world.counts["customers"]) == (["pending", "pending"], 2, 2)


@pytest.mark.slow
def test_a_nightly_run_says_how_it_ends_with_0_and_then_does(world: World) -> None:
    waiting = world.run([person(1)])
    world.settings("await_decision = false")
    tonight = world.again()

    assert (waiting.code, "await_decision = false in [omnumi]" in waiting.stdout) == (5, True)
    assert (tonight.code, tonight.outcomes, tonight.rows[0]["decision_status"]) == (0, ["onboarded"], "PENDING")
    assert "await_decision" not in tonight.stdout
    assert (world.again().code, len(world.sent())) == (0, 1)


@pytest.mark.slow
def test_with_await_decision_off_rows_are_onboarded_and_stay_so(world: World) -> None:
    world.settings("await_decision = false")

    assert world.run([person(1)]).outcomes == ["onboarded"]
    again = world.again()
    assert (again.outcomes, again.code, len(world.sent())) == (["already_onboarded"], 0, 1)


ENDS = {
    "Refused": ("rejected", "refused_by_target"),
    "Provider": ("in_doubt", "unanswered"),
    "Providerdata": ("rejected", "refused_by_target"),
    "Walletuser": ("conflict", "user_taken"),
    "Rulefail": ("rejected", "refused_by_target"),
    "Rulefailtext": ("rejected", "refused_by_target"),
    "Rulefailobject": ("rejected", "refused_by_target"),
    "Rollback": ("in_doubt", "unanswered"),
    "Catchall": ("in_doubt", "unanswered"),
    "Catchafter": ("in_doubt", "unanswered"),
    "Mixed": ("conflict", "email_taken"),
}


@pytest.mark.slow
def test_every_error_of_the_catalogue_ends_a_row_once(world: World) -> None:
    rows = [person(number, name) for number, name in enumerate(ENDS, 1)]
    ended = world.run(rows)

    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == list(ENDS.values())
    assert ended.code == 1
    assert world.again().outcomes == ended.outcomes
    assert len(world.sent()) == len(rows)
    told = everything(world.muster, ended)
    private = {name: raw for name, raw in told.items() if OWN not in name and not name.startswith("id.png")}
    values = {row[name]: f"{name} of {row['row_ref']}" for row in rows for name in ("email", "phone")}
    assert leaks(private, values | {"omnumi-access-token": "token", "1990-01-31": "birth"}) == []


@pytest.mark.parametrize("name", ["Mixedblock", pytest.param("Blocked", marks=pytest.mark.slow)])
def test_a_blocked_tenant_stops_the_job(world: World, name: str) -> None:
    ended = world.run([person(1, name), person(2)], "--concurrency", "1")

    assert (ended.outcomes, ended.code) == (["not_attempted", "not_attempted"], 4)
    assert "The run was stopped: the tenant is blocked at the target." in ended.stdout
    assert len(world.sent()) == 1


@pytest.mark.slow
def test_taken_values_are_a_conflict_that_says_which(world: World) -> None:
    given = {"account_address": "0xabcdef", "custom_namespace": "thandinkosi"}
    held = [("email", "thandi.1@example.com"), ("accountAddress", "0xabcdef"), ("customNamespace", "thandinkosi")]
    for number, (member, value) in enumerate(held):
        world.standing.plant(**({"email": f"{number}@example.com"} | {member: value}))
    rows = [person(1), person(2, account_address=given["account_address"])]
    ended = world.run([*rows, person(3, custom_namespace=given["custom_namespace"])])

    assert ended.outcomes == ["conflict"] * 3
    assert [row["reason_code"] for row in ended.rows] == ["email_taken", "account_taken", "namespace_taken"]


LOST = ["drop_after_commit", "truncated_body"]
LOST_TOO = ["drop_before_commit", "garbage_body", "empty_body", "drop_mid_reply"]


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", [*LOST, *(pytest.param(each, marks=pytest.mark.slow) for each in LOST_TOO)])
def test_a_lost_reply_stays_in_doubt_and_nothing_is_sent_again(world: World, kind: str) -> None:
    world.fault(kind)
    ended = world.run([person(1)])
    again = world.muster("resume")

    assert (ended.outcomes, again.outcomes) == (["in_doubt"], ["in_doubt"])
    assert (ended.code, len(world.sent())) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "outcome"), [("drop_after_commit", "in_doubt"), ("drop_before_commit", "pending")])
def test_an_operator_may_allow_one_repetition(world: World, kind: str, outcome: str) -> None:
    world.settings("resend_unknown = true")
    world.fault(kind)
    ended = world.run([person(1)])

    assert ended.outcomes == [outcome]
    assert ("unconfirmed" in ended.rows[0]["reason"]) is (outcome == "in_doubt")
    assert world.again().outcomes == [outcome]
    assert (len(world.sent()), world.counts["customers"], world.counts["doubles"]) == (2, 1, 0)


@pytest.mark.slow
def test_a_repetition_may_be_allowed_the_next_day(world: World) -> None:
    world.fault("drop_before_commit")
    assert world.run([person(1)]).outcomes == ["in_doubt"]
    world.settings("resend_unknown = true")

    assert world.muster("resume").outcomes == ["pending"]
    assert (len(world.sent()), world.counts["customers"]) == (2, 1)


@pytest.mark.slow
def test_a_repetition_is_never_repeated(world: World) -> None:
    world.settings("resend_unknown = true")
    world.fault("drop_before_commit", nth="every")
    ended = world.run([person(1)])

    assert ended.outcomes == ["in_doubt"]
    assert world.muster("resume").outcomes == ["in_doubt"]
    assert len(world.sent()) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "sent"), [("drop_after_commit", 1), ("drop_before_commit", 2)])
def test_a_probe_finds_the_namespace_that_was_made_up(world: World, kind: str, sent: int) -> None:
    world.settings("probe = true\ngenerate_namespace = true\nsettle_seconds = 0.2")
    world.switch(probes=True)
    world.fault(kind)
    ended = world.run([person(1)])

    assert ended.outcomes == ["pending"]
    assert ("id_unresolved" in ended.rows[0]["warnings"]) is (sent == 1)
    assert bool(ended.rows[0]["customer_id"]) is (sent == 2)
    assert world.again().outcomes == ["pending"]
    creates = [entry for entry in world.sent() if entry["operation"] == "create_customer"]
    assert (len(creates), world.counts["customers"]) == (sent, 1)


@pytest.mark.parametrize(
    ("probe", "token", "told", "code"),
    [
        (False, "omnumi-access-token", "note  login                      the token is given, not tried", 0),
        (True, "omnumi-access-token", "pass  login                      the given token was accepted by a read", 0),
        (True, "another-token", "FAIL  login", 1),
    ],
)
def test_the_doctor_tries_a_token_where_there_is_a_read_and_says_so_where_there_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch, *, probe: bool, token: str, told: str, code: int
) -> None:
    world.settings(f"probe = {str(probe).lower()}")
    world.switch(probes=True)
    monkeypatch.setenv("MUSTER_TOKEN", token)
    ended = world.muster("doctor")

    assert told in ended.stdout
    assert (ended.code, bool(world.sandbox.journal())) == (code, probe)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.slow)])
def test_a_killed_run_is_finished_without_a_double(world: World, when: str) -> None:
    rows = [person(number) for number in range(1, 5)]
    world.muster.killed(
        "create_customer", when, 2, "run", written(world.folder / "customers.csv", rows), "--concurrency", "1"
    )
    resumed = world.muster("resume")

    assert sorted(resumed.outcomes) == ["in_doubt", "pending", "pending", "pending"]
    assert (len(world.sent()), world.counts["doubles"]) == (4, 0)


@pytest.mark.slow
def test_a_throttled_target_is_waited_for(world: World) -> None:
    world.fault("throttle", nth=[1, 2], retry_after=0)
    ended = world.run([person(1), person(2)])

    assert ended.outcomes == ["pending", "pending"]
    assert world.counts["customers"] == 2


@pytest.mark.slow
def test_the_first_row_goes_alone_and_stops_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUSTER_CANARY")
    ended = world.run([person(1, "Refused"), person(2), person(3)])

    assert (ended.outcomes, ended.code) == (["rejected", "not_attempted", "not_attempted"], 3)
    assert {row["reason_code"] for row in ended.rows[1:]} == {"canary"}
    assert len(world.sent()) == 1
    again = world.again()
    assert again.outcomes == ["rejected", "pending", "pending"]


@pytest.mark.slow
def test_a_row_in_doubt_does_not_block_the_next_night(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUSTER_CANARY")
    world.fault("drop_after_commit")
    assert world.run([person(1), person(2)]).outcomes == ["in_doubt", "not_attempted"]

    assert world.again().outcomes == ["in_doubt", "pending"]


@pytest.mark.slow
@pytest.mark.parametrize(("awaited", "outcome", "code"), [("true", "pending", 5), ("false", "onboarded", 0)])
def test_a_person_settles_a_doubt_by_word_but_not_the_review(
    world: World, awaited: str, outcome: str, code: int
) -> None:
    world.settings(f"await_decision = {awaited}")
    world.fault("drop_after_commit")
    world.run([person(1)])
    account = world.standing.snapshot()["customers"][0]["customerAccountId"]
    decisions = world.folder / "decisions.csv"
    decisions.write_text(
        f"row,decision,customer_id,reason,decided_by\n1,ours,{account},asked the vendor,A. Auditor\n", encoding="utf-8"
    )
    ended = world.muster("resume", "--decisions", str(decisions))

    assert (ended.outcomes, ended.code) == ([outcome], code)
    assert ended.rows[0]["customer_id"] == account
    assert world.again().outcomes == ["pending" if outcome == "pending" else "already_onboarded"]
    assert len(world.sent()) == 1


@pytest.mark.slow
def test_reading_commands_say_why_they_can_not(world: World) -> None:
    ended = world.run([person(1)])
    reconciled = world.muster("reconcile", "run-1")
    looked = world.muster("lookup", "--i-know", "--phone", "27824000001")

    assert (reconciled.code, looked.code) == (2, 2)
    assert "--against" in reconciled.stderr
    assert "find" in looked.stderr
    extract = world.folder / "extract.csv"
    account = ended.rows[0]["customer_id"]
    row = person(1) | {"customer_id": account, "decision_status": "APPROVED", "wallet_id": ""}
    assert world.muster("reconcile", "run-1", "--against", str(written(extract, [row]))).code in {0, 1, 5}
    lines = (ended.folder / "reconciliation.csv").read_text("utf-8")
    assert "match" not in lines
    amended = world.muster("reconcile", "run-1", "--against", str(written(extract, [row | {"last_name": "Other"}])))
    assert amended.code == 1
    assert "field_difference" in amended.stdout


@pytest.mark.parametrize(
    ("strictness", "headers"), [pytest.param("seed", False, marks=pytest.mark.slow), ("vendor", True)]
)
def test_tenant_and_token_are_sent_as_the_settings_say(world: World, strictness: str, headers: bool) -> None:
    world.sandbox.configure(strictness=strictness)
    world.settings(f"tenant_header = {str(headers).lower()}")

    assert world.run([person(1)]).outcomes == ["pending"]


@pytest.mark.parametrize(
    ("strictness", "told"), [("seed", "access token"), pytest.param("vendor", "given token", marks=pytest.mark.slow)]
)
def test_a_wrong_token_stops_the_job(world: World, monkeypatch: pytest.MonkeyPatch, strictness: str, told: str) -> None:
    world.sandbox.configure(strictness=strictness)
    monkeypatch.setenv("MUSTER_TOKEN", "another-token")
    ended = world.run([person(1)])

    assert ended.code == 4
    assert told in ended.stderr + ended.stdout
    assert world.counts["customers"] == 0


@pytest.mark.slow
def test_no_token_is_needed_where_none_is_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUSTER_TOKEN")
    assert world.run([person(1)]).code == 2
    world.settings("access_token = false")
    world.switch(access_token=False)

    assert world.run([person(1)]).outcomes == ["pending"]


@pytest.mark.slow
def test_every_column_reaches_the_target(world: World) -> None:
    header, row = world.muster("schema", "omnumi", "--format", "csv").stdout.splitlines()
    given = dict(zip(header.split(","), row.replace('"', "").split(","), strict=False))
    assert len(given) > 90
    files = {name: "id.png" for name in given if name.endswith("_file")}
    texts = {name: value for name, value in person(1).items() if name in given}
    ended = world.run([dict.fromkeys(given, "") | dict.fromkeys(_free(given), "Text") | texts | files])

    assert ended.outcomes == ["pending"]
    members = " ".join(world.members())
    for member in ("passport.content", "governmentDocuments.1.content", "gidPhoto", "metroAreaDetails.iPAddress"):
        assert member in members
    assert TENANT not in members


@pytest.mark.slow
def test_any_document_and_whatever_the_tenant_keeps_reaches_the_target(world: World) -> None:
    more = {
        f"document_{number}_{what}": given
        for number in (3, 7)
        for what, given in {"file": "id.png", "type": "Passport", "side": "back"}.items()
    }
    ended = world.run(
        [person(1, **more, meta_campaign="c-7", meta_agentName="Thandi"), person(2, document_3_type="Passport")]
    )
    members = set(world.standing.snapshot()["customers"][0]["members"])

    assert ended.outcomes == ["pending", "quarantined"]
    assert ended.rows[1]["reason_code"] == "missing:document_3_file"
    assert {f"governmentDocuments.{place}.content" for place in range(3)} <= members
    assert {"customerMetaData.rowRef", "customerMetaData.campaign", "customerMetaData.agentName"} <= members
    assert "c-7" not in (ended.folder / "outcome.csv").read_text("utf-8")


def test_a_member_that_the_note_does_not_have_is_refused_and_not_left_out(world: World) -> None:
    ended = world.run([person(1, geo_location_device_data="x"), person(2, metro_area_device_data="x")])

    assert ended.outcomes == ["quarantined", "pending"]
    assert ended.rows[0]["reason_code"] == "value_invalid:geo_location_device_data"


@pytest.mark.slow
def test_the_namespace_of_the_wallet_is_in_the_reports(world: World) -> None:
    ended = world.run([person(1)])

    assert ended.rows[0]["wallet_id"].endswith(".sandbox.ul")


def _free(given: dict[str, str]) -> list[str]:
    """Columns of free text: those that take any word."""
    from schemas.columns import columns_of

    return [each.name for each in columns_of("omnumi") if each.kind == "text" and each.api and each.name in given]


@pytest.mark.slow
def test_a_row_has_as_many_documents_as_its_file_has_columns_for(world: World) -> None:
    more = {
        f"document_{number}_{what}": given
        for number in (21, 22, 300)
        for what, given in {"file": "id.png", "type": "Passport", "expired": "FALSE", "valid_till_date": ""}.items()
    }
    wrong = {
        "document_300_type": {"document_300_type": ""},
        "document_21_file": {"document_21_file": "gone.png"},
        "document_22_expired": {"document_22_expired": "perhaps"},
        "document_300_valid_till_date": {"document_300_valid_till_date": "2034-02-30"},
    }
    rows = [
        person(1, **more),
        *(person(n, **(more | each)) for n, each in enumerate(wrong.values(), start=2)),
        person(9),
    ]
    ended = world.run(rows)
    members = {each for customer in world.standing.snapshot()["customers"] for each in customer["members"]}
    twice = world.run([person(1, **more, **{"Document 21 Type": "Passport"})])

    assert ended.outcomes == ["pending", *["quarantined"] * 4, "pending"]
    assert [row["reason_code"].partition(":")[2] for row in ended.rows[1:5]] == list(wrong)
    assert ended.rows[1]["reason_code"] == "missing:document_300_type"
    assert {f"governmentDocuments.{place}.content" for place in range(4)} <= members
    assert (twice.code, "both mean document_21_type" in twice.stderr) == (2, True)
