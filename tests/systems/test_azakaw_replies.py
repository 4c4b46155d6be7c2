"""What Azakaw's replies mean, one by one; the requests; what a settled row shows to a reconciliation. No network."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from jobs.errors import NotPermitted, Unusable
from jobs.keys import KeySpace
from jobs.model import Outcome, Rate
from jobs.systems.azakaw.dialect import DIALECT
from jobs.systems.azakaw.submissions import Submission
from jobs.systems.azakaw.system import Azakaw, AzakawSettings, system
from jobs.systems.contract import Setup
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import CallClass, ReadFailed, Reply, Request
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Unclear, Undecided

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
EMPLOYEE = "3ea657a9-5a05-46f9-9277-d27f2ccd13ea"
OTHER = "11111111-b555-4b79-88bf-967f454df0c0"
NEW = "ab98babe-b555-4b79-88bf-967f454df0c0"
VALUES = {
    "customer_kind": "individual",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "27821234567",
}


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, {}, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def told(code: int | None, *messages: str, result: Any = None) -> dict[str, Any]:
    return {"version": None, "statusCode": code, "messages": list(messages), "result": result}


def view(facts: Mapping[str, str] | None = None, doubt: Doubt | None = None, **values: str) -> View:
    return View(Row(1, "CRM-1", "cust-000001", VALUES | values, "", "", None), facts or {}, doubt)


def azakaw(**more: Any) -> Azakaw:
    return Azakaw("1001", AzakawSettings("form-1", "form-2", EMPLOYEE, **more))


def listed(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return told(200, result={"count": len(entries), "submissions": list(entries)})


def entry(email: str = "ada@example.com", **more: Any) -> dict[str, Any]:
    known = {"submissionId": NEW, "customerId": "c-1", "customerName": "Ada Lovelace", "email": email}
    return known | {"submissionDate": "2026-11-21T02:00:00Z", "kycState": "New"} | more


class Target:
    """Answers reads: employees, and the lists in turn, the last one for ever."""

    def __init__(self, *lists: Any) -> None:
        self.lists = list(lists)
        self.asked: list[Request] = []

    async def read(self, request: Request) -> Reply:
        self.asked.append(request)
        if request.operation == "list_employees":
            return reply(told(200, result=[{"id": EMPLOYEE.upper(), "name": "Employee Name"}]))
        given = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return given if isinstance(given, Reply) else reply(given)


def looked(target: Target, at: View, step: int = 0, **settings: Any) -> Finding:
    return asyncio.run(azakaw(**settings).steps[step].look(target, at))


@pytest.mark.parametrize(
    ("status", "code", "worse"),
    [
        (200, 0, 200),
        (200, 200, 200),
        (201, 0, 201),
        (200, 409, 409),
        (409, 0, 409),
        (500, 400, 500),
        (400, 500, 500),
        (200, 7, 500),
        (200, 1000, 500),
        (200, None, 200),
        (403, 200, 403),
    ],
)
def test_the_worse_of_two_statuses_counts(status: int, code: int | None, worse: int) -> None:
    assert azakaw().status_of(reply(told(code), status)) == worse


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"statusCode":200,"statusCode":400}', b"<html>", b"%PDF-1.4"])
def test_what_is_no_envelope_has_the_status_of_http_and_no_result(body: bytes) -> None:
    assert DIALECT.status_of(reply(body)) == 200
    with pytest.raises(Unreadable):
        DIALECT.content_of(reply(body))


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, told(200, result={"submissionId": NEW}), "Done"),
        (200, told(0, result={"submissionId": NEW}), "Done"),
        (200, told(200, result={"submissionId": ""}), "Doubted unreadable_reply"),
        (200, told(200, result={"submissionId": "../x"}), "Doubted unreadable_reply"),
        (200, told(200), "Doubted unreadable_reply"),
        (200, {"result": {"submissionId": NEW}}, "Doubted unreadable_reply"),
        (200, [], "Doubted unreadable_reply"),
        (204, b"", "Doubted unreadable_reply"),
        (200, told(400, "email is not valid"), "Ended refused_by_target"),
        (400, told(400, "Customer already exists"), "Taken"),
        (409, told(409, "Resource already exists"), "Taken"),
        (200, told(409), "Taken"),
        (422, b"", "Ended refused_by_target"),
        (403, told(403), "Ended forbidden"),
        (429, told(429), "Throttled"),
        (200, told(429), "Throttled"),
        (302, b"", "Ended redirected"),
        (408, b"", "Doubted server_error"),
        (500, told(500), "Doubted server_error"),
        (200, told(500), "Doubted server_error"),
        (200, told(999), "Doubted server_error"),
        (503, b"<html>", "Doubted server_error"),
    ],
)
def test_a_reply_to_a_create_means(status: int, body: Any, verdict: str) -> None:
    found = azakaw().customer.classify(reply(body, status), view())

    assert f"{type(found).__name__} {getattr(found, 'reason_code', '')}".strip() == verdict


def test_a_path_form_or_employee_that_is_unknown_stops_the_job() -> None:
    with pytest.raises(NotPermitted, match="form"):
        azakaw().customer.classify(reply(told(404, "Resource not found"), 404), view())


def test_an_id_that_is_listed_with_another_email_is_looked_into_and_never_taken() -> None:
    adapter = azakaw()
    target = Target(listed(entry("a.da@example.com")))

    assert isinstance(asyncio.run(adapter.customer.look(target, view())), Absent)
    found = adapter.customer.classify(reply(told(200, result={"submissionId": NEW.upper()})), view())

    assert isinstance(found, Doubted)
    assert (found.reason_code, found.answered) == ("other_customer", False)


def test_an_id_that_is_listed_with_the_rows_own_email_by_now_is_a_create() -> None:
    """Another row's reading may have begun after this row's request arrived."""
    adapter = azakaw()

    assert isinstance(asyncio.run(adapter.customer.look(Target(listed()), view())), Absent)
    asyncio.run(adapter.customer.look(Target(listed(entry("ADA@example.com"))), replace(view(), taken=True)))
    found = adapter.customer.classify(reply(told(200, result={"submissionId": NEW})), view())

    assert isinstance(found, Done)
    assert (found.facts["form_id"], dict(found.claims)) == ("form-1", {"customer": NEW})


@pytest.mark.parametrize("state", ["New", "Rejected"])
def test_no_other_row_may_hold_a_submission_and_a_refusal_of_our_own_proves_its_fate(state: str) -> None:
    found = looked(Target(listed(entry(kycState=state))), view(doubt=Doubt(NOW, 1)))

    assert isinstance(found, Done | Ended)
    assert dict(found.claims) == {"customer": NEW}
    assert getattr(found, "proves", True)


def test_a_repetition_and_its_look_are_on_the_terms_of_the_lost_request() -> None:
    first, changed = azakaw(), Azakaw("1001", AzakawSettings("form-3", "form-2", OTHER, send_email=True))
    chosen = asyncio.run(first.customer.look(Target(listed()), view()))
    assert isinstance(chosen, Absent)
    assert dict(chosen.facts) == {"form_id": "form-1", "employee_id": EMPLOYEE, "send_email": "false"}
    lost = replace(view(doubt=Doubt(NOW, 1)), bound=chosen.facts)
    target = Target(listed())
    again = asyncio.run(changed.customer.look(target, lost))

    assert isinstance(again, Absent)
    assert (again.facts, target.asked[0].query[0]) == (chosen.facts, ("formId", "form-1"))
    assert changed.customer.write(lost).body == first.customer.write(view()).body
    assert changed.customer.write(view()).body != first.customer.write(view()).body


def test_a_lost_request_that_mailed_somebody_is_not_repeated_once_mails_are_off() -> None:
    bound = {"form_id": "form-1", "employee_id": EMPLOYEE, "send_email": "true"}
    lost = replace(view(doubt=Doubt(NOW, 1)), bound=bound)

    assert isinstance(looked(Target(listed()), lost), Unclear)


@pytest.mark.parametrize("step", [-1, "sight"])
def test_a_customer_is_read_on_the_form_that_it_was_added_on(step: Any) -> None:
    target, known = Target(listed(entry())), {"customer_id": NEW, "form_id": "form-9", "customer_kind": "individual"}
    if step == "sight":
        asyncio.run(azakaw().sight(target, view().row, known))
    else:
        looked(target, view(known), step=step)

    assert {request.query[0] for request in target.asked} == {("formId", "form-9")}


def test_a_profile_of_somebody_else_is_not_believed() -> None:
    class Reports(Target):
        async def read(self, request: Request) -> Reply:
            if request.operation != "read_profile":
                return await super().read(request)
            return reply(told(0, result={"submission": {"submissionId": OTHER}}))

    with pytest.raises(ReadFailed, match="not the one"):
        asyncio.run(azakaw(check_profiles=True).sight(Reports(listed(entry())), view().row, {"customer_id": NEW}))


def test_what_the_target_quotes_is_masked() -> None:
    words = "'Lovelace' ada@example.com +27 82 123 4567 is refused"
    found = azakaw().customer.classify(reply(told(400, words), 400), view())

    assert isinstance(found, Ended)
    assert not any(part in found.reason for part in ("Lovelace", "ada@", "123 4567"))
    assert found.reason.endswith("is refused")


@pytest.mark.parametrize(
    ("doubt", "created", "finding"),
    [
        (None, 0, "Ended email_taken"),
        (Doubt(NOW, 1), 0, "Done"),
        (Doubt(NOW, 1), -119, "Done"),
        (Doubt(NOW, 1), -121, "Ended email_taken"),
    ],
)
def test_who_has_our_email_is_ours_only_when_a_lost_request_explains_it(
    doubt: Doubt | None, created: int, finding: str
) -> None:
    moment = (NOW + timedelta(seconds=created)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = looked(Target(listed(entry(" ADA@example.com", submissionDate=moment))), view(doubt=doubt))

    assert f"{type(found).__name__} {getattr(found, 'reason_code', '')}".strip() == finding


def test_several_with_our_email_are_never_chosen_from() -> None:
    twice = listed(entry(), entry(submissionId="11111111-b555-4b79-88bf-967f454df0c0"))
    found = looked(Target(twice), view(doubt=Doubt(NOW, 1)))

    assert isinstance(found, Ended)
    assert (found.outcome, found.reason_code) == (Outcome.CONFLICT, "ambiguous")


@pytest.mark.parametrize(
    "body",
    [
        told(200, result={"count": 2, "submissions": [entry("other@example.com")]}),
        told(200, result={"submissions": []}),
        told(200, result={"count": 0}),
        told(200, result=[]),
        listed(entry(), entry("other@example.com")),
        told(200, result={"count": True, "submissions": [entry("other@example.com")]}),
        told(200, result={"count": 1.0, "submissions": [entry("other@example.com")]}),
        listed(entry(email=7)),  # type: ignore[arg-type]  # what a target may send
        listed(entry(submissionId=None)),
        listed(entry(email=None)),  # type: ignore[arg-type]  # what a target may send
        listed("x"),  # type: ignore[arg-type]  # what a target may send
    ],
)
def test_a_list_that_is_not_whole_proves_nothing(body: Any) -> None:
    with pytest.raises(ReadFailed):
        looked(Target(body), view())


def test_a_first_look_reads_the_list_once_and_a_doubtful_one_afresh() -> None:
    async def scenario() -> list[str]:
        adapter, target = azakaw(), Target(listed())
        for number in range(5):
            await adapter.customer.look(target, view(email=f"{number}@example.com"))
        await adapter.customer.look(target, view(doubt=Doubt(NOW, 1)))
        return [request.operation for request in target.asked]

    assert asyncio.run(scenario()) == ["list_submissions", "list_employees", "list_submissions"]


def test_all_states_of_the_right_form_are_asked_for() -> None:
    target = Target(listed())
    looked(target, view(customer_kind="legal"))

    states = [value for name, value in target.asked[0].query if name == "states"]
    assert target.asked[0].query[0] == ("formId", "form-2")
    assert states == ["New", "Onboarding", "ComplianceReview", "Approved", "Rejected", "OnboardingAfterRejection"]


@pytest.mark.parametrize(
    ("state", "awaited", "finding"),
    [
        ("New", False, "Done"),
        ("Approved", True, "Done"),
        ("Rejected", False, "Ended"),
        ("Rejected", True, "Ended"),
        ("New", True, "Undecided"),
        ("OnboardingAfterRejection", True, "Undecided"),
        ("Odd", True, "Undecided"),
        ("Odd", False, "Undecided"),
        ("REJECTED", False, "Undecided"),
        (None, False, "Undecided"),
        (1, False, "Undecided"),
    ],
)
def test_a_state_means(state: object, awaited: bool, finding: str) -> None:
    known = view({"customer_id": NEW})
    found = looked(Target(listed(entry(kycState=state))), known, step=-1, await_decision=awaited)

    assert type(found).__name__ == finding
    assert getattr(found, "facts", {})["decision_status"] == (state if isinstance(state, str) else "none")


@pytest.mark.parametrize("body", [listed(), reply(b"", 500), reply(b"", 403), told(200, result=[])])
def test_a_customer_that_is_not_shown_yet_waits(body: Any) -> None:
    assert isinstance(looked(Target(body), view({"customer_id": NEW}), step=-1), Undecided)


def test_a_polled_row_reads_no_list_that_it_was_judged_by_before() -> None:
    async def scenario() -> int:
        adapter, target, polled = azakaw(await_decision=True), Target(listed(entry())), view({"customer_id": NEW})
        for _ in range(3):
            await adapter.steps[-1].look(target, polled)
        return len(target.asked)

    assert asyncio.run(scenario()) == 3


def test_requests_are_those_of_the_page() -> None:
    individual = azakaw().customer.write(view())
    legal = azakaw(send_email=True).customer.write(
        view(customer_kind="legal", legal_name="Lovelace Ltd", registration_number="12345", phone="")
    )

    assert (individual.method, individual.path) == ("POST", "/ExtCustomerManagement/AddCustomer")
    assert individual.call_class is CallClass.WRITE
    assert orjson.loads(individual.body or b"") == {
        "userType": "IndividualCustomer",
        "customerEmail": "ada@example.com",
        "customerMobileNumber": "+27821234567",
        "employeeId": EMPLOYEE,
        "formId": "form-1",
        "sendEmail": False,
        "individualCustomer": {"firstName": "Ada", "lastName": "Lovelace"},
    }
    body = orjson.loads(legal.body or b"")
    assert (body["userType"], body["formId"], body["sendEmail"]) == ("LegalCustomer", "form-2", True)
    assert body["customerMobileNumber"] == ""
    assert body["legalEntityCustomer"] == {"fullName": "Lovelace Ltd", "registrationNumber": "12345", "tradingName": ""}


def test_a_token_is_asked_for_at_the_address_of_its_own() -> None:
    asked = azakaw(auth_base_url="https://auth.example").login("app", "app-secret")
    given = azakaw().token_of(reply(told(200, result={"token": "abc"})))

    assert (asked.base_url, asked.path) == ("https://auth.example", "/api/AppSessionManager/GetAppToken")
    assert orjson.loads(asked.body or b"") == {"appId": "app", "appSecret": "app-secret", "tenantId": "1001"}
    assert (given.header_name, given.header_value, given.life_seconds) == ("Authorization", "Bearer abc", 86_400)
    assert azakaw().renewal(given) is None


@pytest.mark.parametrize("body", [told(200), told(200, result={"token": ""}), told(200, result={"token": "a\nb"})])
def test_a_login_without_a_usable_token_is_unreadable(body: Any) -> None:
    with pytest.raises(ValueError, match=r"token|result"):
        azakaw().token_of(reply(body))


def test_a_refused_login_says_what_to_check() -> None:
    with pytest.raises(NotPermitted, match="401") as refused:
        azakaw().token_of(reply(told(401, "appSecret is wrong")))

    assert "MUSTER_PASSWORD" in (refused.value.hint or "")


def test_the_limits_are_the_documented_ones() -> None:
    limits = {CallClass.WRITE: Rate(10, 60.0), CallClass.READ: Rate(60, 60.0), CallClass.DOWNLOAD: Rate(30, 60.0)}

    assert azakaw().limits(frozenset()) == limits


@pytest.mark.parametrize(
    ("given", "words"), [(AzakawSettings(), "form"), (AzakawSettings(form_id_legal="f"), "employee")]
)
def test_settings_that_can_not_work_are_refused(given: AzakawSettings, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        system(Setup("1001", KeySpace.of("azakaw", "1001")), given)


def test_one_form_may_serve_both_kinds_and_is_read_once() -> None:
    forms = Azakaw("1001", AzakawSettings(form_id_legal="f", employee_id=EMPLOYEE)).forms

    assert (forms.by_kind, list(forms.indexes)) == ({"individual": "f", "legal": "f"}, ["f"])


def test_a_submission_is_compared_by_its_email_and_state() -> None:
    target = Target(listed(entry("other@example.com", kycState="Approved")))
    seen = asyncio.run(azakaw().sight(target, view().row, {"customer_id": NEW.upper()}))

    assert (list(seen.customer_ids), seen.decision_status) == ([NEW], "Approved")
    assert [(each.field, each.ours, each.theirs) for each in seen.comparisons] == [
        ("email", "ada@example.com", "other@example.com")
    ]


def test_a_customer_that_a_reading_does_not_show_is_looked_for_in_a_fresh_one() -> None:
    target = Target(listed(), listed(entry()))
    seen = asyncio.run(azakaw().sight(target, view().row, {"customer_id": NEW}))

    assert (list(seen.customer_ids), len(target.asked)) == ([NEW], 2)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"email": " ADA@example.com"}, True),
        ({"email": "a@example.com"}, False),
        ({"customer_id": NEW.upper()}, True),
        ({"customer_id": "c-1"}, False),
        ({"first_name": "ada", "last_name": "lovelace"}, True),
        ({"last_name": "love"}, False),
    ],
)
def test_a_lookup_finds_exactly(wanted: dict[str, str], found: bool) -> None:
    records = asyncio.run(azakaw().find(Target(listed(entry()), listed()), wanted))

    assert [record["customerId"] for record in records] == ([NEW] if found else [])


def test_a_moment_that_can_not_be_read_explains_nothing() -> None:
    found = Submission.of(entry(submissionDate="yesterday"))
    assert found.created is None
    lost, never_sent = (
        looked(Target(listed(entry(submissionDate=None))), view(doubt=doubt)) for doubt in (Doubt(NOW, 1), None)
    )

    assert isinstance(lost, Unclear)
    assert isinstance(never_sent, Ended)
    assert never_sent.reason_code == "email_taken"
