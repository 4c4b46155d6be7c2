"""bLink's contacts of every medium, with a type and additional information of their own."""

import sqlite3
from contextlib import closing
from typing import Any

import orjson
import pytest

from jobs.sandbox.server import Sandbox
from jobs.systems.blink.bank import MEDIA
from jobs.systems.verdict import Absent, Done
from tests.flow.muster import Muster

from .blink import Filed, committed, only
from .blink import muster as muster
from .blink_bank import Bank, awaited, blink, reply, view

ALL = {
    "email": "office@example.com",
    "email_type": "business",
    "email_information": "weekdays only",
    "phone": "41791234567",
    "fax": "+41 44 123 45 67",
    "fax_type": "business",
    "website": "https://meier.example.com",
    "website_information": "the shop",
    "social_media": "example.com/anna.meier",
}


def test_every_medium_is_made_once_with_its_type_and_information_and_read_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = [only(1, "bank_person_id", **ALL)]
    first = muster("run", file_of(rows))
    again = muster("run", file_of([{**rows[0], "row_ref": "another"}]))

    assert (first.outcomes, again.outcomes) == (["onboarded"], ["already_onboarded"])
    assert [line["class"] for line in first.reconciliation + again.reconciliation] == ["match", "match"]
    assert committed(sandbox) == ["create_contact"] * 5
    [person] = [each for each in sandbox.of("blink").snapshot()["persons"] if each["personIdentification"] == "P-0001"]
    made = {(each["medium"], each["contactMediumType"]) for each in person["contacts"][1:]}
    assert made == {
        ("email", "business"),
        ("phone", "private"),
        ("fax", "business"),
        ("website", "private"),
        ("socialMediaProfile", "private"),
    }


def sent(column: str, **values: str) -> dict[str, Any]:
    """The body that one column makes."""
    steps = {step.column: step for step in blink().contacts}
    body: dict[str, Any] = orjson.loads(steps[column].write(view(**values)).body or b"")
    return body


def test_a_contact_has_what_the_row_says_and_nothing_that_it_does_not_say() -> None:
    assert sent("email", **ALL) == {
        "medium": "email",
        "contactMediumType": "business",
        "contactContent": "office@example.com",
        "additionalContactInformation": "weekdays only",
    }
    assert sent("social_media", **ALL) == {
        "medium": "socialMediaProfile",
        "contactMediumType": "private",
        "contactContent": "example.com/anna.meier",
    }


@pytest.mark.parametrize("column", MEDIA)
@awaited
async def test_an_equal_contact_of_that_medium_and_type_is_not_made_again(column: str) -> None:
    content = {"fax": "0041 44 1234567", "phone": "0791234567"}.get(column, ALL[column].upper())
    listed = {"medium": MEDIA[column], "contactMediumType": "private", "contactContent": content}
    bank = Bank({"/persons/P-1/contactdetails": reply(200, [listed | {"contactIdentification": "7"}])})
    steps = {step.column: step for step in blink().contacts}

    same, other = view(**{column: ALL[column]}), view(**{column: ALL[column], f"{column}_type": "business"})

    assert isinstance(await steps[column].look(bank, same), Done)
    assert isinstance(await steps[column].look(bank, other), Absent)


def test_what_stands_beside_a_contact_that_is_not_there_is_quarantined(muster: Muster, file_of: Filed) -> None:
    rows = [
        only(1, "bank_person_id", fax_type="business"),
        only(2, "bank_person_id", website_information="the shop"),
        only(3, "bank_person_id", fax="12"),
        only(4, "bank_person_id", "email", email_type="shared"),
    ]
    ended = muster("run", file_of(rows))

    assert [line["reason_code"] for line in ended.rows] == [
        "missing:fax",
        "missing:website",
        "value_invalid:fax",
        "value_invalid:email_type",
    ]


@pytest.mark.few(1)
@pytest.mark.parametrize("known", [True, False], ids=["type in the ledger", "ledger of an older muster"])
def test_a_contact_made_under_another_setting_is_no_difference(
    muster: Muster, sandbox: Sandbox, file_of: Filed, known: bool
) -> None:
    assert muster("run", file_of([only(1, "bank_person_id", email="office@example.com")])).outcomes == ["onboarded"]
    if not known:
        with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger, ledger:
            ledger.execute("update record set facts = replace(facts, 'contact_email_type', 'forgotten')")
    path = muster.folder / "muster.toml"
    path.write_text(path.read_text("utf-8") + 'contact_type = "business"\n', encoding="utf-8")
    ended = muster("reconcile", "run-1")

    assert ended.code == 0, ended.stdout
    assert committed(sandbox) == ["create_contact"]
