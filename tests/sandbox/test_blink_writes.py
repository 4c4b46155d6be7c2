"""bLink over real sockets: contacts, addresses, lag, what a bank does not offer, faults, journal."""

import hashlib
from typing import Any

import pytest

from jobs.sandbox.blink.routes import OPERATIONS
from jobs.sandbox.server import Sandbox, Standing

from .hub import (
    CONTACT,
    PLACE,
    POSTAL,
    Hub,
    configure,
    counts,
    present,
    problem,
    standing_address,
)


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("blink")


def test_a_contact_is_made_with_an_identification_of_the_bank(hub: Hub, standing: Standing) -> None:
    reply = hub.contact(additionalContactInformation="evenings")
    made = reply.json()
    assert reply.status_code == 201
    assert isinstance(made["contactIdentification"], str)
    assert hub("GET", "persons/P-0001/contactdetails").json()[-1] == made
    assert made == {
        **CONTACT,
        "additionalContactInformation": "evenings",
        "contactIdentification": made["contactIdentification"],
    }
    shown = standing.snapshot()["persons"][0]["contacts"][-1]
    assert shown["content_sha256"] == hashlib.sha256(b"anna@example.com").hexdigest()


def test_the_same_contact_twice_is_a_double_that_is_counted(hub: Hub, standing: Standing) -> None:
    hub.contact()
    hub.contact(contactContent=" ANNA@example.com")
    hub.contact(medium="phone", contactContent="+41 44 123 45 67")
    hub.contact(medium="phone", contactContent="+41441234567")
    hub.contact("P-0002")
    hub.contact(contactMediumType="business")
    found = standing.snapshot()["counts"]
    assert (found["contacts"], found["doubleContacts"]) == (46, 2)


@pytest.mark.parametrize(
    ("members", "seed"),
    [
        ({"medium": None}, 400),
        ({"contactContent": None}, 400),
        ({"contactContent": " "}, 400),
        ({"contactContent": 41}, 400),
        ({"contactIdentification": "7"}, 400),
        ({"medium": "pigeon"}, 201),
        ({"contactMediumType": "secret"}, 201),
        ({"contactContent": "c" * 71}, 201),
        ({"additionalContactInformation": "i" * 71}, 201),
    ],
    ids=str,
)
def test_a_contact_that_breaks_a_rule_is_400(
    sandbox: Sandbox, hub: Hub, standing: Standing, members: dict[str, Any], seed: int
) -> None:
    assert hub.contact("P-0001", **members).status_code == seed
    sandbox.configure(strictness="vendor")
    reply = hub.contact("P-0002", **members)
    assert problem(reply) == (400, "invalidPayload")
    assert next(iter(members)) in reply.json()["detail"]
    assert counts(standing)[0] == (41 if seed == 201 else 40)
    assert hub.contact("P-0003", contactContent="c" * 70, contactMediumType=None).status_code == 201


@pytest.mark.parametrize("content", [b"{", b"[]", b""])
def test_a_body_that_is_no_json_object_is_malformed(hub: Hub, content: bytes) -> None:
    hub.headers["Content-Type"] = "application/json"
    assert problem(hub("POST", "persons/P-0001/contactdetails", content=content)) == (400, "malformedPayload")


def test_a_last_name_may_have_its_contacts_and_addresses_refused(hub: Hub, standing: Standing) -> None:
    before = counts(standing)
    standing.plant(customerIdentification="C-9", persons=[{"personIdentification": "P-9", "lastName": "Meier-REFUSED"}])
    assert problem(hub.contact("P-9")) == (400, "invalidPayload")
    assert problem(hub.address("C-9")) == (400, "invalidPayload")
    body = {"addressIdentification": 1, "postalAddress": POSTAL}
    assert problem(hub("PUT", "customers/C-9/addresses", json=body)) == (400, "invalidPayload")
    assert counts(standing) == before


def test_an_address_is_a_text_when_made_and_a_number_when_read(hub: Hub) -> None:
    reply = hub.address()
    made = reply.json()
    assert (reply.status_code, list(made)) == (201, ["addressIdentification"])
    read = hub("GET", "customers/C-0002/addresses").json()
    assert (str(read["addressIdentification"]), type(read["addressIdentification"])) == (
        made["addressIdentification"],
        int,
    )
    assert (read["postalAddress"], read["dispatchType"]) == (POSTAL, "postal")
    assert hub("GET", "customers/C-0002").json()["addressList"] == [
        {"addressIdentification": read["addressIdentification"]}
    ]


def test_a_customer_without_an_address_is_404(hub: Hub) -> None:
    assert problem(hub("GET", "customers/C-0002/addresses")) == (404, "resourceDoesNotExist")


def test_of_several_addresses_one_is_shown(sandbox: Sandbox, hub: Hub) -> None:
    ids = [int(hub.address().json()["addressIdentification"]) for _ in range(3)]
    assert hub("GET", "customers/C-0002/addresses").json()["addressIdentification"] == ids[0]
    configure(sandbox, address_shown="newest")
    assert hub("GET", "customers/C-0002/addresses").json()["addressIdentification"] == ids[2]


@pytest.mark.parametrize("kind", [str, int])
def test_a_change_replaces_the_whole_address(hub: Hub, kind: type) -> None:
    number = hub("GET", "customers/C-0001/addresses").json()["addressIdentification"]
    changed = {
        "addressIdentification": kind(number),
        "dispatchType": "other",
        "postalAddress": POSTAL,
        "isDomicile": True,
    }
    reply = hub("PUT", "customers/C-0001/addresses", json=changed)
    assert (reply.status_code, reply.content) == (204, b"")
    assert hub("GET", "customers/C-0001/addresses").json() == {**changed, "addressIdentification": number}


def test_a_change_of_another_address_is_404(hub: Hub) -> None:
    body = {"addressIdentification": 1, "dispatchType": "postal", "postalAddress": POSTAL}
    assert problem(hub("PUT", "customers/C-0001/addresses", json=body)) == (404, "resourceDoesNotExist")


@pytest.mark.parametrize(
    "members",
    [
        {"addressIdentification": None},
        {"addressIdentification": True},
        {"postalAddress": None},
        {"postalAddress": "Bahnhofstrasse 1"},
        {"dispatchType": "pigeon"},
        {"dispatchType": None},
        {"isDomicile": "yes"},
    ],
    ids=str,
)
def test_a_change_that_breaks_a_rule_is_400(sandbox: Sandbox, hub: Hub, members: dict[str, Any]) -> None:
    sandbox.configure(strictness="vendor")
    before = hub("GET", "customers/C-0001/addresses").json()
    reply = hub("PUT", "customers/C-0001/addresses", json=present({**before, **members}))
    assert problem(reply) == (400, "invalidPayload")
    assert next(iter(members)) in reply.json()["detail"]
    assert hub("GET", "customers/C-0001/addresses").json() == before


@pytest.mark.parametrize(
    "postal",
    [
        {**POSTAL, "salutation": None},
        *({**POSTAL, "physicalAddress": {**PLACE, name: None}} for name in ("postCode", "townName", "country")),
        {**POSTAL, "physicalAddress": {**PLACE, "country": "Switzerland"}},
        {**POSTAL, "physicalAddress": {**PLACE, "streetName": "s" * 36}},
    ],
)
def test_vendor_strictness_knows_the_parts_of_an_address(sandbox: Sandbox, hub: Hub, postal: dict[str, Any]) -> None:
    assert hub.address(postalAddress=postal).status_code == 201
    sandbox.configure(strictness="vendor")
    assert problem(hub.address(postalAddress=postal)) == (400, "invalidPayload")
    longest = {**POSTAL, "physicalAddress": {**PLACE, "streetName": "s" * 35}}
    assert hub.address(postalAddress=longest).status_code == 201
    # The specification lists them as members of the postal address itself, so both places count.
    assert hub.address(postalAddress={"salutation": {}, **PLACE}).status_code == 201


@pytest.mark.parametrize(
    ("switch", "plural", "singular"), [("both", 200, 200), ("seed", 405, 200), ("plural", 200, 404)]
)
def test_an_address_is_read_and_changed_under_the_spellings_that_are_served(
    sandbox: Sandbox, hub: Hub, switch: str, plural: int, singular: int
) -> None:
    configure(sandbox, addresses_path=switch)
    reads = [hub("GET", f"{first}/C-0001/addresses").status_code for first in ("customers", "customer")]
    assert reads == [plural, singular]
    number = standing_address(sandbox)
    body = {"addressIdentification": number, "dispatchType": "postal", "postalAddress": POSTAL}
    writes = [hub("PUT", f"{first}/C-0001/addresses", json=body).status_code for first in ("customers", "customer")]
    assert writes == [204 if code == 200 else code for code in (plural, singular)]
    assert hub.address().status_code == 201
    assert hub("POST", "customer/C-0002/addresses", json={"postalAddress": POSTAL}).status_code in (404, 405)


def test_a_new_contact_is_seen_after_some_reads(sandbox: Sandbox, hub: Hub, standing: Standing) -> None:
    configure(sandbox, lag_reads=2)
    hub.contact()
    seen = [len(hub("GET", "persons/P-0001/contactdetails").json()) for _ in range(4)]
    assert (seen, counts(standing)[0]) == ([1, 1, 2, 2], 41)


def test_a_second_write_within_the_lag_shows_nothing_of_the_first(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, lag_reads=1)
    hub.contact()
    hub.contact(contactContent="second@example.com")
    assert [len(hub("GET", "persons/P-0001/contactdetails").json()) for _ in range(2)] == [1, 3]


def test_an_address_and_its_change_are_seen_after_some_reads(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, lag_reads=1)
    hub.address()
    assert [len(hub("GET", "customers/C-0002").json()["addressList"]) for _ in range(2)] == [0, 1]
    body = {"addressIdentification": standing_address(sandbox), "dispatchType": "other", "postalAddress": POSTAL}
    assert hub("PUT", "customers/C-0001/addresses", json=body).status_code == 204
    seen = [hub("GET", "customers/C-0001/addresses").json()["dispatchType"] for _ in range(2)]
    assert seen == ["postal", "other"]


@pytest.mark.parametrize(("answer", "kind"), [("501", "notImplemented"), ("405", "wrongMethod")])
def test_a_bank_may_not_offer_everything(
    sandbox: Sandbox, hub: Hub, standing: Standing, answer: str, kind: str
) -> None:
    before = counts(standing)
    offered = [name for name in OPERATIONS if "address" not in name]
    configure(sandbox, offers=offered, not_offered=answer)
    replies = [
        hub.address(),
        hub("GET", "customers/C-0001/addresses"),
        hub("PUT", "customer/C-0001/addresses", json={}),
    ]
    assert {problem(reply) for reply in replies} == {(int(answer), kind)}
    assert counts(standing) == before
    assert hub.contact().status_code == 201


def test_a_504_may_come_after_the_commit(sandbox: Sandbox, hub: Hub, standing: Standing) -> None:
    rule = {"operation": "create_contact", "match": {"customerId": "P-0001"}, "params": {"status": 504}}
    sandbox.faults([rule | {"kind": "status_after_commit"}])
    assert problem(hub.contact()) == (504, "technicalError")
    assert hub.contact("P-0002").status_code == 201
    assert [len(hub("GET", f"persons/{name}/contactdetails").json()) for name in ("P-0001", "P-0002")] == [2, 2]
    assert sandbox.faults()[0]["reached"] == 1


def test_faults_speak_in_problems(sandbox: Sandbox, hub: Hub) -> None:
    kinds = {401: "expiredToken", 403: "insufficientPrivileges", 500: "technicalError", 503: "serviceUnavailable"}
    for status, kind in kinds.items():
        sandbox.faults([{"operation": "get_customer", "kind": "status", "params": {"status": status}}])
        assert problem(hub("GET", "customers/C-0001")) == (status, kind)


def test_the_journal_has_commits_and_ids_but_no_person(sandbox: Sandbox, hub: Hub, standing: Standing) -> None:
    last = hub("GET", "persons/P-0001").json()["personDetails"]["lastName"]
    hub.contact()
    hub.address()
    hub("GET", "customers/anna@example.com")
    entries = sandbox.journal()
    assert [(entry["operation"], entry["commit"], entry["customerId"]) for entry in entries] == [
        ("token", None, None),
        ("get_person", None, "P-0001"),
        ("create_contact", 1, "P-0001"),
        ("create_address", 2, "C-0002"),
        ("get_customer", None, None),
    ]
    assert [entry["credential"] for entry in entries] == [None, *["muster"] * 4]
    text = str(entries) + str(standing.snapshot())
    assert [value for value in (last, "@example.com", "Bahnhofstrasse", "blink-refresh") if value in text] == []
