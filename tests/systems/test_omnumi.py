"""What Omnumi's replies mean, what a look may believe, what is sent: one by one, without a network."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs.errors import NotPermitted, Unusable
from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems.contract import Setup
from jobs.systems.messages import Reply, Request
from jobs.systems.omnumi.catalogue import CATALOGUE, Meaning
from jobs.systems.omnumi.system import Omnumi, OmnumiSettings, system
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Unclear, Undecided

from .blink_bank import awaited
from .omnumi import PICTURE, TENANT, person

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROW = Row(1, "CRM-1", "cust-1", person(1), "", "", None)
ONCE = View(ROW, {}, attempts=1)
MADE_UP = {
    "generate_namespace": "true",
    "namespace_provider": "",
    "marital_status_list": "false",
    "leave_out": "",
}
LOST = View(ROW, {}, Doubt(NOW, 1), attempts=1, bound=MADE_UP)
OLDER = replace(LOST, bound={})
EMAIL_TAKEN = {"type": "onboard", "message": "A user is already been registered with provided email id"}
BLOCKED = {"type": "Tenant", "message": "Tenant's account has been blocked. You will be not able to onboard any user."}
NO_DOCUMENTS = {"type": "Documents", "message": "There are no sufficient documents"}
ISO = {"type": "Onboard Customer", "message": "Please provide a valid ISO 3166-1 alpha-2 country and state code"}
CATCH = {"type": "catch", "message": "error.message"}


def omnumi(folder: Path = Path(), **settings: Any) -> Omnumi:
    return system(Setup(TENANT, KeySpace.of("omnumi", TENANT), folder), OmnumiSettings(**settings))


def answer(status: int, document: Any) -> Reply:
    return Reply(status, {}, orjson.dumps(document), NOW)


def refused(*errors: dict[str, Any], status: int = 400) -> Reply:
    return answer(status, {"errors": list(errors)})


def created(**members: Any) -> Reply:
    return answer(201, {"data": {"customerAccountId": "11167c62", "complianceStatus": "PENDING"} | members})


class Asked:
    """A reader that answers each read alike and keeps what was asked."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.reply, self.requests = reply, list[Request]()

    async def read(self, request: Request) -> Reply:
        self.requests.append(request)
        assert self.reply is not None, "nothing is to be read"
        return self.reply


ENDS = [
    ([EMAIL_TAKEN], "conflict", "email_taken"),
    ([EMAIL_TAKEN | {"type": "Duplicate"}], "conflict", "email_taken"),
    ([{"type": "Onboard Customer", "message": "Custom namespace is taken"}], "conflict", "namespace_taken"),
    ([{"type": "Duplicate", "message": "ACCOUNT ADDRESS  already taken!"}], "conflict", "account_taken"),
    ([{"type": "onboard", "message": "Wallet user already exists inside tenant"}], "conflict", "user_taken"),
    ([NO_DOCUMENTS], "rejected", "refused_by_target"),
    ([ISO], "rejected", "refused_by_target"),
    ([{"type": "Rule Error", "errors": [{"field": "email", "message": "bad"}]}], "rejected", "refused_by_target"),
    ([{"type": "Finclusive", "message": "Date of birth does not match"}], "rejected", "refused_by_target"),
    ([ISO, EMAIL_TAKEN], "conflict", "email_taken"),
]


@pytest.mark.parametrize(("errors", "outcome", "code"), ENDS)
def test_a_refusal_ends_the_row_by_its_message(errors: list[dict[str, Any]], outcome: str, code: str) -> None:
    verdict = omnumi().customer.classify(refused(*errors), ONCE)

    assert isinstance(verdict, Ended)
    assert (verdict.outcome, verdict.reason_code) == (outcome, code)
    assert verdict.trace.http_status == 400


@pytest.mark.parametrize(
    "reply",
    [
        refused(CATCH),
        refused({"type": "catch", "message": "err[1]"}),
        refused({"type": "Finclusive", "message": "Verification provider is not available"}),
        refused({"type": "Identity", "message": "error in deleting identity"}),
        refused(NO_DOCUMENTS, CATCH),
        refused(EMAIL_TAKEN, CATCH),
        refused({"type": "onboard", "message": "The email does not exist"}),
        refused(),
        refused(EMAIL_TAKEN, status=502),
        answer(500, "?"),
        answer(400, {"errors": "axiosResponse.errors"}),
        Reply(400, {}, b"<html>", NOW),
        Reply(201, {}, b'{"data": {"customerAccountId": "1', NOW),
        answer(201, {"data": None}),
        created(customerAccountId=None),
        created(email="somebody.else@example.com"),
        created(tenantId="another"),
        created(phoneNumber="27824000002"),
        created(phoneNumber=27824000001),
        created(accountAddress="0xabcdee"),
        created(tax={"idNumber": "1-3"}),
        created(email=True),
    ],
)
def test_what_may_have_been_applied_is_a_doubt(reply: Reply) -> None:
    row = replace(ROW, values=person(1) | {"account_address": "0xabcdef", "tax_id_number": "1-2"})
    assert isinstance(omnumi().customer.classify(reply, replace(ONCE, row=row)), Doubted)


@pytest.mark.parametrize("phone", ["27824000001", "+27 82 400 0001", "082 400 0001"])
def test_an_answer_that_repeats_what_was_sent_is_about_the_row(phone: str) -> None:
    told = created(phoneNumber=phone, email=" Thandi.1@EXAMPLE.com", tenantId=TENANT.upper(), tax={"idNumber": "1 2"})
    row = replace(ROW, values=person(1) | {"tax_id_number": "1-2"})

    assert isinstance(omnumi().customer.classify(told, replace(ONCE, row=row)), Undecided)


@pytest.mark.parametrize("status", ["PENDING", "APPROVED", "REJECTED"])
def test_no_other_row_may_hold_the_account(status: str) -> None:
    verdict = omnumi().customer.classify(created(complianceStatus=status), ONCE)

    assert isinstance(verdict, Done | Undecided | Ended)
    assert dict(verdict.claims) == {"customer": "11167c62"}


@pytest.mark.parametrize(
    "reply",
    [
        refused(BLOCKED),
        refused({"type": "Invalid", "message": "Token expired"}),
        refused({"type": "Duplicate", "message": "No data found with given tenant Id"}),
        refused({"type": "catch", "message": "Please provide valid tenant id"}),
        refused({"type": "Tenant", "message": "Tenant onboarding status is PENDING"}),
        refused({"type": "catch", "message": "could not fetch token"}),
        refused(EMAIL_TAKEN, CATCH, BLOCKED, NO_DOCUMENTS),
        Reply(404, {}, b"not here", NOW),
    ],
)
def test_what_blocks_every_row_stops_the_job(reply: Reply) -> None:
    with pytest.raises(NotPermitted):
        omnumi().customer.classify(reply, ONCE)


def test_the_catalogue_has_every_severity() -> None:
    assert {known.meaning for known in CATALOGUE} == set(Meaning)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("PENDING", Undecided), ("IN REVIEW", Undecided), (None, Undecided), ("approved", Done), ("Rejected", Ended)],
)
def test_the_review_decides_about_a_created_customer(status: str | None, kind: type[Any]) -> None:
    verdict = omnumi().customer.classify(created(complianceStatus=status, domainNamespace="a.b.ul"), ONCE)

    assert isinstance(verdict, kind)
    assert isinstance(verdict, Done | Undecided | Ended)
    assert verdict.facts["customer_id"] == "11167c62"
    assert verdict.facts["domain_namespace"] == "a.b.ul"
    assert getattr(verdict, "polled", False) is False
    assert getattr(verdict, "outcome", Outcome.DECLINED) is Outcome.DECLINED


def test_operators_may_call_an_outstanding_review_done() -> None:
    assert isinstance(omnumi(await_decision=False).customer.classify(created(), ONCE), Done)


@awaited
async def test_a_look_believes_the_ledger_alone() -> None:
    step, asked = omnumi().customer, Asked()

    assert isinstance(await step.look(asked, View(ROW, {})), Absent)
    assert isinstance(await step.look(asked, LOST), Unclear)
    assert isinstance(await step.look(asked, View(ROW, {"customer_id": "1"})), Undecided)
    assert isinstance(await omnumi(await_decision=False).customer.look(asked, View(ROW, {"customer_id": "1"})), Done)


@awaited
async def test_a_repetition_is_allowed_once_and_its_refusal_proves_nothing() -> None:
    step, twice = omnumi(resend_unknown=True).customer, replace(LOST, attempts=2)

    assert isinstance(await step.look(Asked(), LOST), Absent)
    assert isinstance(await step.look(Asked(), twice), Unclear)
    assert isinstance(step.classify(refused(NO_DOCUMENTS), LOST), Doubted)
    assert type(step.classify(refused(EMAIL_TAKEN), LOST)).__name__ == "Taken"
    said = await step.look(Asked(), replace(twice, taken=True, said="the e-mail is registered already"))
    assert isinstance(said, Unclear)
    assert "unconfirmed" in said.reason


NOTHING = refused({"type": "fetch", "message": "No data found"}, status=404)
PROBES = [
    ({}, answer(200, {"data": {}}), LOST, "Undecided"),
    ({}, NOTHING, LOST, "Absent"),
    ({}, NOTHING, replace(LOST, attempts=2), "Unclear"),
    ({}, NOTHING, OLDER, "Unclear"),
    ({}, answer(200, {"data": {}}), OLDER, "Undecided"),
    ({}, NOTHING, replace(LOST, taken=True), "Ended"),
    ({}, Reply(404, {}, b"<html>", NOW), LOST, "Unclear"),
    ({}, refused({"message": "no"}, status=403), LOST, "Unclear"),
    ({"custom_namespace": "thandi"}, answer(200, {}), LOST, "Unclear"),
    ({"custom_namespace": "thandi"}, NOTHING, LOST, "Absent"),
]


@pytest.mark.parametrize(("given", "reply", "view", "found"), PROBES)
def test_a_probe_settles_what_a_namespace_of_ours_can_prove(
    given: dict[str, str], reply: Reply, view: View, found: str
) -> None:
    row = replace(ROW, values=person(1) | given)

    @awaited
    async def look() -> None:
        asked = Asked(reply)
        finding = await omnumi(probe=True, generate_namespace=True).customer.look(asked, replace(view, row=row))
        assert type(finding).__name__ == found
        assert dict(asked.requests[0].query)["identifierType"] == "customNamespace"

    look()


@awaited
async def test_a_namespace_that_the_lost_request_did_not_carry_is_not_looked_for() -> None:
    without = replace(LOST, bound=MADE_UP | {"generate_namespace": "false"})

    assert isinstance(await omnumi(probe=True, generate_namespace=True).customer.look(Asked(), without), Unclear)


@awaited
async def test_a_repetition_is_the_request_that_was_lost_whatever_the_settings_are_now() -> None:
    given = {"generate_namespace": True, "namespace_provider": "ens", "leave_out": "fullName"}
    row = replace(ROW, values={name: value for name, value in person(1).items() if not name.startswith("document")})
    row = replace(row, values={**row.values, "marital_status": "married"})
    first, later = omnumi(**given).customer, omnumi(resend_unknown=True, marital_status_list=True).customer
    chosen = await first.look(Asked(), View(row, {}))
    assert isinstance(chosen, Absent)
    again = await later.look(Asked(), View(row, {}, Doubt(NOW, 1), attempts=1, bound=chosen.facts))

    assert isinstance(again, Absent)
    assert again.facts == chosen.facts
    sent, repeated = first.write(View(row, {})), later.write(View(row, {}, Doubt(NOW, 1), bound=chosen.facts))
    assert (repeated.body, repeated.key) == (sent.body, sent.key)
    assert later.write(View(row, {})).body != sent.body


def test_a_namespace_that_was_made_up_is_the_requests_key(tmp_path: Path) -> None:
    (tmp_path / "id.png").write_bytes(PICTURE)
    step = omnumi(tmp_path, generate_namespace=True).customer
    request = step.write(View(ROW, {}))
    named = replace(ROW, values=person(1) | {"custom_namespace": "thandinkosi"})
    personal = replace(ROW, warnings="personal_key:external_unique_id")

    assert request.key == orjson.loads(request.body or b"")["customNamespace"]
    assert omnumi(tmp_path).customer.write(View(ROW, {})).key is None
    assert [step.write(View(row, {})).key for row in (named, personal)] == [None, None]
    assert "customNamespace" not in body(tmp_path, generate_namespace=True, leave_out="customNamespace")


def body(folder: Path, row: Row = ROW, **settings: Any) -> dict[str, Any]:
    (folder / "id.png").write_bytes(PICTURE)
    request = omnumi(folder, **settings).customer.write(View(row, {}))
    return dict(orjson.loads(request.body or b""))


def test_the_body_has_what_is_given_and_nothing_empty(tmp_path: Path) -> None:
    sent = body(tmp_path)

    assert sent["fullName"] == "Thandi Nkosi"
    assert sent["address"]["isoCountryCode"] == "ZA"
    assert sent["customerMetaData"] == {"rowRef": "CRM-1"}
    document = {"type": "DriversLicense", "fileName": "id.png", "content": base64.b64encode(PICTURE).decode()}
    assert sent["governmentDocuments"] == [document]
    assert set(sent) == {
        *("firstName", "lastName", "fullName", "phoneNumber", "email", "dateOfBirth", "tenantId"),
        *("address", "governmentDocuments", "customerMetaData"),
    }


def test_members_are_nested_and_have_their_kinds(tmp_path: Path) -> None:
    more = {"passport_file": "id.png", "passport_expired": "true", "marital_status": "married", "tax_id_number": "1-2"}
    sent = body(tmp_path, replace(ROW, values=person(1) | more | {"bank_account": "false"}), marital_status_list=True)

    assert sent["passport"]["expired"] is True
    assert sent["maritalStatus"] == ["married"]
    assert sent["tax"] == {"idNumber": "1-2"}
    assert sent["bankAccount"] == "false"


def test_a_generated_namespace_is_stable_and_hard_to_meet_by_chance(tmp_path: Path) -> None:
    first, again = (body(tmp_path, generate_namespace=True)["customNamespace"] for _ in range(2))
    other = body(tmp_path, replace(ROW, key="cust-2"), generate_namespace=True)["customNamespace"]

    assert first == again != other
    assert len(first.removeprefix("m")) * 4 >= 40


def test_a_personal_row_ref_and_what_is_left_out_are_not_sent(tmp_path: Path) -> None:
    hidden = replace(ROW, warnings="personal_key:row_ref")

    assert "customerMetaData" not in body(tmp_path, hidden)
    assert {"fullName", "address"}.isdisjoint(body(tmp_path, leave_out="fullName, address"))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(Unusable, match="fullNam"):
        omnumi(leave_out="fullNam")
    with pytest.raises(Unusable, match="UUID"):
        system(Setup("1001", KeySpace.of("omnumi", "1001")), OmnumiSettings())


def test_a_rule_error_of_any_depth_is_read() -> None:
    nested: Any = "ssn"
    for _ in range(200):
        nested = [nested]
    verdict = omnumi().customer.classify(refused({"type": "Rule Error", "errors": nested}), ONCE)

    assert isinstance(verdict, Ended)
    assert verdict.reason == "a rule of the target refused ssn"


def test_reasons_quote_no_value_of_the_row() -> None:
    words = f"Nkosi ({ROW.values['email']}, {ROW.values['phone']}, 1990-01-31) of CAPE TOWN could not be saved"
    for error in (CATCH | {"message": words}, {"type": "Rule Error", "errors": {"email": [words]}}):
        verdict = omnumi().customer.classify(refused(error), ONCE)
        told = getattr(verdict, "reason", "").casefold()
        assert told
        assert not [value for value in ("nkosi", "thandi.1", "1990", "cape town") if value in told]
