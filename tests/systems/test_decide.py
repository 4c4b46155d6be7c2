"""muster decide: commands about BankLingo's clients, what their states allow, and who may give them."""

import base64
import sqlite3
from contextlib import closing

import orjson
import pytest
from sqlalchemy import text

from jobs.clock import Clock, milliseconds
from jobs.ledger import customers as made
from jobs.ledger import lease, turn
from jobs.ledger.store import Store
from jobs.systems.jwt import holder_of
from tests.flow.muster import Ended, lines

from .banklingo import CHECKER, MAKER, Bank, client, clients, record
from .banklingo import bank as bank


def decide(bank: Bank, command: str, run: str, *more: str, file: str = "decided.csv", token: str = CHECKER) -> Ended:
    """One decision about all that `file` names."""
    bank.using(token)
    ended = bank.muster("decide", bank.folder / file, "--command", command, "--run-id", run, *more)
    return Ended(ended.code, ended.stdout, ended.stderr, bank.folder / "runs" / run)


def planted(bank: Bank, state: str, number: int = 1, *, numbered: bool = True, **row: str) -> None:
    """A client in `state` that this ledger did not create, and the file that names it."""
    ids = bank.standing.plant(**record(client(number)), clientState=state)
    shown = {"id": str(ids["id"])} if numbered else {}
    bank.file([{"contact_encoded_key": ids["contactEncodedKey"], "reason": "why", **shown, **row}], "decided.csv")


def created(bank: Bank, count: int) -> None:
    """Clients that the maker created through this ledger."""
    bank.using(MAKER)
    assert bank.muster("run", bank.file(clients(count))).outcomes == ["pending"] * count


def test_the_open_rows_of_a_run_are_approved_by_another_credential(bank: Bank) -> None:
    created(bank, 3)
    ended = decide(bank, "approve", "d1", "--from", "run-1")
    again = decide(bank, "approve", "d2")

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 3)
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert (again.outcomes, bank.calls("approve")) == (["already_onboarded"] * 3, 3)
    assert bank.muster("resume", "run-1").outcomes == ["onboarded"] * 3


def test_who_created_all_clients_may_not_decide_about_them(bank: Bank) -> None:
    created(bank, 2)
    ended = decide(bank, "approve", "d1", "--from", "run-1", token=MAKER)

    assert (ended.code, bank.calls("approve")) == (2, 0)
    assert "another one has to decide" in ended.stderr
    assert not ended.folder.exists()


@pytest.mark.slow
def test_who_created_some_of_them_is_refused_those(bank: Bank) -> None:
    created(bank, 1)
    own = bank.held()[0]
    other = bank.standing.plant(**record(client(2)))["contactEncodedKey"]
    bank.file([{"contact_encoded_key": own}, {"contact_encoded_key": other}], "decided.csv")
    ended = decide(bank, "approve", "d1", token=MAKER)

    assert ended.outcomes == ["rejected", "onboarded"]
    assert ended.rows[0]["reason_code"] == "same_credential"
    assert "1 of 2 clients were not created through this ledger" in ended.stdout
    assert bank.states() == ["Pending Approval", "Approved"]


@pytest.mark.slow
def test_the_first_decision_is_told_who_holds_a_ledger_that_can_not_be_written(bank: Bank) -> None:
    bank.monkeypatch.setattr(turn, "BUSY_SECONDS", 0.2)
    created(bank, 1)
    owner = lease.Owner.me("stopped-in-a-commit")
    with Store.opened("sqlite:///muster.db") as store:
        assert not indexed(store)
        lease.take(store, store.space("banklingo:decide", "bank-1"), owner, milliseconds(Clock().now()))
        with closing(sqlite3.connect("muster.db", isolation_level=None)) as stopped:
            stopped.execute("BEGIN IMMEDIATE")
            ended = decide(bank, "approve", "d1", "--from", "run-1")

    assert (ended.code, bank.calls("approve")) == (6, 0)
    assert "stopped-in-a-commit" in ended.stderr


def indexed(store: Store) -> bool:
    """Whether somebody has decided through this ledger before."""
    with store.engine.connect() as connection:
        return bool(connection.scalar(text(f"SELECT 1 FROM sqlite_master WHERE name = '{made.INDEX}'")))


def test_a_token_that_is_the_makers_is_refused(bank: Bank) -> None:
    planted(bank, "Pending Approval")
    bank.monkeypatch.setenv("MUSTER_MAKER_TOKEN", CHECKER)

    assert decide(bank, "approve", "d1").code == 2


def jwt(**claims: str) -> str:
    middle = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"head.{middle}.signature"


def test_a_renewed_token_is_the_same_holders() -> None:
    assert holder_of(jwt(sub="anna", jti="1")) == holder_of(jwt(sub="anna", jti="2"))
    assert holder_of(jwt(sub="anna")) != holder_of(jwt(sub="ben"))
    assert holder_of("opaque-1") != holder_of("opaque-2")


def test_clients_of_unknown_makers_are_refused_when_the_settings_say_so(bank: Bank) -> None:
    planted(bank, "Pending Approval")
    bank.settings(strict_maker_checker="true")
    ended = decide(bank, "approve", "d1")

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["rejected"], "maker_unknown")


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("command", "state", "outcome", "then"),
    [
        ("approve", "Pending Approval", "onboarded", "Approved"),
        ("approve", "Active", "already_onboarded", "Active"),
        ("approve", "Rejected", "rejected", "Rejected"),
        ("reject", "Pending Approval", "onboarded", "Rejected"),
        ("reject", "Approved", "rejected", "Approved"),
        ("blacklist", "Active", "onboarded", "BlackListed"),
        ("blacklist", "BlackListed", "already_onboarded", "BlackListed"),
        ("blacklist", "Pending Approval", "rejected", "Pending Approval"),
        ("undo-blacklist", "BlackListed", "onboarded", "Pending Approval"),
        ("undo-blacklist", "Exited", "rejected", "Exited"),
        ("request-approval", "Rejected", "rejected", "Rejected"),
        ("request-approval", "Pending Approval", "already_onboarded", "Pending Approval"),
        ("update", "Exited", "rejected", "Exited"),
    ],
)
def test_a_command_is_given_only_where_the_state_allows_it(
    bank: Bank, command: str, state: str, outcome: str, then: str
) -> None:
    planted(bank, state, city="Abuja" if command == "update" else "")
    ended = decide(bank, command, "d1")

    assert (ended.outcomes, bank.states()) == ([outcome], [then])
    sent = sum(entry["operation"] not in ("retrieve_contact", "list_contacts") for entry in bank.sandbox.journal())
    assert sent == (outcome == "onboarded" or (command, state) == ("request-approval", "Rejected"))
    if outcome == "rejected":
        assert ended.rows[0]["reason_code"] == "illegal_transition"
        assert state in ended.rows[0]["reason"]


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit", "garbage_body"])
def test_a_command_without_an_answer_is_settled_by_the_state(bank: Bank, kind: str) -> None:
    planted(bank, "Pending Approval")
    bank.fault("approve", kind)
    ended = decide(bank, "approve", "d1")

    assert (ended.outcomes, bank.states()) == (["onboarded"], ["Approved"])
    assert bank.calls("approve") == (2 if kind == "drop_before_commit" else 1)


def lost(bank: Bank, command: str, state: str, *more: str) -> Ended:
    """A command that was applied, whose answer was lost, and whose fate could not be read in that run."""
    planted(bank, state, external_unique_id="decision-1")
    bank.sandbox.faults(
        [
            {"operation": command.replace("-", "_"), "kind": "drop_after_commit", "nth": 1},
            {"operation": "retrieve_contact", "kind": "status", "nth": list(range(2, 40)), "params": {"status": 500}},
        ]
    )
    ended = decide(bank, command, "d1", *more)
    bank.sandbox.faults([])
    return ended


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("command", "state", "then"),
    [
        ("undo-blacklist", "BlackListed", "Approved"),
        ("blacklist", "Approved", "Approved"),
        ("approve", *["Pending Approval"] * 2),
    ],
)
def test_a_lost_command_after_which_others_decided_stays_in_doubt(
    bank: Bank, command: str, state: str, then: str
) -> None:
    """Were it ended by the state it would be told as not done; were it repeated it would undo what others decided."""
    first = lost(bank, command, state)
    bank.standing.amend("customers", bank.held()[0], clientState=then)
    ended = bank.muster("resume", "d1")

    assert (first.outcomes, ended.outcomes, ended.rows[0]["reason_code"]) == (["in_doubt"], ["in_doubt"], "unanswered")
    assert (bank.calls(command.replace("-", "_")), bank.states()) == (1, [then])


@pytest.mark.slow
def test_while_a_command_is_unanswered_another_one_of_the_same_key_is_not_sent(bank: Bank) -> None:
    first = lost(bank, "approve", "Pending Approval")
    ended = decide(bank, "blacklist", "d2")

    assert (first.outcomes, ended.outcomes, ended.rows[0]["reason_code"]) == (
        ["in_doubt"],
        ["in_doubt"],
        "changed_since",
    )
    assert (bank.calls("blacklist"), bank.states()) == (0, ["Approved"])
    assert decide(bank, "approve", "d3").outcomes == ["onboarded"]


def test_without_the_number_a_lost_command_stays_in_doubt_and_is_not_repeated(bank: Bank) -> None:
    planted(bank, "Pending Approval", numbered=False)
    bank.fault("approve", "drop_after_commit")
    ended = decide(bank, "approve", "d1")

    assert (ended.outcomes, bank.calls("approve"), bank.states()) == (["in_doubt"], 1, ["Approved"])


def test_without_the_number_the_target_says_what_the_state_allows(bank: Bank) -> None:
    planted(bank, "Rejected", numbered=False)
    ended = decide(bank, "approve", "d1")

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["rejected"], "illegal_transition")
    assert bank.calls("approve") == 1


def test_a_reason_is_mandatory_where_the_vendor_says_so(bank: Bank) -> None:
    planted(bank, "Pending Approval", reason="")
    ended = decide(bank, "reject", "d1")

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["quarantined"], "missing:reason")


@pytest.mark.slow
def test_an_update_changes_what_the_row_gives_and_repeats_nothing(bank: Bank) -> None:
    planted(bank, "Active", phone="+2348039999999", city="Abuja")
    ended = decide(bank, "update", "d1")
    bank.file([lines(bank.folder / "decided.csv")[0] | {"row_ref": "again"}], "decided.csv")
    again = decide(bank, "update", "d2")

    assert (ended.outcomes, again.outcomes) == (["onboarded"], ["already_onboarded"])
    assert (bank.calls("update_contact"), {line["class"] for line in ended.reconciliation}) == (1, {"match"})


def test_record_and_key_of_different_clients_are_refused(bank: Bank) -> None:
    bank.standing.plant(**record(client(2)))
    key = bank.held()[0]
    planted(bank, "Pending Approval", contact_encoded_key=key)
    ended = decide(bank, "approve", "d1")

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["rejected"], "other_customer")
    assert bank.calls("approve") == 0


@pytest.mark.slow
def test_another_decision_about_the_same_client_is_another_intention(bank: Bank) -> None:
    planted(bank, "Pending Approval")
    outcomes = [
        decide(bank, command, f"d-{command}").outcomes for command in ("approve", "blacklist", "undo-blacklist")
    ]

    assert outcomes == [["onboarded"]] * 3
    assert bank.states() == ["Pending Approval"]


def test_a_killed_decision_is_gone_on_with_as_what_it_was(bank: Bank) -> None:
    rows = []
    for number in range(1, 5):
        ids = bank.standing.plant(**record(client(number)))
        rows.append({"contact_encoded_key": ids["contactEncodedKey"], "id": str(ids["id"]), "reason": "why"})
    path = bank.file(rows, "decided.csv")
    bank.using(CHECKER)
    bank.muster.killed(
        "reject", "after", 2, "decide", path, "--command", "reject", "--run-id", "d1", "--concurrency", "1"
    )
    ended = bank.muster("resume", "d1")

    assert set(ended.outcomes) <= {"onboarded", "already_onboarded"}
    assert (bank.states(), bank.calls("reject")) == (["Rejected"] * 4, 4)


def test_other_systems_refuse_it(bank: Bank) -> None:
    planted(bank, "Pending Approval")
    ended = decide(bank, "approve", "d1", "--system", "eclipse")

    assert ended.code == 2
    assert "nothing can be decided through muster" in ended.stderr
