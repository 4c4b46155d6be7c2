"""`muster register` over sockets: customers get a login that is proven, whatever gets lost on the way."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.evidence.events import read_events
from jobs.keys import KeySpace
from jobs.model import Rate
from jobs.sandbox.eclipse.store import Login
from jobs.sandbox.server import Sandbox
from jobs.systems import adapter
from jobs.systems.contract import Setup
from jobs.systems.eclipse.system import EclipseSettings
from jobs.systems.messages import CallClass
from tests.flow.muster import ONE_OF_EACH, Muster, arrivals, lines, standing, writes
from tests.flow.people import Row as Cells
from tests.flow.people import record
from tests.flow.test_limits import most_in_any_window

from .registered import DELIVERED, PASSWORDS, delivered, held, intrusions, login_of, newcomer, newcomers

Filed = Callable[[list[Cells]], Path]


pytestmark = pytest.mark.usefixtures("onboarding")


def test_customers_are_registered_with_passwords_that_are_delivered(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = newcomers(4)
    ended = muster("register", file_of(rows), *PASSWORDS)
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 4)
    assert delivered(muster.folder) == {row["identity"]: login_of(sandbox, row).password for row in rows}
    assert (muster.folder / DELIVERED).stat().st_mode & 0o777 == 0o600
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert {line["warnings"] for line in ended.rows} == {""}
    assert intrusions(sandbox) == []


@pytest.mark.slow
def test_registering_again_changes_nothing(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    path = file_of(newcomers(3))
    muster("register", path, *PASSWORDS)
    before, file = arrivals(sandbox), (muster.folder / DELIVERED).read_bytes()
    ended = muster("register", path, *PASSWORDS)
    assert (ended.code, ended.outcomes) == (0, ["already_onboarded"] * 3)
    assert writes(sandbox, after=before) == []
    assert (muster.folder / DELIVERED).read_bytes() == file
    assert intrusions(sandbox) == []


PAPERS = {"passport_number": "passportNumber", "asylum_ref_number": "asylumRefNumber"}


@pytest.mark.few(1)
@pytest.mark.parametrize("column", ["phone", "national_id", "email", *PAPERS, "identity"])
def test_whoever_is_known_by_any_filter_is_not_registered_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, column: str
) -> None:
    row, stranger = (newcomer(n, passport_number=f"A012345{n}", asylum_ref_number=f"ZAPTA{n}") for n in (1, 2))
    stranger[column] = row[column]
    papers = {member: stranger[name] for name, member in PAPERS.items()}
    sandbox.plant(**record(stranger, **papers, identities=[stranger["identity"]]))
    ended = muster("register", file_of([row]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "already_registered")]
    assert writes(sandbox) == []


def decision(folder: Path, row: int, word: str = "another_person") -> Path:
    """A file that decides about one row."""
    path = folder / "decided.csv"
    path.write_text(f"row,decision,reason,decided_by\n{row},{word},a sister of the other one,A. Auditor\n")
    return path


@pytest.mark.slow
def test_a_person_may_decide_that_an_email_address_is_a_familys(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    family = newcomer(1)
    sandbox.plant(**record(family))
    rows = [newcomer(2, email=family["email"]), newcomer(3)]
    ended = muster("register", file_of(rows), *PASSWORDS)
    assert ended.outcomes == ["conflict", "onboarded"]
    decided = muster("resume", "run-1", "--decisions", decision(muster.folder, 1))
    assert (decided.code, decided.outcomes) == (0, ["onboarded", "already_onboarded"])
    assert (len(held(sandbox, rows[0])), len(held(sandbox, family))) == (1, 1)
    assert login_of(sandbox, rows[0]).password == delivered(muster.folder)[rows[0]["identity"]]
    told = read_events(decided.folder / "events.ndjson")
    assert [each["verdict"] for each in told if each["kind"] == "decision"] == ["another_person"]


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit"])
def test_a_lost_create_with_an_address_that_is_shared_makes_one_customer(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, kind: str
) -> None:
    sandbox.plant(**record(newcomer(1)))
    row = newcomer(2, email=newcomer(1)["email"])
    assert muster("register", file_of([row]), *PASSWORDS).outcomes == ["conflict"]
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": kind}])
    ended = muster("resume", "run-1", "--decisions", decision(muster.folder, 1))
    assert (ended.outcomes, len(held(sandbox, row))) == (["onboarded"], 1)


@pytest.mark.slow
def test_a_phone_that_the_target_takes_only_once_stays_a_conflict(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.plant(**record(newcomer(1)))
    row = newcomer(2, phone=newcomer(1)["phone"])
    assert muster("register", file_of([row]), *PASSWORDS).outcomes == ["conflict"]
    ended = muster("resume", "run-1", "--decisions", decision(muster.folder, 1))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "already_registered")]
    assert "no second customer" in ended.rows[0]["reason"]
    assert held(sandbox, row) == []
    refused = muster("resume", ended.folder.name, "--decisions", decision(muster.folder, 1))
    assert (refused.code, "nothing but a phone or an e-mail" in refused.stderr) == (2, True)


@pytest.mark.few(1)
@pytest.mark.parametrize("column", ["national_id", "identity", "passport_number"])
def test_nobody_decides_that_two_people_share_a_number_that_is_a_persons_own(
    muster: Muster, sandbox: Sandbox, file_of: Filed, column: str
) -> None:
    family, row = (newcomer(n, passport_number=f"A012345{n}") for n in (1, 2))
    sandbox.plant(**record(family, passportNumber=family["passport_number"], identities=[family["identity"]]))
    shared = {"email": family["email"], column: family[column]}
    assert muster("register", file_of([row | shared]), *PASSWORDS).outcomes == ["conflict"]
    before = arrivals(sandbox)
    ended = muster("resume", "run-1", "--decisions", decision(muster.folder, 1))
    assert (ended.code, "nothing but a phone or an e-mail" in ended.stderr) == (2, True)
    assert writes(sandbox, before) == []


@pytest.mark.slow
def test_what_was_decided_of_one_address_says_nothing_of_the_next(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    for number in (1, 2):
        sandbox.plant(**record(newcomer(number)))
    row = newcomer(3, email=newcomer(1)["email"])
    assert muster("register", file_of([row]), *PASSWORDS).outcomes == ["conflict"]
    sandbox.faults([{"operation": "create_customer", "kind": "status", "params": {"status": 400}}])
    ended = muster("resume", "run-1", "--decisions", decision(muster.folder, 1))
    assert ended.outcomes == ["rejected"]
    sandbox.faults([])
    ended = muster("register", file_of([row | {"email": newcomer(2)["email"]}]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "already_registered")]


@pytest.mark.few(1)
@pytest.mark.parametrize(("kind", "left"), [("drop_before_commit", "failed"), ("drop_after_commit", "in_doubt")])
def test_a_login_that_was_changed_while_its_creation_is_unanswered_is_in_doubt(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, kind: str, left: str
) -> None:
    row = newcomer(1, totp_enabled="true")
    unseen = {"operation": "identity_exists", "kind": "status", "nth": list(range(2, 60)), "params": {"status": 503}}
    sandbox.faults([{"operation": "create_identity", "kind": kind}, *([unseen] if left == "in_doubt" else [])])
    assert muster("register", file_of([row]), *PASSWORDS).outcomes == [left]
    sandbox.faults([])
    ended = muster("register", file_of([row | {"identity": "thandi.other"}]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "changed_since")]
    assert muster("register", file_of([row]), *PASSWORDS).outcomes == ["onboarded"]
    assert login_of(sandbox, row).identity == row["identity"]


@pytest.mark.few(1)
@pytest.mark.parametrize("member", ["phone1", "customerId"])
def test_a_registration_that_is_answered_about_somebody_else_is_settled_by_reading(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, member: str
) -> None:
    row, stranger = newcomer(1), newcomer(2)
    answer = {"firstName": "Thandi", "phone1": row["phone"], "customerId": sandbox.plant(**record(stranger))}
    answer |= {member: 0 if member == "customerId" else stranger["phone"]}
    params = {"status": 200, "body": answer}
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "status_after_commit", "params": params}])
    ended = muster("register", file_of([row]), *PASSWORDS)
    assert (ended.outcomes, ended.rows[0]["customer_id"]) == (["onboarded"], str(held(sandbox, row)[0].customer_id))
    assert held(sandbox, stranger)[0].identities == []


LOST = {
    "drop_after_commit": {},
    "drop_before_commit": {},
    "truncated_body": {},
    "garbage_body": {},
    "status_after_commit": {"status": 504},
}


@pytest.mark.few(3)
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("operation", ["create_customer", "create_identity"])
def test_a_lost_answer_makes_no_second_customer_and_no_second_login(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, kind: str
) -> None:
    rows = newcomers(2)
    sandbox.faults([{"operation": operation, "nth": 1, "kind": kind, "params": LOST[kind]}])
    ended = muster("register", file_of(rows), *PASSWORDS)
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert delivered(muster.folder) == {row["identity"]: login_of(sandbox, row).password for row in rows}
    assert intrusions(sandbox) == []


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("operation", "when"),
    [
        ("create_customer", "after"),
        ("create_identity", "before"),
        ("create_identity", "after"),
        pytest.param("create_customer", "before", marks=pytest.mark.slow),
    ],
)
def test_a_registration_that_is_killed_is_finished_with_the_password_that_was_delivered(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, when: str
) -> None:
    rows = newcomers(3)
    muster.killed(operation, when, 2, "register", file_of(rows), *PASSWORDS, "--concurrency", "1")
    known = delivered(muster.folder)
    ended = muster("resume")
    assert (ended.code, set(ended.outcomes) <= {"onboarded", "already_onboarded"}) == (0, True)
    assert delivered(muster.folder) == {row["identity"]: login_of(sandbox, row).password for row in rows}
    assert known.items() <= delivered(muster.folder).items()
    assert intrusions(sandbox) == []


@pytest.mark.slow
def test_a_login_name_of_another_tenant_is_a_conflict_until_it_is_changed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    sandbox.state.add_login(Login("thandi.1", "a-strangers-password", sandbox.tenant + 1))
    ended = muster("register", file_of([newcomer(1)]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "login_taken")]
    mended = newcomer(1, identity="thandi.nkosi.1")
    assert muster("register", file_of([mended]), *PASSWORDS).outcomes == ["onboarded"]
    assert login_of(sandbox, mended).password == delivered(muster.folder)["thandi.nkosi.1"]


def test_a_customer_of_ours_with_a_login_that_is_not_from_here_is_a_conflict(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    row, path = newcomer(1), file_of([newcomer(1)])
    sandbox.faults([{"operation": "create_identity", "kind": "status", "params": {"status": 400}}])
    assert muster("register", path, *PASSWORDS).outcomes == ["rejected"]
    sandbox.faults([])
    (customer,) = held(sandbox, row)
    sandbox.state.add_login(Login("somebody", "a-password", sandbox.tenant, customer_id=customer.customer_id))
    ended = muster("register", file_of([row | {"identity": "thandi.other"}]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "has_login")]


HASH = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


@pytest.mark.slow
def test_a_handover_that_can_not_be_proven_is_a_warning(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [newcomer(1, totp_enabled="TRUE"), newcomer(2, password=HASH), newcomer(3)]
    ended = muster("register", file_of(rows), *PASSWORDS)
    assert ended.outcomes == ["onboarded"] * 3
    assert [line["warnings"] for line in ended.rows] == [
        "handover_unproven:totp_enabled",
        "handover_unproven:password",
        "",
    ]
    assert [login_of(sandbox, row).totp for row in rows] == [True, False, False]


@pytest.mark.slow
def test_a_login_that_is_refused_leaves_the_row_in_doubt_and_is_tried_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "login", "nth": 2, "kind": "status", "params": {"status": 401}}])
    ended = muster("register", file_of(newcomers(1)), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "handover_refused")]
    assert muster("resume").outcomes == ["onboarded"]


def test_a_login_that_opens_another_record_is_a_conflict(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"uid": 1, "tenant": sandbox.tenant}).encode()).decode().rstrip("=")
    body = {"headerName": "Authorization", "headerValue": f"Bearer x.{claims}.x", "expiresEpochSecs": 4_000_000_000}
    sandbox.faults([{"operation": "login", "nth": 2, "kind": "status", "params": {"status": 200, "body": body}}])
    ended = muster("register", file_of(newcomers(1)), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "login_of_another")]


@pytest.mark.slow
def test_the_limit_of_the_credential_is_never_exceeded(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.configure(onboarding_limit="6/1")
    ended = muster("register", file_of(newcomers(9)), *PASSWORDS, "--rate", "6/1")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 9)
    assert most_in_any_window(sandbox, 1.0) <= 6
    assert {entry["status"] for entry in sandbox.journal()} == {200, 404}


def test_the_documented_limit_holds_unless_another_one_is_given(muster: Muster) -> None:
    module = adapter("eclipse:registration")
    registration = module.system(Setup("1001", KeySpace.of("eclipse", "1001")), EclipseSettings())
    assert registration.limits(frozenset({"ONBOARDING"})) == {CallClass.WRITE: Rate(60, 180.0)}


@pytest.mark.slow
def test_the_operator_goes_on_with_kyc_and_wallet(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = [newcomer(1), newcomer(2, "Kycfail"), newcomer(3)]
    ended = muster("register", file_of(rows), *PASSWORDS, "--then-onboard", "--output", "json")
    told = json.loads(ended.stdout)
    assert (ended.code, told["registration"]["exit_code"], told["onboarding"]["exit_code"]) == (1, 0, 1)
    second = muster.folder / "runs" / told["onboarding"]["run_id"]
    assert [line["outcome"] for line in lines(second / "outcome.csv")] == ["onboarded", "declined", "onboarded"]
    assert [len(held(sandbox, row)[0].wallets) for row in rows] == [1, 0, 1]
    assert intrusions(sandbox) == []


@pytest.mark.slow
def test_what_the_operator_left_open_is_resumed_as_the_operator(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    row = newcomer(1, "Kycstuck")
    path = file_of([row])
    assert muster("register", path, *PASSWORDS, "--then-onboard", "--decision-wait", "0.3").code == 5
    sandbox.amend("customers", held(sandbox, row)[0].customer_id, kyc="PASSED")
    before = arrivals(sandbox)
    assert muster("resume").outcomes == ["onboarded"]
    assert {entry["credential"] for entry in sandbox.journal(before)} <= {sandbox.identity, None}


def test_without_an_operator_nothing_is_begun_that_should_go_on(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSTER_OPERATOR_PASSWORD")
    ended = muster("register", file_of(newcomers(1)), *PASSWORDS, "--then-onboard")
    assert (ended.code, "MUSTER_OPERATOR_IDENTITY" in ended.stderr) == (2, True)
    assert sandbox.journal() == []


@pytest.mark.slow
def test_a_login_that_is_gone_is_found_by_a_reconciliation(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    rows = newcomers(2)
    ended = muster("register", file_of(rows), *PASSWORDS)
    (customer,) = held(sandbox, rows[0])
    customer.identities.clear()
    assert muster("reconcile", "run-1").code == 1
    (found,) = list(ended.folder.glob("reconcile-*/reconciliation.csv"))
    assert [(line["class"], line["target_value_masked"]) for line in lines(found) if line["class"] != "match"] == [
        ("status_difference", "no login")
    ]


def test_without_a_reader_nothing_is_compared_and_the_run_says_so(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSTER_OPERATOR_IDENTITY")
    ended = muster("register", file_of(newcomers(1)), *PASSWORDS)
    assert (ended.code, ended.reconciliation) == (0, [])
    assert "nothing was compared" in ended.stdout
    assert {entry["credential"] for entry in sandbox.journal()} <= {sandbox.onboarding_identity, None}
    assert muster("reconcile", "run-1").code == 2


def test_an_operator_who_registers_compares_with_the_same_credential(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPERATOR_IDENTITY", "OPERATOR_PASSWORD"):
        monkeypatch.delenv(f"MUSTER_{name}")
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.password)
    ended = muster("register", file_of(newcomers(2)), *PASSWORDS)

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert [line["class"] for line in ended.reconciliation] == ["match"] * 2


@pytest.mark.slow
def test_a_file_whose_rows_all_have_their_end_needs_no_place_for_passwords(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    assert muster("register", file_of(newcomers(2)), *PASSWORDS).code == 0
    again = muster("register", file_of(newcomers(2)))
    another = muster("register", file_of(newcomers(3)))

    assert (again.code, again.outcomes) == (0, ["already_onboarded"] * 2)
    assert (another.code, "1 rows have no password" in another.stderr) == (2, True)


def test_each_customer_goes_on_with_its_own_token_and_no_other(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = newcomers(2)
    ended = muster("register", file_of(rows), *PASSWORDS, "--then-onboard", "--as", "customer")
    asked = {entry["operation"]: entry["credential"] for entry in sandbox.journal() if entry["method"] == "POST"}
    again = muster("run", muster.folder / "customers.csv", "--ledger", "sqlite:///muster.db")

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2), ended.stdout
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 2
    assert {asked["trigger_kyc"], asked["create_wallet"]} <= {row["identity"] for row in rows}
    assert all(row["wallet_id"] and row["decision_status"] == "PASSED" for row in ended.rows)
    assert [line["class"] for line in ended.reconciliation] == ["match"] * 2
    assert intrusions(sandbox) == []
    assert again.code == 4  # the ONBOARDING credential onboards nobody


@pytest.mark.slow
def test_papers_are_the_customers_own_too(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    (muster.folder / "front.jpg").write_bytes(b"\xff\xd8\xff front")
    address = {"address_type": "PHYSICAL", "address_line1": "1 Long Street", "address_country": "ZA"}
    row = newcomer(1, id_front_file="front.jpg", **address)
    ended = muster("register", file_of([row]), *PASSWORDS, "--then-onboard", "--as", "customer")
    senders = {entry["operation"]: entry["credential"] for entry in sandbox.journal()}

    assert ended.outcomes == ["onboarded"], ended.stdout
    assert (senders["create_document"], senders["create_address"]) == (row["identity"], row["identity"])
    assert muster("register", muster.folder / "customers.csv").outcomes == ["already_onboarded"]


def early(folder: Path, **switches: str) -> Cells:
    """A row with a document, where ONBOARDING uploads before there is a login."""
    (folder / "front.jpg").write_bytes(b"\xff\xd8\xff front")
    (folder / "muster.toml").write_text("[eclipse]\nonboarding_uploads = true\nonboarding_updates = true\n")
    return newcomer(1, id_front_file="front.jpg", **switches)


@pytest.mark.few(1)
@pytest.mark.parametrize("further", [(), ("--then-onboard", "--as", "customer"), ("--then-onboard",)])
def test_onboarding_uploads_documents_before_there_is_a_login_and_nobody_does_it_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, further: tuple[str, ...]
) -> None:
    row = early(muster.folder)
    ended = muster("register", file_of([row]), *PASSWORDS, *further)
    order = [entry["operation"] for entry in writes(sandbox)]
    (sender,) = [entry["credential"] for entry in sandbox.journal() if entry["operation"] == "create_document"]

    assert ended.code == 0, ended.stdout
    assert order[:3] == ["create_customer", "create_document", "create_identity"]
    assert (sender, order.count("create_document")) == (sandbox.onboarding_identity, 1)
    assert intrusions(sandbox) == []


def test_an_upload_that_went_unanswered_leaves_no_login_behind_and_an_operator_settles_it(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = early(muster.folder)
    path = file_of([row])
    sandbox.faults([{"operation": "create_document", "kind": "drop_after_commit", "nth": 1}])
    ended = muster("register", path, *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("in_doubt", "documents_unreadable")]
    assert held(sandbox, row)[0].identities == []
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.password)
    assert muster("run", path).outcomes == ["onboarded"]
    assert len(held(sandbox, row)[0].documents) == 1


@pytest.mark.slow
def test_documents_of_a_customer_with_a_login_are_left_to_an_operator(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    path = file_of([early(muster.folder)])
    (muster.folder / "muster.toml").unlink()
    assert muster("register", path, *PASSWORDS).code == 0
    early(muster.folder)
    before = arrivals(sandbox)
    ended = muster("register", path, *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("failed", "login_exists")]
    assert writes(sandbox, before) == []


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", [None, "drop_after_commit", "drop_before_commit", "garbage_body"])
@pytest.mark.parametrize("strictness", ["seed", "vendor"])
def test_a_corrected_row_reaches_a_customer_that_has_no_login_yet(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, kind: str | None, strictness: str
) -> None:
    sandbox.configure(strictness=strictness)
    sandbox.state.add_login(Login("thandi.1", "a-strangers-password", sandbox.tenant + 1))
    row = early(muster.folder, gender="F")
    assert muster("register", file_of([row]), *PASSWORDS).rows[0]["reason_code"] == "login_taken"
    mended = row | {"identity": "thandi.nkosi", "email": "mended@example.com", "last_name": "Nkosi-Botha"}
    sandbox.faults([{"operation": "update_customer", "kind": kind, "nth": 1}] if kind else [])
    ended = muster("register", file_of([mended]), *PASSWORDS)

    (customer,) = held(sandbox, row)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("onboarded", "")], ended.stdout
    assert (customer.fields["email"], customer.fields["lastName"]) == ("mended@example.com", "Nkosi-Botha")
    assert [line["class"] for line in ended.reconciliation] == ["match"]
    assert muster("register", file_of([mended]), *PASSWORDS).outcomes == ["already_onboarded"]
    assert intrusions(sandbox) == []


def test_a_change_that_the_target_refuses_is_a_conflict_and_makes_no_login(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.state.add_login(Login("thandi.1", "a-strangers-password", sandbox.tenant + 1))
    sandbox.plant(**record(newcomer(2)))
    row = early(muster.folder)
    assert muster("register", file_of([row]), *PASSWORDS).rows[0]["reason_code"] == "login_taken"
    mended = row | {"identity": "thandi.nkosi", "phone": newcomer(2)["phone"]}
    ended = muster("register", file_of([mended]), *PASSWORDS)
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "already_registered")]
    assert held(sandbox, row)[0].identities == []


def test_a_lost_answer_to_the_customers_own_request_makes_no_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    rows = newcomers(3)
    sandbox.faults(
        [
            {"operation": "trigger_kyc", "kind": "drop_after_commit", "nth": 1},
            {"operation": "create_wallet", "kind": "drop_before_commit", "nth": 1},
            {"operation": "create_wallet", "kind": "unauthorized", "nth": 3},
        ]
    )
    ended = muster("register", file_of(rows), *PASSWORDS, "--then-onboard", "--as", "customer")

    assert ended.outcomes == ["onboarded"] * 3, ended.stdout
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 3


OWN_WRITES = ("create_customer", "create_identity", "create_document", "create_address", "trigger_kyc", "create_wallet")
AT_A_WRITE = [(operation, when) for operation in OWN_WRITES for when in ("before", "after")]
QUICK = [("create_identity", "after"), ("create_wallet", "after")]
SWEPT = [case if case in QUICK else pytest.param(*case, marks=pytest.mark.slow) for case in AT_A_WRITE]


@pytest.mark.few(1)
@pytest.mark.parametrize(("operation", "when"), SWEPT)
def test_a_registration_that_is_killed_at_any_write_of_the_customers_own_is_finished_once(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, operation: str, when: str
) -> None:
    (muster.folder / "front.jpg").write_bytes(b"\xff\xd8\xff front")
    own = {"id_front_file": "front.jpg", "address_type": "PHYSICAL", "address_line1": "1 Long Street"}
    rows = [newcomer(number, address_country="ZA", **own) for number in (1, 2, 3)]
    asked = ("register", file_of(rows), *PASSWORDS, "--then-onboard", "--as", "customer", "--concurrency", "2")
    muster.killed(operation, when, 2, *asked)
    known = delivered(muster.folder)
    ended = muster("resume")

    assert (ended.code, set(ended.outcomes) <= {"onboarded", "already_onboarded"}) == (0, True), ended.stdout
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 3
    assert [(len(each.documents), len(each.addresses)) for row in rows for each in held(sandbox, row)] == [(1, 1)] * 3
    assert known.items() <= delivered(muster.folder).items()
    assert delivered(muster.folder) == {row["identity"]: login_of(sandbox, row).password for row in rows}
    assert intrusions(sandbox) == []


def test_a_login_that_only_its_owner_can_use_leaves_the_rest_to_an_operator(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    ended = muster(
        "register", file_of([newcomer(1, totp_enabled="true")]), *PASSWORDS, "--then-onboard", "--as", "customer"
    )

    assert [(row["outcome"], row["reason_code"], row["failed_step"]) for row in ended.rows] == [
        ("failed", "own_login_unusable", "kyc")
    ]
    assert "an operator goes on with muster run" in ended.rows[0]["reason"]


def test_a_system_without_self_registration_says_so(muster: Muster, file_of: Filed) -> None:
    ended = muster("register", file_of(newcomers(1)), *PASSWORDS, "--system", "omnumi")
    assert (ended.code, "no self-registration" in ended.stderr) == (2, True)


def test_what_is_asked_for_twice_in_one_file_is_refused(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster(
        "register", file_of([newcomer(1), newcomer(2, identity="thandi.1"), newcomer(3, identity="")]), *PASSWORDS
    )
    assert [line["reason_code"] for line in ended.rows] == [
        "duplicate_in_file:identity",
        "duplicate_in_file:identity",
        "missing:identity",
    ]
    assert writes(sandbox) == []
