"""What bLink's records mean for a row, step by step: tables, without a network."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.model import Outcome
from jobs.systems.blink.contact import same
from jobs.systems.blink.place import changed, comparable, place_of
from jobs.systems.messages import ReadFailed, Reply
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


@pytest.mark.parametrize(
    "record",
    [
        customer(customerIdentification="C-2"),
        customer(customerIdentification=None),
        customer(status=1),
        customer(status=True),
    ],
)
@awaited
async def test_a_record_of_somebody_else_or_of_the_wrong_kind_links_nobody(record: dict[str, Any]) -> None:
    with pytest.raises(ReadFailed):
        await blink().link.look(Bank({"/customers/C-1": reply(200, record)}), view())


@pytest.mark.parametrize(
    "listed",
    [
        [customer(), customer(externalReference="X-2")],
        [customer(), customer(status="closed")],
        [customer(), customer(customerIdentification=None, externalReference="X-9")],
    ],
)
@awaited
async def test_a_list_that_contradicts_itself_leads_to_nobody(listed: list[dict[str, Any]]) -> None:
    row = Row(1, None, "cust-000001", {"external_reference": "X-1"}, "", "", None)
    with pytest.raises(ReadFailed, match="list_customers"):
        await blink().link.look(Bank({"/customers": reply(200, listed)}), View(row, {}))


@awaited
async def test_a_person_of_another_name_is_not_believed() -> None:
    stranger = {"personIdentification": "P-2", "customerList": [{"customerIdentification": "C-1"}]}
    bank = Bank({"/customers/C-1": reply(200, customer(personList=[])), "/persons/P-1": reply(200, stranger)})
    with pytest.raises(ReadFailed, match="not the one"):
        await blink().link.look(bank, view())


CONTACTS = {"/persons/P-1/contactdetails": reply(200, [])}


@pytest.mark.parametrize("doubt", [None, Doubt(NOW, 1)])
@pytest.mark.parametrize(
    "named",
    [{"bank_customer_id": "C-2"}, {"bank_person_id": "P-2"}, {"external_reference": "X-2"}],
    ids=lambda named: next(iter(named)),
)
@awaited
async def test_a_row_that_names_others_than_it_was_linked_to_is_not_worked_on(
    named: dict[str, str], doubt: Doubt | None
) -> None:
    bank = Bank({"/customers/C-1": reply(200, customer()), **CONTACTS})
    first = view(external_reference="X-1", email="anna@example.com")
    linked = await blink().link.look(bank, first)
    assert isinstance(linked, Done)
    renamed = replace(
        view(doubt, **{"external_reference": "X-1", "email": "anna@example.com", **named}), facts=linked.facts
    )
    ended = await blink().contacts[0].look(bank, renamed)

    assert getattr(ended, "reason_code", None) == ("changed_since" if doubt is None else "unanswered")
    assert isinstance(await blink().contacts[0].look(bank, replace(first, facts=linked.facts)), Absent)


@awaited
async def test_who_works_on_a_customer_is_known_at_every_step_and_not_at_the_link_alone() -> None:
    """After a restart the link of the first row is done, and is not looked at again."""
    target, bank = blink(), Bank({"/customers/C-1": reply(200, customer()), **CONTACTS})
    second = Row(2, None, "cust-000002", {"bank_customer_id": "C-1"}, "", "", None)
    assert isinstance(await target.contacts[0].look(bank, view(email="anna@example.com")), Absent)
    found = await target.link.look(bank, View(second, {}))

    assert isinstance(found, Ended)
    assert found.reason_code == "same_customer"


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
        (1, None, Unclear),
        (0, None, Unclear),
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
    "contact",
    [
        {"medium": "email"},
        {"medium": "email", "contactContent": 41791234567},
        {"medium": "email", "contactContent": "a@example.com", "contactMediumType": 1},
        {"medium": 1, "contactContent": "a@example.com"},
        {"contactContent": "a@example.com"},
    ],
)
@awaited
async def test_a_contact_that_can_not_be_told_proves_nothing_absent(contact: dict[str, Any]) -> None:
    bank = Bank({"/persons/P-1/contactdetails": reply(200, [contact])})
    with pytest.raises(ReadFailed, match="list_contacts"):
        await blink().contacts[0].look(bank, view(email="anna@example.com"))


@awaited
async def test_a_contact_without_content_of_another_medium_does_no_harm() -> None:
    bank = Bank({"/persons/P-1/contactdetails": reply(200, [{"medium": "website"}])})
    assert isinstance(await blink().contacts[0].look(bank, view(email="anna@example.com")), Absent)


@awaited
async def test_a_lost_contact_is_looked_for_and_sent_with_the_type_that_it_was_sent_with() -> None:
    first, changed = blink().contacts[0], blink(contact_type="business").contacts[0]
    listed = [{"medium": "email", "contactMediumType": "private", "contactContent": "anna@example.com"}]
    fresh = view(email="anna@example.com")
    chosen = await first.look(Bank(CONTACTS), fresh)
    assert isinstance(chosen, Absent)
    lost = replace(view(Doubt(NOW, 1), email="anna@example.com"), bound=chosen.facts)
    shown = await changed.look(Bank({"/persons/P-1/contactdetails": reply(200, listed)}), lost)

    assert isinstance(shown, Done)
    assert isinstance(await changed.look(Bank(CONTACTS), lost), Absent)
    assert changed.write(lost).body == first.write(fresh).body != changed.write(fresh).body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(201, {"contactIdentification": 12, "contactContent": "ANNA@example.com"}), Done),
        (reply(201, {"contactIdentification": 0}), Doubted),
        (reply(201, {"contactIdentification": -5}), Doubted),
        (reply(201, {"contactIdentification": 12.0}), Doubted),
        (reply(201, {"contactIdentification": True}), Doubted),
        (reply(201, {"contactIdentification": "12", "medium": "phone"}), Doubted),
        (reply(201, {"contactIdentification": "12", "contactMediumType": "business"}), Doubted),
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
        (1, None, [7], Unclear),
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
async def test_an_address_that_was_to_be_changed_and_is_shown_no_more_is_neither_ours_nor_made_anew() -> None:
    step, lost = blink().address, view(Doubt(NOW, 1), **WANTED)
    chosen = await step.look(Bank({SEED: OTHER}), view(**WANTED))
    assert isinstance(chosen, Absent)
    for listed in ([], [{"addressIdentification": 7}]):
        bank = Bank({"/customers/C-1": reply(200, customer(addressList=listed))})
        assert isinstance(await step.look(bank, replace(lost, bound=chosen.facts)), Unclear)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({}, Absent),
        ({"dispatchType": "electronical"}, Unclear),
        ({"addressIdentification": 8}, Unclear),
        ({"postalAddress": {"physicalAddress": PLACE | {"postCode": "2"}}}, Unclear),
        ({"postalAddress": {"physicalAddress": PLACE}}, Done),
    ],
)
@awaited
async def test_a_lost_change_is_repeated_only_from_the_address_that_it_was_made_from(
    now: dict[str, Any], expected: type
) -> None:
    """The bank may show another one of several addresses, or somebody else may have changed it."""
    before = {"addressIdentification": 7, "postalAddress": {"physicalAddress": PLACE | {"postCode": "1"}}}
    first, later, at = blink().address, blink().address, view(**WANTED)
    chosen = await first.look(Bank({SEED: reply(200, before)}), at)
    assert isinstance(chosen, Absent)
    sent = first.write(replace(at, facts={"customer_id": "C-1", **chosen.facts}))
    lost = replace(view(Doubt(NOW, 1), **WANTED), bound=chosen.facts)
    found = await later.look(Bank({SEED: reply(200, before | now)}), lost)

    assert isinstance(found, expected)
    assert not any(part in str(chosen.facts) for part in ("Seestrasse", "Zürich", "8002"))
    if isinstance(found, Absent):
        repeated = later.write(replace(lost, facts={"customer_id": "C-1", **found.facts}))
        assert (found.facts, repeated.body) == (chosen.facts, sent.body)


@awaited
async def test_an_address_that_appears_while_a_first_one_is_lost_is_not_changed() -> None:
    empty = Bank({"/customers/C-1": reply(200, customer(addressList=[]))})
    chosen = await blink().address.look(empty, view(**WANTED))
    assert isinstance(chosen, Absent)
    lost = replace(view(Doubt(NOW, 1), **WANTED), bound=chosen.facts)

    assert isinstance(await blink().address.look(Bank({SEED: OTHER}), lost), Unclear)
    assert isinstance(await blink().address.look(empty, lost), Absent)
