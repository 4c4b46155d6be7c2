"""BankLingo over real sockets: create, lifecycle, two pairs of eyes, update, reads, search."""

import hashlib
from typing import Any

import pytest

from jobs.sandbox.banklingo.client import STATES
from jobs.sandbox.server import Sandbox, Standing

from .bank import REFUSABLE, Bank, configure, person, refusal, states

LEADS = {
    ("Pending Approval", "approve"): "Approved",
    ("Pending Approval", "reject"): "Rejected",
    ("Approved", "blacklist"): "BlackListed",
    ("Active", "blacklist"): "BlackListed",
    ("BlackListed", "undo_blacklist"): "Pending Approval",
}


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("banklingo")


def test_a_create_lands_in_pending_approval_and_answers_the_envelope(bank: Bank, standing: Standing) -> None:
    reply = bank.create()
    body = reply.json()
    assert (reply.status_code, body["isSuccessful"], body["statusCode"]) == (200, True, "00")
    assert set(body["data"]) == {"contactEncodedKey", "customerNumber", "id"}
    client = standing.snapshot()["customers"][0]
    assert (client["contactEncodedKey"], client["state"]) == (body["data"]["contactEncodedKey"], "Pending Approval")
    assert client["email_sha256"] == hashlib.sha256(b"person1@example.com").hexdigest()


@pytest.mark.parametrize(
    "members",
    [
        *({name: None} for name in person() if name != "branchEncodedKey"),
        {"firstName": " "},
        {"lastName": 5},
        {"dateOfBirth": "31.01.1990"},
        {"dateOfBirth": "1990-02-30"},
        {"dateOfBirth": "19900131"},
        {"gender": "female"},
        {"customerType": "Corporate"},
        {"lastName": "Okafor-REFUSED"},
    ],
    ids=str,
)
def test_a_create_that_breaks_a_rule_is_cbs_400_and_not_stored(
    bank: Bank, standing: Standing, members: dict[str, Any]
) -> None:
    reply = bank.create(**members)
    assert refusal(reply) == (400, "CBS_400")
    assert next(iter(members)) in reply.json()["message"]
    assert standing.snapshot()["counts"] == {"customers": 0, "doubles": 0}


@pytest.mark.parametrize(
    "members", [{"branchEncodedKey": None}, {"emailAddress": "x"}, {"phoneNumber": "080-1"}], ids=str
)
def test_vendor_strictness_adds_the_branch_and_forms(sandbox: Sandbox, bank: Bank, members: dict[str, Any]) -> None:
    assert bank.create(**members).status_code == 200
    sandbox.configure(strictness="vendor")
    assert refusal(bank.create(2, **members)) == (400, "CBS_400")
    assert bank.create(3).status_code == 200


def test_an_equal_create_makes_a_double(bank: Bank, standing: Standing) -> None:
    keys = {
        bank.create(1, emailAddress=email).json()["data"]["contactEncodedKey"]
        for email in ("a@b.example", "A@B.example")
    }
    assert len(keys) == 2
    assert standing.snapshot()["counts"] == {"customers": 2, "doubles": 1}


def test_a_bank_may_refuse_doubles(sandbox: Sandbox, bank: Bank, standing: Standing) -> None:
    configure(sandbox, refuses_duplicates=True)
    bank.create(1, emailAddress="a@b.example")
    assert refusal(bank.create(2, emailAddress="A@B.example")) == (409, "CBS_409")
    assert standing.snapshot()["counts"]["customers"] == 1


@pytest.mark.parametrize("operation", REFUSABLE)
@pytest.mark.parametrize("state", STATES)
def test_a_state_changes_as_the_page_has_it_and_in_no_other_way(
    bank: Bank, standing: Standing, state: str, operation: str
) -> None:
    key = standing.plant(**person(), clientState=state)["contactEncodedKey"]
    reply = bank.decide(operation, key)
    target = LEADS.get((state, operation))
    assert states(standing) == [target or state]
    assert reply.json()["statusCode"] == ("00" if target else "CBS_409")


def test_the_replies_to_decisions_say_who_and_what(bank: Bank, checker: Bank) -> None:
    key, other = bank.key(1), bank.key(2)
    approved = checker.decide("approve", key).json()["data"]
    assert (approved["approvalStatus"], approved["approvedBy"]) == ("Approved", "checker")
    assert approved["approvalDate"].endswith("Z")
    assert checker.decide("reject", other).json()["data"] == {"contactEncodedKey": other, "approvalStatus": "Rejected"}
    blocked = checker.decide("blacklist", key).json()["data"]
    assert (blocked["isBlacklisted"], "blacklistDate" in blocked) == (True, True)
    freed = checker.decide("undo_blacklist", key).json()["data"]
    assert (freed["isBlacklisted"], "unblacklistDate" in freed) == (False, True)


@pytest.mark.parametrize("operation", REFUSABLE)
def test_who_created_a_client_may_not_decide_about_it(
    sandbox: Sandbox, bank: Bank, standing: Standing, operation: str
) -> None:
    key = bank.key()
    before = next(state for (state, name) in LEADS if name == operation)
    standing.amend("customers", key, clientState=before)
    assert refusal(bank.decide(operation, key)) == (403, "CBS_403")
    assert states(standing) == [before]
    configure(sandbox, maker_checker=False)
    assert bank.decide(operation, key).status_code == 200


@pytest.mark.parametrize("operation", ["reject", "blacklist", "undo_blacklist"])
def test_a_decision_against_a_client_needs_a_reason(bank: Bank, standing: Standing, operation: str) -> None:
    before = next(state for (state, name) in LEADS if name == operation)
    key = standing.plant(**person(), clientState=before)["contactEncodedKey"]
    reply = bank.cmd(f"{REFUSABLE[operation]}Customer", contactEncodedKey=key)
    assert refusal(reply) == (400, "CBS_400")
    assert states(standing) == [before]


def test_a_command_for_nobody_is_cbs_404_and_one_without_a_key_cbs_400(bank: Bank) -> None:
    assert refusal(bank.decide("approve", "0" * 32)) == (404, "CBS_404")
    assert refusal(bank.cmd("ApproveCustomer")) == (400, "CBS_400")
    assert refusal(bank.qry("ContactById", id=1)) == (404, "CBS_404")
    assert refusal(bank.qry("ContactById", id="1")) == (400, "CBS_400")


@pytest.mark.parametrize(
    ("strictness", "open_states"), [("seed", {"Active"}), ("vendor", set(STATES) - {"Rejected", "Exited"})]
)
def test_an_update_is_open_in_the_states_of_the_page(
    sandbox: Sandbox, bank: Bank, standing: Standing, strictness: str, open_states: set[str]
) -> None:
    sandbox.configure(strictness=strictness)
    keys = {state: standing.plant(**person(), clientState=state)["contactEncodedKey"] for state in STATES}
    codes = {
        state: bank.cmd("UpdateContact", contactEncodedKey=key, city="Abuja").json()["statusCode"]
        for state, key in keys.items()
    }
    assert codes == {state: "00" if state in open_states else "CBS_409" for state in STATES}


def test_an_update_changes_what_is_read(bank: Bank, standing: Standing) -> None:
    ids = standing.plant(**person(), clientState="Active")
    key = ids["contactEncodedKey"]
    assert (
        bank.cmd("UpdateContact", contactEncodedKey=key, city="Abuja", emailAddress="new@example.com").status_code
        == 200
    )
    assert refusal(bank.cmd("UpdateContact", contactEncodedKey=key, lastName="")) == (400, "CBS_400")
    record = bank.qry("ContactById", id=ids["id"]).json()["data"]
    assert (record["city"], record["emailAddress"], record["lastName"]) == ("Abuja", "new@example.com", "Okafor")
    assert bank.qry("ContactList", searchTerm="new@example.com").json()["data"]["totalCount"] == 1


def test_a_request_for_approval_of_a_new_client_is_a_conflict(bank: Bank) -> None:
    reply = bank.cmd("RequestCustomerApproval", contactEncodedKey=bank.key())
    assert refusal(reply) == (409, "CBS_409")
    assert "already in approval" in reply.json()["message"]


@pytest.mark.parametrize(("strictness", "state"), [("seed", "Rejected"), ("vendor", "Pending Approval")])
def test_only_the_vendors_other_pages_let_a_rejected_client_be_resubmitted(
    sandbox: Sandbox, bank: Bank, standing: Standing, strictness: str, state: str
) -> None:
    sandbox.configure(strictness=strictness)
    key = standing.plant(**person(), clientState="Rejected")["contactEncodedKey"]
    bank.cmd("RequestCustomerApproval", contactEncodedKey=key)
    assert states(standing) == [state]


def test_a_record_by_id_is_whole_and_a_row_of_the_list_is_not(bank: Bank) -> None:
    made = bank.create().json()["data"]
    record = bank.qry("ContactById", id=made["id"]).json()["data"]
    row = bank.qry("ContactList").json()["data"]["contacts"][0]
    assert (record["encodedKey"], record["clientStateDescription"]) == (made["contactEncodedKey"], "Pending Approval")
    assert (record["dateOfBirth"], record["identificationNumber"]) == ("1990-01-31T00:00:00", "NIN00000001")
    assert "contactEncodedKey" not in record
    names = {
        "contactEncodedKey",
        "customerNumber",
        "firstName",
        "lastName",
        "emailAddress",
        "phoneNumber",
        "isBlacklisted",
    }
    assert set(row) == names


def test_active_is_state_1_and_black_listing_shows(bank: Bank, standing: Standing) -> None:
    active = standing.plant(**person(1), clientState="Active")
    standing.plant(**person(2), clientState="BlackListed")
    assert bank.qry("ContactById", id=active["id"]).json()["data"]["clientState"] == 1
    assert [row["isBlacklisted"] for row in bank.qry("ContactList").json()["data"]["contacts"]] == [False, True]


def test_a_list_is_read_in_pages_from_1(bank: Bank, standing: Standing) -> None:
    keys = [standing.plant(**person(number))["contactEncodedKey"] for number in range(7)]
    pages = [bank.qry("ContactList", pageNumber=page, pageSize=3).json()["data"] for page in (1, 2, 3, 4)]
    assert [page["totalCount"] for page in pages] == [7] * 4
    assert [row["contactEncodedKey"] for page in pages for row in page["contacts"]] == keys
    assert [len(page["contacts"]) for page in pages] == [3, 3, 1, 0]
    assert [
        refusal(bank.qry("ContactList", **{name: value}))[1] for name, value in (("pageNumber", 0), ("pageSize", "3"))
    ] == ["CBS_400"] * 2


def test_pages_have_50_rows_and_at_most_100_in_vendor_strictness(
    sandbox: Sandbox, bank: Bank, standing: Standing
) -> None:
    for number in range(120):
        standing.plant(**person(number))
    assert len(bank.qry("ContactList").json()["data"]["contacts"]) == 50
    assert len(bank.qry("ContactList", pageSize=120).json()["data"]["contacts"]) == 120
    sandbox.configure(strictness="vendor")
    page = bank.qry("ContactList", pageSize=120).json()["data"]
    assert (page["pageSize"], len(page["contacts"])) == (100, 100)


def test_a_search_finds_parts_in_any_case_and_a_branch_narrows(
    sandbox: Sandbox, bank: Bank, standing: Standing
) -> None:
    for number in range(1, 4):
        standing.plant(**person(number, branchEncodedKey=f"branch-{number}"))

    def found(**members: Any) -> int:
        return int(bank.qry("ContactList", **members).json()["data"]["totalCount"])

    assert (found(searchTerm="PERSON2@"), found(searchTerm="okafor"), found(searchTerm="nobody")) == (1, 3, 0)
    assert found(branchEncodedKey="branch-3") == 1
    configure(sandbox, search_ignores_term=True)
    assert found(searchTerm="nobody") == 3


def test_a_bank_that_refuses_doubles_lets_a_client_keep_its_address_but_not_take_anothers(
    sandbox: Sandbox, bank: Bank, standing: Standing
) -> None:
    configure(sandbox, refuses_duplicates=True)
    key = standing.plant(**person(1), clientState="Active")["contactEncodedKey"]
    standing.plant(**person(2))
    own, other = (person(number)["emailAddress"].upper() for number in (1, 2))
    assert bank.cmd("UpdateContact", contactEncodedKey=key, emailAddress=own).status_code == 200
    assert refusal(bank.cmd("UpdateContact", contactEncodedKey=key, emailAddress=other)) == (409, "CBS_409")
