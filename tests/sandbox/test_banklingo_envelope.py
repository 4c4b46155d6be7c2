"""BankLingo over real sockets: tokens, messages, forms of replies, switches, journal, planting."""

from typing import Any

import httpx
import pytest

from jobs.sandbox.server import Sandbox, Standing

from .bank import MAKER, Bank, configure, person, refusal, states


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("banklingo")


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic maker-token", "bearer"])
def test_a_wrong_token_is_cbs_401(sandbox: Sandbox, bank: Bank, token: str) -> None:
    bank.http.headers["Authorization"] = token
    assert refusal(bank.create()) == (401, "CBS_401")
    configure(sandbox, tokens={"another": "third"})
    bank.http.headers["Authorization"] = "Bearer another"
    assert bank.create().status_code == 200


def test_a_tenant_is_asked_for_when_one_is_set(sandbox: Sandbox, bank: Bank) -> None:
    configure(sandbox, tenant_id="tenant-1")
    assert refusal(bank.create()) == (400, "CBS_400")
    bank.http.headers["X-Tenant-Id"] = "tenant-1"
    assert bank.create().status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cmd", {"commandName": "ExitCustomerCommand", "data": {}}),
        ("cmd", {"commandName": "createcontactcommand", "data": person()}),
        ("cmd", {"queryName": "RetrieveContactListQuery", "data": {}}),
        ("cmd", {"commandName": "RetrieveContactListQuery", "data": {}}),
        ("qry", {"queryName": "CreateContactCommand", "data": person()}),
        ("cmd", {"cmd": "CreateContactCommand", "data": person()}),
        ("cmd", {"commandName": "CreateContactCommand", "data": [person()]}),
        ("cmd", {"commandName": ["CreateContactCommand"], "data": person()}),
        ("cmd", [1]),
    ],
)
def test_a_message_that_the_path_does_not_know_is_cbs_400(
    bank: Bank, standing: Standing, path: str, body: object
) -> None:
    assert refusal(bank.http.post(f"/api/bpm/{path}", json=body)) == (400, "CBS_400")
    assert standing.snapshot()["counts"]["customers"] == 0


def test_other_paths_methods_and_content_types_are_refused(bank: Bank) -> None:
    assert refusal(bank.http.post("/api/core/cmd", json={})) == (404, "CBS_404")
    assert refusal(bank.http.get("/api/bpm/qry")) == (404, "CBS_404")
    assert refusal(bank.http.post("/api/bpm/cmd", content=b"{}")) == (400, "CBS_400")
    assert refusal(bank.http.post("/api/bpm/cmd", content=b"{", headers={"Content-Type": "application/json"}))[0] == 400


def test_errors_may_come_as_http_200(sandbox: Sandbox, bank: Bank) -> None:
    configure(sandbox, http_ok=True)
    assert refusal(bank.create(firstName=None)) == (200, "CBS_400")
    assert refusal(bank.decide("approve", "nobody")) == (200, "CBS_404")


def test_a_bank_may_write_members_in_pascal_case(sandbox: Sandbox, bank: Bank) -> None:
    configure(sandbox, pascal_case=True)
    body = bank.create().json()
    assert set(body) == {"IsSuccessful", "StatusCode", "Message", "Data"}
    assert "ContactEncodedKey" in body["Data"]
    assert "EmailAddress" in bank.qry("ContactList").json()["Data"]["Contacts"][0]
    assert bank.create(firstName=None).json()["StatusCode"] == "CBS_400"


def test_a_create_may_answer_without_id_or_without_any_key(sandbox: Sandbox, bank: Bank, standing: Standing) -> None:
    configure(sandbox, returns_id=False)
    assert set(bank.create(1).json()["data"]) == {"contactEncodedKey", "customerNumber"}
    configure(sandbox, reply_without_key=True)
    assert bank.create(2).json()["data"] == {}
    assert standing.snapshot()["counts"]["customers"] == 2


@pytest.mark.parametrize(
    "switches", [{"colour": 1}, {"http_ok": "yes"}, {"tokens": {"a": 1}}, {"tokens": []}, {"tenant_id": 7}], ids=str
)
def test_a_wrong_switch_is_refused_and_changes_nothing(
    sandbox: Sandbox, control: httpx.Client, switches: dict[str, Any]
) -> None:
    reply = control.post("/settings", json={"switches": {"banklingo": switches}})
    assert (reply.status_code, next(iter(switches)) in reply.json()["error"]) == (400, True)
    assert control.get("/settings").json()["switches"] == {}
    with pytest.raises(ValueError, match=next(iter(switches))):
        Sandbox(switches={"banklingo": switches})


def test_the_journal_has_commits_keys_and_credentials_but_no_person(
    sandbox: Sandbox, bank: Bank, checker: Bank, standing: Standing
) -> None:
    key = bank.key()
    checker.decide("approve", key)
    bank.qry("ContactList", searchTerm="person1@example.com")
    entries = sandbox.journal()
    assert [(entry["operation"], entry["commit"], entry["credential"]) for entry in entries] == [
        ("create_contact", 1, "maker"),
        ("approve", 2, "checker"),
        ("list_contacts", None, "maker"),
    ]
    assert [entry["customerId"] for entry in entries] == [key, key, None]
    text = str(entries) + str(standing.snapshot())
    secret = [*(person()[name] for name in ("lastName", "emailAddress", "phoneNumber", "identificationNumber")), MAKER]
    assert [value for value in secret if value.lower() in text.lower()] == []


def test_a_create_whose_reply_is_lost_is_there_all_the_same(sandbox: Sandbox, bank: Bank, standing: Standing) -> None:
    sandbox.faults([{"operation": "create_contact", "match": {"lastName": "Okafor"}, "kind": "drop_after_commit"}])
    with pytest.raises(httpx.RemoteProtocolError):
        bank.create()
    sandbox.faults([{"operation": "create_contact", "kind": "status", "params": {"status": 503}}])
    assert refusal(bank.create(2)) == (503, "CBS_500")
    assert standing.snapshot()["counts"]["customers"] == 1
    assert bank.qry("ContactList", searchTerm="person1@example.com").json()["data"]["totalCount"] == 1


def test_a_client_can_be_changed_and_deleted_past_all_rules(
    sandbox: Sandbox, control: httpx.Client, bank: Bank
) -> None:
    made = control.post("/customers?system=banklingo", json=[person(1), person(2)]).json()
    control.patch(
        f"/customers/{made[0]['contactEncodedKey']}?system=banklingo", json={"clientState": "Exited", "city": "Jos"}
    )
    record = bank.qry("ContactById", id=made[0]["id"]).json()["data"]
    assert (record["clientStateDescription"], record["city"]) == ("Exited", "Jos")
    control.patch(f"/customers/{made[1]['contactEncodedKey']}?system=banklingo", json={"deleted": True})
    assert refusal(bank.qry("ContactById", id=made[1]["id"])) == (404, "CBS_404")
    assert control.get("/state?system=banklingo").json()["counts"] == {"customers": 1, "doubles": 0}
    assert control.post("/customers?system=banklingo", json={"firstName": "only"}).status_code == 400
    assert control.patch("/customers/nobody?system=banklingo", json={"city": "Jos"}).status_code == 404


@pytest.mark.parametrize("changes", [{"clientState": "Sleeping"}, {"state": "Active"}], ids=str)
def test_a_state_that_can_not_be_meant_is_refused(standing: Standing, changes: dict[str, str]) -> None:
    key = standing.plant(**person())["contactEncodedKey"]
    with pytest.raises(ValueError, match="clientState"):
        standing.amend("customers", key, **changes)
    with pytest.raises(ValueError, match="clientState"):
        standing.plant(**(person(2) | changes))
    assert states(standing) == ["Pending Approval"]


def test_the_same_seed_gives_the_same_keys(sandbox: Sandbox, bank: Bank) -> None:
    first = [bank.key(number) for number in range(3)]
    sandbox.reset()
    assert [bank.key(number) for number in range(3)] == first
