"""bLink's addresses beyond the five columns of a place: what is not offered, all members, a second one."""

from dataclasses import replace

import pytest

from jobs.model import Outcome
from jobs.sandbox.server import Sandbox
from jobs.systems.blink.place import POSTAL, USE, agrees, changed, new
from jobs.systems.messages import Reply
from jobs.systems.row import Doubt
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear
from tests.flow.muster import Muster

from .blink import ADDRESS, CONTACTS, START, Filed, committed, configure, counts, only, row
from .blink import muster as muster
from .blink_bank import NOW, Bank, awaited, blink, problem, reply, view

WANTED = {"street": "Seestrasse 1", "postal_code": "8002", "town": "Zürich", "country": "CH"}
SEED, PLURAL = "/customer/C-1/addresses", "/customers/C-1/addresses"
LISTED = {"customerIdentification": "C-1", "status": "active", "addressList": [{"addressIdentification": 7}]}


@pytest.mark.parametrize("place", [SEED, PLURAL])
@awaited
async def test_a_bank_that_answers_501_about_addresses_does_not_offer_them_whatever_the_other_path_says(
    place: str,
) -> None:
    bank = Bank({place: problem(501, "notImplemented"), "/customers/C-1": reply(200, LISTED)})

    found = await blink().address.look(bank, view(**WANTED))

    assert isinstance(found, Ended)
    assert (found.outcome, found.reason_code, found.trace.http_status) == (Outcome.REJECTED, "not_offered", 501)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({PLURAL: problem(405, "wrongMethod")}, Absent),
        ({SEED: problem(405, "wrongMethod")}, Absent),
        ({SEED: problem(405, "wrongMethod"), PLURAL: problem(405, "wrongMethod")}, Ended),
    ],
)
@awaited
async def test_405_is_about_the_spelling_of_the_path_alone(answers: dict[str, Reply], expected: type[Finding]) -> None:
    bank = Bank(answers | {"/customers/C-1": reply(200, {**LISTED, "addressList": []})})

    assert isinstance(await blink().address.look(bank, view(**WANTED)), expected)


def test_the_http_status_of_an_outcome_is_that_of_the_step_that_decided_it(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    """Contacts were made with 201; what ended the row is another step."""
    offers = {"healthcheck", "get_customer", "list_contacts", "create_contact", "get_address"}
    configure(sandbox, offers=sorted(offers), not_offered="501")
    ended = muster("run", file_of([row(1), only(2, *CONTACTS)]))

    first, second = ended.rows
    assert (first["reason_code"], first["failed_step"], first["http_status"]) == ("not_offered", "address", "501")
    assert (second["outcome"], second["http_status"]) == ("onboarded", "201")


EVERYTHING = {
    "care_of": "Meier",
    "attention_of": "Frau Keller",
    "post_box": "77",
    "address_suffix": "Hof",
    "country_subdivision": "ZH",
    "organisation_name": "Meier AG",
    "address_given_name": "Anna",
    "address_middle_name": "Maria",
    "address_last_name": "Meier",
    "address_name_suffix": "jun.",
    "address_name": "Home",
    "mailing_instruction": "no leaflets",
    "dispatch_type": "other",
    "is_domicile": "true",
    "is_mailing_address": "false",
    "address_language": "de",
}
SECOND = {"second_street": "Quai 2", "second_postal_code": "3011", "second_town": "Bern", "second_country": "CH"}


def test_all_members_of_an_address_are_in_the_bodies_in_their_places() -> None:
    physical = {"streetName": "Seestrasse 1", "postCode": "8002", "townName": "Zürich", "country": "CH"}
    physical |= {"careOf": "Meier", "toTheAttentionOf": "Frau Keller", "postBox": "77", "addressSuffix": "Hof"}
    name = {"organisationName": "Meier AG", "givenName": "Anna", "middleName": "Maria", "lastName": "Meier"}
    postal = {
        "salutation": {},
        "name": name | {"nameSuffix": "jun."},
        "physicalAddress": physical | {"countrySubDivision": "ZH"},
    }
    wanted = WANTED | EVERYTHING

    assert new(wanted) == {"postalAddress": postal, "addressName": "Home", "mailingInstruction": "no leaflets"}
    shown = {"addressIdentification": 7, "dispatchType": "postal", "postalAddress": {"name": {"lastName": "Old"}}}
    assert changed(shown, wanted) == {
        "addressIdentification": 7,
        "dispatchType": "other",
        "isDomicile": True,
        "isMailingAddress": False,
        "language": "de",
        "postalAddress": postal,
    }
    assert shown["postalAddress"] == {"name": {"lastName": "Old"}}


@pytest.mark.parametrize("column", [*POSTAL, *USE])
def test_each_member_counts_for_itself_and_only_where_the_row_has_it(column: str) -> None:
    shown = changed({"addressIdentification": 7}, WANTED | EVERYTHING)
    other = {"true": "false", "false": "true"}.get(EVERYTHING[column], "x")

    assert agrees(shown, WANTED)
    assert agrees(shown, WANTED | EVERYTHING)
    assert not agrees(shown, WANTED | EVERYTHING | {column: other})


def test_a_first_address_and_one_that_is_there_get_all_members_and_match(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    """C-0001 has an address and C-0002 has none: it is made, and changed once more for what a new one can't have."""
    rows = [only(1, *ADDRESS, **EVERYTHING), only(2, *ADDRESS, **EVERYTHING)]
    first = muster("run", file_of(rows), "--concurrency", "1")
    again = muster("run", file_of([{**row, "row_ref": f"again-{at}"} for at, row in enumerate(rows)]))

    assert (first.outcomes, again.outcomes) == (["onboarded"] * 2, ["already_onboarded"] * 2)
    assert committed(sandbox) == ["update_address", "create_address", "update_address"]
    assert {line["class"] for line in first.reconciliation + again.reconciliation} == {"match"}


@pytest.mark.few(1)
@pytest.mark.parametrize("shown", ["oldest", "newest"])
def test_a_second_address_is_made_once_beside_the_first_whichever_is_shown(
    muster: Muster, sandbox: Sandbox, file_of: Filed, shown: str
) -> None:
    configure(sandbox, address_shown=shown)
    rows = [only(1, *ADDRESS, **SECOND), only(2, **SECOND)]
    first = muster("run", file_of(rows))
    again = muster("run", file_of(rows))
    strange = muster("run", file_of([only(1, **SECOND)]), "--ledger", "sqlite:///another.db")  # knows nothing

    assert (first.outcomes, again.outcomes) == (["onboarded"] * 2, ["already_onboarded"] * 2)
    assert sorted(committed(sandbox)) == ["create_address", "create_address", "update_address"]
    assert {line["class"] for line in first.reconciliation + again.reconciliation} == {"match"}
    expected = [("already_onboarded", "")] if shown == "newest" else [("conflict", "address_hidden")]
    assert [(line["outcome"], line["reason_code"]) for line in strange.rows] == expected


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("kind", "sent"), [("drop_after_commit", 1), ("drop_before_commit", 2), ("garbage_body", 1), ("empty_body", 1)]
)
def test_a_lost_second_address_is_found_in_the_customers_list_or_sent_once_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, kind: str, sent: int
) -> None:
    sandbox.faults([{"operation": "create_address", "kind": kind, "nth": 1}])
    ended = muster("run", file_of([only(1, **SECOND)]))

    assert ended.outcomes == ["onboarded"]
    assert [entry["operation"] for entry in sandbox.journal() if entry["method"] == "POST"].count(
        "create_address"
    ) == sent
    assert counts(sandbox)["addresses"] == START["addresses"] + 1


@awaited
async def test_an_address_that_came_since_the_request_and_is_another_one_is_not_ours() -> None:
    stranger = {"addressIdentification": 8, "postalAddress": {"physicalAddress": {"streetName": "Elsewhere"}}}
    both = {**LISTED, "addressList": [{"addressIdentification": 7}, {"addressIdentification": 8}]}
    bank = Bank({"/customers/C-1": reply(200, both), SEED: reply(200, stranger)})
    lost = replace(view(Doubt(NOW, 1), **SECOND), bound={"addresses_listed": "7"})

    assert isinstance(await blink().second.look(bank, lost), Unclear)
    ours = Bank({"/customers/C-1": reply(200, both), SEED: reply(200, {"addressIdentification": 7})})
    found = await blink().second.look(ours, lost)
    assert isinstance(found, Done)
    assert found.facts == {"second_address_id": "8"}


def test_a_lagging_bank_that_does_not_show_a_first_address_yet_leaves_its_use_to_a_retry(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    configure(sandbox, lag_reads=3)
    ended = muster("run", file_of([only(2, *ADDRESS, is_domicile="true")]))
    configure(sandbox, lag_reads=0)
    retried = muster("retry", ended.folder.name)

    assert (ended.rows[0]["outcome"], ended.rows[0]["reason_code"]) == ("failed", "not_shown")
    assert retried.outcomes == ["onboarded"]
    assert committed(sandbox) == ["create_address", "update_address"]
