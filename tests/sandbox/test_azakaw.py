"""Azakaw over real sockets: token, envelope, creates, reads, list, limits, switches, what is stored."""

import hashlib
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest

from jobs.sandbox.azakaw.records import STATES
from jobs.sandbox.listing import ORDERS
from jobs.sandbox.server import Sandbox

from .test_listing import in_its_order

EMPLOYEE = "3ea657a9-5a05-46f9-9277-d27f2ccd13ea"
ADD = "/ExtCustomerManagement/AddCustomer"
UNLIMITED = {"create": None, "read": None, "download": None}
READS = ["/ExtReport/GetIndividualProfile", "/ExtReport/DownloadIndividualProfilePagePdf"]
LEGAL_READS = ["/ExtReport/GetLegalProfile", "/ExtReport/DownloadLegalProfilePagePdf"]


def person(number: int = 1, **members: Any) -> dict[str, Any]:
    """The page's sample of an individual; a member given as None is left out."""
    body = {
        "userType": "IndividualCustomer",
        "customerEmail": f"Person{number}@example.com",
        "customerMobileNumber": "",
        "employeeId": EMPLOYEE,
        "formId": "form-individual",
        "sendEmail": False,
        "individualCustomer": {"firstName": "Ada", "lastName": "Lovelace"},
    }
    return {name: value for name, value in (body | members).items() if value is not None}


def company(number: int = 1, **members: Any) -> dict[str, Any]:
    """The page's sample of a legal entity."""
    named = {"fullName": "Analytical Engines Ltd", "registrationNumber": "12345", "tradingName": "Engines"} | members
    return person(number, userType="LegalCustomer", formId="form-legal", individualCustomer=None) | {
        "legalEntityCustomer": {name: value for name, value in named.items() if value is not None}
    }


class Office:
    """One app's calls."""

    def __init__(self, sandbox: Sandbox, app: str = "app", tenant: str = "1001") -> None:
        self.sandbox, self.standing = sandbox, sandbox.of("azakaw")
        self.http = httpx.Client(base_url=self.standing.base_url, timeout=10, trust_env=False)
        self.token = self.login(app, f"{app}-secret", tenant).json()["result"]["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def login(self, app: object, secret: object, tenant: object) -> httpx.Response:
        body = {"appId": app, "appSecret": secret, "tenantId": tenant}
        return self.http.post("/api/AppSessionManager/GetAppToken", json=body)

    def add(self, number: int = 1, **members: Any) -> httpx.Response:
        return self.http.post(ADD, json=person(number, **members))

    def submission(self, number: int = 1, **members: Any) -> str:
        return str(self.add(number, **members).json()["result"]["submissionId"])

    def listed(self, *states: str, form: str = "form-individual") -> httpx.Response:
        query = httpx.QueryParams({"formId": form, "states": states or STATES})
        return self.http.get("/ExtForm/submissions", params=query)

    def switch(self, **switches: object) -> None:
        self.sandbox.configure(switches={"azakaw": {"limits": UNLIMITED} | switches})

    def counts(self) -> dict[str, int]:
        return dict(self.standing.snapshot()["counts"])


@pytest.fixture
def office(sandbox: Sandbox) -> Iterator[Office]:
    with Office(sandbox) as caller:
        caller.switch()
        yield caller


def refused(reply: httpx.Response, status: int) -> list[str]:
    """The messages of a refusal in its whole form."""
    envelope = reply.json()
    assert reply.status_code == status
    assert envelope == {"version": None, "statusCode": status, "messages": envelope["messages"], "result": None}
    assert envelope["messages"]
    return list(envelope["messages"])


def test_the_samples_of_the_page_are_accepted(office: Office) -> None:
    one = office.add(customerMobileNumber=None)
    other = office.http.post(ADD, json=company())
    assert [reply.status_code for reply in (one, other)] == [200, 200]
    assert one.json() == {
        "version": None,
        "statusCode": 200,
        "messages": ["Processed successfully"],
        "result": {"submissionId": office.standing.snapshot()["customers"][0]["submissionId"]},
    }


@pytest.mark.parametrize(
    ("app", "secret", "tenant"),
    [
        ("app", "wrong", "1001"),
        ("none", "none-secret", "1001"),
        ("app", "app-secret", "1002"),
        ("app", "app-secret", 1001),
    ],
)
def test_a_wrong_credential_gets_no_token(office: Office, app: str, secret: str, tenant: object) -> None:
    refused(office.login(app, secret, tenant), 401)
    refused(office.login(None, None, None), 401)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic x"])
def test_every_other_call_needs_a_token(office: Office, header: str) -> None:
    office.http.headers["Authorization"] = header
    calls = [("POST", ADD), ("GET", "/ExtCustomerManagement/GetEmployees"), ("GET", f"{READS[0]}/x")]
    for method, path in calls:
        refused(office.http.request(method, path), 401)


def test_a_token_lives_a_day_or_as_long_as_it_is_told(office: Office) -> None:
    office.sandbox.configure(clock_offset=86_390)
    assert office.add().status_code == 200
    office.sandbox.configure(clock_offset=86_401)
    refused(office.add(2), 401)
    office.sandbox.configure(clock_offset=0, token_seconds=5)
    office.http.headers["Authorization"] = (
        "Bearer " + office.login("app", "app-secret", "1001").json()["result"]["token"]
    )
    office.sandbox.configure(clock_offset=6)
    refused(office.add(3), 401)


@pytest.mark.parametrize(
    "name", ["userType", "customerEmail", "employeeId", "formId", "sendEmail", "individualCustomer"]
)
def test_a_required_member_is_demanded(office: Office, name: str) -> None:
    absent: dict[str, Any] = {name: None}
    assert name in " ".join(refused(office.add(**absent), 400))


@pytest.mark.parametrize(
    "members",
    [
        {"userType": "Individual"},
        {"userType": ["IndividualCustomer"]},
        {"customerEmail": "nobody"},
        {"customerMobileNumber": 27821234567},
        {"employeeId": "4ea657a9-5a05-46f9-9277-d27f2ccd13ea"},
        {"formId": "another-form"},
        {"formId": "form-legal"},
        {"sendEmail": "false"},
        {"sendEmail": 0},
        {"individualCustomer": {"firstName": "Ada"}},
        {"individualCustomer": {"firstName": "Ada", "lastName": " "}},
        {"individualCustomer": {"firstName": "Ada", "lastName": "van REFUSED"}},
    ],
)
def test_a_wrong_member_is_refused(office: Office, members: dict[str, Any]) -> None:
    refused(office.add(**members), 400)
    assert office.counts()["customers"] == 0


@pytest.mark.parametrize("members", [{"fullName": None}, {"registrationNumber": None}, {"fullName": "Refused"}])
def test_a_company_needs_name_and_number(office: Office, members: dict[str, Any]) -> None:
    refused(office.http.post(ADD, json=company(**members)), 400)
    assert office.http.post(ADD, json=company(tradingName=None)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_body_that_is_no_object_is_refused(office: Office, content: bytes) -> None:
    refused(office.http.post(ADD, content=content, headers={"content-type": "application/json"}), 400)
    refused(office.http.post(ADD, content=b"{}", headers={"content-type": "text/plain"}), 400)


def test_an_email_is_taken_once_on_a_form_in_any_case(office: Office) -> None:
    office.add()
    refused(office.add(customerEmail=" PERSON1@example.com "), 409)
    assert office.http.post(ADD, json=company()).status_code == 200
    assert office.counts() == {"customers": 2, "doubles": 0, "mails": 0}


def test_a_second_customer_meets_what_the_switch_says(office: Office) -> None:
    first = office.submission()
    office.switch(duplicate="400")
    refused(office.add(), 400)
    office.switch(duplicate="200-existing")
    assert office.submission() == first
    assert [entry["committed"] for entry in office.sandbox.journal() if entry["operation"] == "add_customer"] == [
        True,
        False,
        False,
    ]
    office.switch(duplicate="accepted")
    assert office.submission() != first
    assert office.counts()["doubles"] == 1


def test_mails_are_counted(office: Office) -> None:
    submission = office.submission(sendEmail=True)
    body = {"userType": "IndividualCustomer", "submissionId": submission}
    for _ in range(2):
        assert office.http.post("/ExtCustomerManagement/SetCustomerPassword", json=body).json()["statusCode"] == 200
    assert office.counts()["mails"] == 3
    commits = [(entry["commit"], entry["customerId"]) for entry in office.sandbox.journal() if entry["committed"]]
    assert commits == [(1, submission), (2, submission), (3, submission)]


@pytest.mark.parametrize(
    ("user_type", "known", "status"),
    [("IndividualCustomer", False, 404), ("LegalCustomer", True, 400), (None, True, 400)],
)
def test_a_password_is_set_for_a_known_customer_only(
    office: Office, user_type: str | None, known: bool, status: int
) -> None:
    body = {"userType": user_type, "submissionId": office.submission() if known else "x"}
    refused(office.http.post("/ExtCustomerManagement/SetCustomerPassword", json=body), status)


def test_employees_are_listed(office: Office) -> None:
    office.switch(employees={"e-1": "One", "e-2": "Two"})
    reply = office.http.get("/ExtCustomerManagement/GetEmployees").json()
    assert reply["result"] == [{"id": "e-1", "name": "One"}, {"id": "e-2", "name": "Two"}]
    assert [office.add(employeeId=EMPLOYEE).status_code, office.add(employeeId="e-2").status_code] == [400, 200]


def test_a_profile_succeeds_with_status_code_0_and_no_messages(office: Office) -> None:
    submission = office.submission()
    reply = office.http.get(f"/ExtReport/GetIndividualProfile/{submission}")
    envelope = reply.json()
    assert (reply.status_code, envelope["statusCode"], envelope["messages"]) == (200, 0, None)
    members = {"form", "submission", "answers", "riskAssessment", "riskAssessmentDetail", "documents"}
    assert set(envelope["result"]) == members
    assert envelope["result"]["submission"]["submissionId"] == submission


def test_a_pdf_is_one_that_readers_open(office: Office) -> None:
    reply = office.http.get(f"/ExtReport/DownloadIndividualProfilePagePdf/{office.submission()}")
    start = int(reply.content.split(b"startxref\n")[1].split(b"\n")[0])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/pdf")
    assert reply.content.startswith(b"%PDF-1.4\n")
    assert reply.content[start:].startswith(b"xref\n0 7\n")
    places = [int(line[:10]) for line in reply.content[start:].split(b"\n")[3:9]]
    assert [reply.content[place:].startswith(b"%d 0 obj" % n) for n, place in enumerate(places, 1)] == [True] * 6


def test_a_profile_is_found_under_its_own_kind_only(office: Office) -> None:
    one = office.submission()
    other = office.http.post(ADD, json=company()).json()["result"]["submissionId"]
    for path, own, foreign in [*((path, one, other) for path in READS), *((path, other, one) for path in LEGAL_READS)]:
        assert office.http.get(f"{path}/{own}").status_code == 200
        refused(office.http.get(f"{path}/{foreign}"), 404)
        refused(office.http.get(f"{path}/unknown"), 404)


def test_the_list_shows_a_form_s_submissions_in_the_states_asked_for(office: Office) -> None:
    one, two = office.submission(1), office.submission(2)
    office.http.post(ADD, json=company())
    office.standing.amend("customers", two, kycState="Approved")
    assert [
        [row["submissionId"] for row in office.listed(*asked).json()["result"]["submissions"]]
        for asked in (("New",), ("Approved", "Rejected"), ("New", "Onboarding", "Approved"), ("Rejected",))
    ] == [[one], [two], [one, two], []]


def test_a_row_of_the_list_has_the_documented_members(office: Office) -> None:
    office.add()
    envelope = office.listed("New").json()
    [row] = envelope["result"]["submissions"]
    assert (set(envelope), envelope["result"]["count"]) == ({"statusCode", "messages", "result"}, 1)
    assert (row["kycState"], row["email"], row["customerName"]) == ("New", "Person1@example.com", "Ada Lovelace")
    assert set(row) == {"submissionId", "customerId", "customerName", "submissionDate", "kycState", "email"}
    assert row["submissionDate"].endswith("Z")
    assert len(row["submissionDate"]) == 20


@pytest.mark.parametrize(
    "query",
    [
        "",
        "formId=form-individual",
        "states=New",
        "formId=x&states=New",
        "formId=form-individual&states=new",
        "formId=form-individual&states=New,Approved",
        "formId=form-individual&states=New&states=Old",
    ],
)
def test_form_and_states_are_required_and_exact(office: Office, query: str) -> None:
    refused(office.http.get(f"/ExtForm/submissions?{query}"), 400)


@pytest.mark.parametrize(("strictness", "status"), [("seed", 404), ("vendor", 403)])
def test_the_list_may_be_absent(office: Office, strictness: str, status: int) -> None:
    office.switch(listing=False)
    office.sandbox.configure(strictness=strictness)
    refused(office.listed(), status)


def test_the_count_may_be_wrong_and_a_new_row_late(office: Office) -> None:
    office.switch(count_wrong=True, lag_reads=2)
    office.add()
    seen = [office.listed().json()["result"] for _ in range(3)]
    assert [(result["count"], len(result["submissions"])) for result in seen] == [(1, 0), (1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("ending", "state"),
    [("Inreview", "ComplianceReview"), ("Approved", "Approved"), ("REJECTED", "Rejected"), ("X", "New")],
)
def test_a_last_name_chooses_the_state(office: Office, ending: str, state: str) -> None:
    office.add(individualCustomer={"firstName": "Ada", "lastName": f"Love{ending}"})
    assert [row["kycState"] for row in office.standing.snapshot()["customers"]] == [state]


def test_refusals_may_hide_in_http_200(office: Office) -> None:
    office.switch(body_status=True, limits={"create": "2/60"})
    replies = [office.add(), office.add(), office.add()]
    assert [(reply.status_code, reply.json()["statusCode"]) for reply in replies] == [
        (200, 200),
        (200, 409),
        (429, 429),
    ]
    office.http.headers["Authorization"] = ""
    assert [office.listed().status_code, office.listed().json()["statusCode"]] == [200, 401]


def test_the_eleventh_create_in_a_minute_is_refused(sandbox: Sandbox) -> None:
    with Office(sandbox) as office:
        codes = [office.add(number).status_code for number in range(10)]
        reply = office.add(11)
    assert codes == [200] * 10
    refused(reply, 429)
    assert 50 < int(reply.headers["retry-after"]) <= 60
    assert office.counts()["customers"] == 10


@pytest.mark.parametrize(("path", "calls"), [("GetIndividualProfile", 60), ("DownloadIndividualProfilePagePdf", 30)])
def test_reads_and_downloads_have_their_own_windows(sandbox: Sandbox, path: str, calls: int) -> None:
    with Office(sandbox) as office:
        url = f"/ExtReport/{path}/{office.submission()}"
        codes = [office.http.get(url).status_code for _ in range(calls + 1)]
        assert codes == [200] * calls + [429]
        assert office.add(2).status_code == 200


def test_lists_employees_and_profiles_share_the_window_of_reads(office: Office) -> None:
    office.switch(limits={"read": "3/60"})
    submission = office.submission()
    paths = ["/ExtCustomerManagement/GetEmployees", f"{READS[0]}/{submission}", f"{READS[0]}/{submission}"]
    assert [office.http.get(path).status_code for path in paths] == [200] * 3
    refused(office.listed(), 429)
    assert office.http.get(f"{READS[1]}/{submission}").status_code == 200


def test_windows_and_submissions_are_of_one_tenant(office: Office) -> None:
    office.switch(apps={"app": "1001", "second": "1001", "foreign": "2002"}, limits={"create": "1/60"})
    with Office(office.sandbox, "second") as second, Office(office.sandbox, "foreign", "2002") as foreign:
        submission = office.submission()
        refused(second.add(2), 429)
        assert foreign.add().status_code == 200
        assert second.http.get(f"{READS[0]}/{submission}").status_code == 200
        refused(foreign.http.get(f"{READS[0]}/{submission}"), 404)
        assert foreign.listed().json()["result"]["count"] == 1


def test_retry_after_may_be_absent_and_the_window_opens_again(office: Office) -> None:
    office.switch(limits={"create": "1/0.5"})
    office.sandbox.configure(limit_retry_after=False)
    assert office.add(1).status_code == 200
    reply = office.add(2)
    while office.add(3).status_code == 429:
        pass
    assert (reply.status_code, "retry-after" in reply.headers) == (429, False)
    assert office.counts()["customers"] == 2


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ADD), ("POST", "/ExtForm"), ("GET", f"{READS[0]}/a/b"), ("GET", "/")]
)
def test_other_paths_are_not_there(office: Office, method: str, path: str) -> None:
    refused(office.http.request(method, path), 404)


def test_the_journal_names_app_and_submission_but_no_person(office: Office) -> None:
    submission = office.submission()
    office.http.get(f"{READS[0]}/{submission}")
    office.listed()
    entries = office.sandbox.journal()
    told = [(entry["operation"], entry["credential"], entry["customerId"], entry["committed"]) for entry in entries]
    assert told == [
        ("get_app_token", None, None, False),
        ("add_customer", "app", submission, True),
        ("individual_profile", "app", submission, False),
        ("list_submissions", "app", None, False),
    ]
    assert not any(word in str(entries) + str(office.standing.snapshot()) for word in ("Ada", "@", "Lovelace"))


def test_the_state_finds_a_row_by_the_hash_of_its_email(office: Office) -> None:
    submission = office.submission()
    [row] = office.standing.snapshot()["customers"]
    assert row["email_sha256"] == hashlib.sha256(b"person1@example.com").hexdigest()
    assert (row["submissionId"], row["kycState"]) == (submission, "New")


def test_a_submission_is_planted_amended_and_deleted(office: Office) -> None:
    ids = office.standing.plant(customerEmail="person1@example.com", kycState="Rejected")
    refused(office.add(), 409)
    with pytest.raises(ValueError, match="kycState must be one of New"):
        office.standing.amend("customers", ids["submissionId"], kycState="Done")
    office.standing.amend("customers", ids["submissionId"], deleted=True)
    assert office.add().status_code == 200
    with pytest.raises(KeyError):
        office.standing.amend("customers", ids["submissionId"], deleted=True)
    with pytest.raises(ValueError, match="needs customerEmail"):
        office.standing.plant(email="person1@example.com")


def test_faults_find_a_call_by_its_last_name(office: Office) -> None:
    fault = {"operation": "add_customer", "match": {"lastName": "Lovelace"}, "kind": "drop_after_commit", "nth": 1}
    office.sandbox.faults([fault])
    with pytest.raises(httpx.TransportError):
        office.add()
    assert office.listed().json()["result"]["count"] == 1
    office.sandbox.faults([{"operation": "add_customer", "kind": "throttle", "params": {"retry_after": 3}}])
    assert office.add(2).headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("switches", "complaint"),
    [
        ({"dup": "409"}, "unknown switch 'dup'"),
        ({"duplicate": 409}, "one of 409, 200-existing, 400, accepted"),
        ({"limits": {"write": "1/1"}}, "no class 'write'"),
        ({"limits": {"create": "0/60"}}, "CALLS/SECONDS"),
        ({"limits": {"create": "often"}}, "CALLS/SECONDS"),
        ({"limits": "10/60"}, "an object"),
        ({"lag_reads": -1}, "whole number"),
        ({"listing": 404}, "true or false"),
        ({"forms": {"f": "Legal"}}, "'Legal' is neither"),
        ({"apps": {"app": 1001}}, "a tenant is text"),
    ],
)
def test_a_wrong_switch_is_refused_when_it_is_set(office: Office, switches: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        office.switch(**switches)
    with pytest.raises(ValueError, match=complaint):
        Sandbox(switches={"azakaw": switches})
    assert office.add().status_code == 200


def test_switches_of_no_system_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no system 'azakav'; known: azakaw"):
        sandbox.configure(switches={"azakav": {}})


def test_a_reset_forgets_submissions_and_tokens(office: Office) -> None:
    first = office.submission()
    office.sandbox.reset()
    refused(office.add(), 401)
    with Office(office.sandbox) as again:
        assert again.submission() == first


@pytest.mark.parametrize("order", ORDERS)
def test_submissions_are_listed_in_that_order(office: Office, order: str) -> None:
    names = [office.submission(number) for number in range(1, 13)]
    office.switch(list_order=order)
    listed = office.listed().json()["result"]

    assert listed["count"] == len(names)
    assert in_its_order(order, names, [each["submissionId"] for each in listed["submissions"]])
