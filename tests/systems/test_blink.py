"""What bLink's records mean for a row, step by step: tables, without a network."""

from typing import Any

import pytest

from jobs.model import Outcome
from jobs.systems.blink.address import changed, comparable, place_of
from jobs.systems.blink.contact import same
from jobs.systems.exchange import Reply
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Unclear

from .blink_bank import NOW, PLACE, Bank, awaited, blink, reply, view


async def linked(customers: list[dict[str, Any]], **values: Any) -> Finding:
    answers = {f"/customers/{each['customerIdentification']}": reply(200, each) for each in customers}
    target = blink()
    return await target.link.look(Bank(answers | {"/customers": reply(200, customers)}), view(**values))


def customer(**changes: Any) -> dict[str, Any]:
    persons = [{"personRelation": "accountOwner", "personIdentification": "P-1"}]
    return {"customerIdentification": "C-1", "externalReference": "X-1", "status": "active", "personList": persons} | (
        changes
    )


@pytest.mark.parametrize(
    ("changes", "values", "outcome", "code"),
    [
        ({}, {}, None, None),
        ({"status": "ACTIVE", "customerIdentification": 4711}, {"bank_customer_id": "4711"}, None, None),
        ({"status": "closed"}, {}, Outcome.REJECTED, "customer_inactive"),
        ({"status": None}, {}, Outcome.REJECTED, "customer_inactive"),
        ({"customerIdentification": "C-2"}, {}, Outcome.REJECTED, "not_available"),
        ({"externalReference": "X-2"}, {"external_reference": "X-1"}, Outcome.CONFLICT, "reference_differs"),
        ({"personList": []}, {}, Outcome.CONFLICT, "person_not_linked"),
        ({"personList": "P-1"}, {}, Outcome.CONFLICT, "person_not_linked"),
    ],
)
@awaited
async def test_a_row_is_linked_to_an_active_customer_of_its_own(
    changes: dict[str, Any], values: dict[str, str], outcome: Outcome | None, code: str | None
) -> None:
    finding = await linked([customer(**changes)], **values)
    if outcome is None:
        assert isinstance(finding, Done)
        assert finding.facts["customer_id"] == values.get("bank_customer_id", "C-1")
    else:
        assert isinstance(finding, Ended)
        assert (finding.outcome, finding.reason_code) == (outcome, code)


@awaited
async def test_a_reference_that_two_customers_have_is_ambiguous_and_a_name_leads_to_nobody() -> None:
    twins = [customer(name="Anna"), customer(customerIdentification="C-2", name="Anna")]
    values = {"bank_customer_id": "", "external_reference": "X-1"}
    without = {name: value for name, value in values.items() if value}
    row = Row(1, None, "cust-000001", without, "", "", None)
    found = await blink().link.look(Bank({"/customers": reply(200, twins)}), View(row, {}))
    assert isinstance(found, Ended)
    assert found.reason_code == "ambiguous"
    nobody = Row(1, None, "cust-000001", {"external_reference": "Anna"}, "", "", None)
    found = await blink().link.look(Bank({"/customers": reply(200, twins)}), View(nobody, {}))
    assert isinstance(found, Ended)
    assert found.reason_code == "not_available"


@awaited
async def test_two_rows_cannot_maintain_one_customer() -> None:
    target, bank = blink(), Bank({"/customers/C-1": reply(200, customer())})
    row = Row(2, None, "cust-000002", {"bank_customer_id": "C-1"}, "", "", None)
    assert isinstance(await target.link.look(bank, view()), Done)
    assert isinstance(await target.link.look(bank, view()), Done)
    second = await target.link.look(bank, View(row, {}))
    assert isinstance(second, Ended)
    assert second.reason_code == "same_customer"


@pytest.mark.parametrize(
    ("contact", "medium", "ours", "equal"),
    [
        (("email", "private", "Anna@Example.com "), "email", "anna@example.com", True),
        (("email", None, "anna@example.com"), "email", "anna@example.com", True),
        (("email", "business", "anna@example.com"), "email", "anna@example.com", False),
        (("website", "private", "anna@example.com"), "email", "anna@example.com", False),
        (("email", "private", "anna.b@example.com"), "email", "anna@example.com", False),
        (("email", "private", None), "email", "anna@example.com", False),
        (("phone", "private", "+41 79 123 45 67"), "phone", "41791234567", True),
        (("phone", "private", "0041791234567"), "phone", "41791234567", True),
        (("phone", "private", "079 123 45 67"), "phone", "41791234567", True),
        (("phone", "private", "0"), "phone", "41791234560", False),
        (("phone", "private", "+41791234568"), "phone", "41791234567", False),
        (("fax", "private", "+41791234567"), "phone", "41791234567", False),
    ],
)
def test_contacts_are_one_by_medium_type_and_content(
    contact: tuple[str, str | None, str | None], medium: str, ours: str, equal: bool
) -> None:
    names = ("medium", "contactMediumType", "contactContent")
    assert same(dict(zip(names, contact, strict=True)), medium, "private", ours) is equal


def test_an_address_is_the_same_however_it_is_nested_split_or_written() -> None:
    ours = comparable({"street": "seestrasse 1", "postal_code": "8002", "town": " Zürich", "country": "CH"})
    nested = {"postalAddress": {"physicalAddress": PLACE}}
    above = {"postalAddress": {"postCode": "8002", "townName": "Zürich", "country": "CH"}}
    above["postalAddress"]["physicalAddress"] = {"streetName": "Seestrasse 1"}  # type: ignore[assignment]  # mixed on purpose
    assert comparable(place_of(nested)) == comparable(place_of(above)) == ours
    assert comparable(place_of({"postalAddress": {"physicalAddress": PLACE | {"postCode": "8003"}}})) != ours
    assert place_of({"postalAddress": None}) == place_of({}) == {}


def test_a_change_keeps_what_the_row_says_nothing_of() -> None:
    postal = {"salutation": {"a": 1}, "townName": "Bern", "physicalAddress": PLACE | {"careOf": "Meier"}}
    shown = {"addressIdentification": 7353, "dispatchType": "other", "isDomicile": True, "postalAddress": postal}
    made = changed(shown, {"street": "Limmatquai", "postal_code": "8001", "town": "Zürich", "country": "CH"})
    physical = {"careOf": "Meier", "streetName": "Limmatquai", "postCode": "8001", "townName": "Zürich"}
    assert made == {
        **shown,
        "postalAddress": {
            "salutation": {"a": 1},
            "townName": "Zürich",
            "physicalAddress": physical | {"country": "CH"},
        },
    }
    assert changed({}, {"town": "Bern"})["postalAddress"]["salutation"] == {}


@pytest.mark.parametrize(
    ("sent", "contacts", "expected"),
    [
        (None, [], Absent),
        (1, [], Absent),
        (0, [], Unclear),
        (0, ["anna@example.com"], Done),
        (1, ["anna@example.com"], Done),
        (None, None, Ended),
    ],
)
@awaited
async def test_a_contact_that_was_taken_is_never_sent_again_and_a_lost_one_may_be(
    sent: int | None, contacts: list[str] | None, expected: type
) -> None:
    listed = [{"medium": "email", "contactContent": each, "contactIdentification": "7"} for each in contacts or []]
    bank = Bank({} if contacts is None else {"/persons/P-1/contactdetails": reply(200, listed)})
    doubt = None if sent is None else Doubt(NOW, sent)
    found = await blink().contacts[0].look(bank, view(doubt, email="anna@example.com"))
    assert isinstance(found, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(201, {"contactIdentification": 12, "contactContent": "ANNA@example.com"}), Done),
        (reply(201, {"contactIdentification": "12"}), Done),
        (reply(201, {"contactIdentification": "12", "contactContent": "other@example.com"}), Doubted),
        (reply(201, {}), Doubted),
        (reply(201, []), Doubted),
        (reply(201), Doubted),
    ],
)
def test_a_made_contact_is_proven_by_its_identification(answer: Reply, expected: type) -> None:
    assert isinstance(blink().contacts[0].classify(answer, view(email="anna@example.com")), expected)


WANTED = {"street": "Seestrasse", "building_number": "1", "postal_code": "8002", "town": "Zürich", "country": "CH"}
OTHER = reply(200, {"addressIdentification": 7, "postalAddress": {"physicalAddress": PLACE | {"postCode": "1"}}})
EQUAL = reply(200, {"addressIdentification": 7, "postalAddress": {"physicalAddress": PLACE}})
SEED = "/customer/C-1/addresses"


@pytest.mark.parametrize(
    ("sent", "shown", "listed", "expected"),
    [
        (None, EQUAL, [7], Done),
        (None, OTHER, [7], Absent),
        (1, OTHER, [7], Absent),
        (0, OTHER, [7], Unclear),
        (None, None, [], Absent),
        (None, None, [7], Ended),
        (1, None, [7], Done),
        (1, None, [7, 8], Unclear),
        (1, None, [], Absent),
        (0, None, [], Unclear),
    ],
)
@awaited
async def test_an_address_counts_when_it_is_read_back(
    sent: int | None, shown: Reply | None, listed: list[int], expected: type
) -> None:
    links = [{"addressIdentification": each} for each in listed]
    bank = Bank({"/customers/C-1": reply(200, customer(addressList=links))} | ({SEED: shown} if shown else {}))
    doubt = None if sent is None else Doubt(NOW, sent)
    assert isinstance(await blink().address.look(bank, view(doubt, **WANTED)), expected)


@awaited
async def test_an_address_that_was_to_be_changed_and_is_shown_no_more_is_not_taken_for_ours() -> None:
    bank = Bank({"/customers/C-1": reply(200, customer(addressList=[{"addressIdentification": 7}]))})
    lost = view(Doubt(NOW, 1), **WANTED)
    facts = {**lost.facts, "address_id": "7"}
    assert isinstance(await blink().address.look(bank, View(lost.row, facts, lost.doubt)), Unclear)
