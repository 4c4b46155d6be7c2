"""bLink's addresses beyond the five columns of a place: what is not offered, all members, a second one."""

import pytest

from jobs.model import Outcome
from jobs.sandbox.server import Sandbox
from jobs.systems.messages import Reply
from jobs.systems.verdict import Absent, Ended, Finding
from tests.flow.muster import Muster

from .blink import CONTACTS, Filed, configure, only, row
from .blink import muster as muster
from .blink_bank import Bank, awaited, blink, problem, reply, view

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
