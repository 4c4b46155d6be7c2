"""bLink over real sockets: headers, tokens, paging, contacts, addresses, lag, consent, switches, journal."""

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from jobs.sandbox.blink_routes import OPERATIONS, ROUTES
from jobs.sandbox.server import Sandbox, Standing

HEADERS = {
    "X-Correlation-ID": "call-1",
    "X-CorAPI-Target-ID": "bank-1",
    "X-PSU-IP-Address": "AUTO",
    "X-PSU-User-Agent": "AUTO",
    "User-Agent": "tests/1",
}
GRANT = {"grant_type": "refresh_token", "client_id": "muster", "refresh_token": "blink-refresh"}
TOKEN_PATH = "/consent-flow/v2/oauth/token"
CONTACT = {"medium": "email", "contactMediumType": "private", "contactContent": "anna@example.com"}
PLACE = {
    "streetName": "Bahnhofstrasse",
    "buildingNumber": "1",
    "postCode": "8001",
    "townName": "Zürich",
    "country": "CH",
}
POSTAL = {"salutation": {}, "name": {"givenName": "Anna", "lastName": "Meier"}, "physicalAddress": PLACE}


class Hub:
    """A client with a token and every header: `hub("GET", "customers")`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http = httpx.Client(base_url=sandbox.of("blink").base_url, timeout=10, trust_env=False)
        self.headers = dict(HEADERS)

    def token(self, **form: str) -> httpx.Response:
        return self.http.post(TOKEN_PATH, data=GRANT | form)

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        if "Authorization" not in self.headers:
            self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self.http.request(method, f"/{path}", headers=self.headers, **kwargs)

    def contact(self, person: str = "P-0001", **members: Any) -> httpx.Response:
        return self("POST", f"persons/{person}/contactdetails", json=without_none(CONTACT | members))

    def address(self, customer: str = "C-0002", **members: Any) -> httpx.Response:
        return self("POST", f"customers/{customer}/addresses", json=without_none({"postalAddress": POSTAL} | members))

    def pages(self, path: str = "customers", **query: Any) -> list[list[dict[str, Any]]]:
        """All pages, by either spelling of the header."""
        found, cursor = [], ""
        while True:
            reply = self("GET", path, params=query | ({"cursor": cursor} if cursor else {}))
            found.append(reply.json())
            cursor = reply.headers.get("nextCursor") or reply.headers.get("X-Next-Cursor") or ""
            if not cursor:
                return found


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    hub = Hub(sandbox)
    with hub.http:
        yield hub


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("blink")


def configure(sandbox: Sandbox, **switches: Any) -> None:
    sandbox.configure(switches={"blink": switches})


def problem(reply: httpx.Response) -> tuple[int, str]:
    body = reply.json()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Content-Language"] == "en"
    assert {"type", "title", "detail", "instance"} <= set(body)
    return reply.status_code, body["type"]


def counts(standing: Standing) -> tuple[int, int]:
    found = standing.snapshot()["counts"]
    return found["contacts"], found["addresses"]


def test_a_refresh_token_gives_a_bearer_and_its_successor(hub: Hub) -> None:
    first = hub.token().json()
    assert (first["token_type"], first["expires_in"]) == ("bearer", 900)
    assert {"access_token", "refresh_token", "scope"} <= set(first)
    used = hub.token()
    assert (problem(used), used.json()["error"]) == ((400, "invalidToken"), "invalid_grant")
    assert hub.token(refresh_token=first["refresh_token"]).status_code == 200


def test_a_refresh_token_may_stay_the_same(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, rotate_refresh=False)
    assert [hub.token().json()["refresh_token"] for _ in range(3)] == ["blink-refresh"] * 3


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"refresh_token": "made-up"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused(hub: Hub, form: dict[str, str], status: int, error: str) -> None:
    reply = hub.token(**form)
    assert (problem(reply)[0], reply.json()["error"]) == (status, error)


def test_a_consent_may_be_withdrawn(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, refuse_refresh=True)
    assert hub.token().json()["error"] == "invalid_grant"


def test_a_token_request_is_form_encoded(hub: Hub) -> None:
    assert problem(hub.http.post(TOKEN_PATH, json=GRANT))[0] == 415
    assert problem(hub.http.get(TOKEN_PATH)) == (405, "wrongMethod")


def test_a_token_expires_and_an_unknown_one_is_invalid(sandbox: Sandbox, hub: Hub) -> None:
    assert hub("GET", "customers").status_code == 200
    sandbox.configure(clock_offset=900)
    assert problem(hub("GET", "customers")) == (401, "expiredToken")
    hub.headers["Authorization"] = "Bearer made-up"
    assert problem(hub("GET", "customers")) == (401, "invalidToken")
    hub.headers["Authorization"] = ""
    assert problem(hub("GET", "customers")) == (401, "invalidToken")


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_400_and_changes_nothing(hub: Hub, standing: Standing, name: str) -> None:
    before = counts(standing)
    hub.headers[name] = ""
    reply = hub.contact()
    assert problem(reply) == (400, "invalidPayload")
    assert name in reply.json()["detail"]
    assert counts(standing) == before


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("X-Correlation-ID", "c" * 64, 200),
        ("X-Correlation-ID", "c" * 65, 400),
        ("X-PSU-IP-Address", "192.0.2.1", 200),
        ("X-PSU-IP-Address", "auto", 400),
    ],
)
def test_headers_have_forms(hub: Hub, name: str, value: str, status: int) -> None:
    hub.headers[name] = value
    assert hub("GET", "customers").status_code == status


def test_the_correlation_id_comes_back_with_errors_too(hub: Hub) -> None:
    hub.headers["X-Correlation-ID"] = "mine-7"
    replies = [hub("GET", "customers"), hub("GET", "customers/nobody"), hub("GET", "nowhere")]
    assert [reply.headers["X-Correlation-ID"] for reply in replies] == ["mine-7"] * 3


def test_a_stored_permission_may_stand_for_the_token(sandbox: Sandbox, hub: Hub) -> None:
    permission = "00000000-0000-4000-8000-0000000000ab"
    configure(sandbox, caas=True, permission_id=permission)
    hub.headers["Authorization"] = ""
    assert problem(hub("GET", "customers")) == (400, "invalidPayload")
    for value, expected in ((permission[:-1], 400), (permission.replace("ab", "cd"), 401), (permission, 200)):
        hub.headers["Permission-ID"] = value
        assert hub("GET", "customers").status_code == expected


def test_the_customers_of_the_start_are_there_and_the_same_each_time(
    sandbox: Sandbox, hub: Hub, standing: Standing
) -> None:
    before = standing.snapshot()
    assert [customer["customerIdentification"] for customer in before["customers"]] == [
        f"C-{n:04d}" for n in range(1, 41)
    ]
    assert before["counts"] == {"customers": 40, "persons": 40, "contacts": 40, "doubleContacts": 0, "addresses": 20}
    sandbox.reset()
    assert standing.snapshot() == before
    with Sandbox(switches={"blink": {"customers": 3}}) as other:
        assert other.of("blink").snapshot()["counts"]["customers"] == 3


def test_a_customer_has_its_persons_and_addresses(hub: Hub) -> None:
    customer = hub("GET", "customers/C-0001").json()
    assert (customer["externalReference"], customer["status"]) == ("X-0001", "active")
    assert customer["personList"] == [{"personRelation": "accountOwner", "personIdentification": "P-0001"}]
    assert (
        hub("GET", "customers/C-0001/addresses").json()["addressIdentification"]
        == customer["addressList"][0]["addressIdentification"]
    )
    assert hub("GET", "customers/C-0001/kyc").json()["customer"] == customer


def test_a_person_has_its_customers_and_contacts(hub: Hub) -> None:
    person = hub("GET", "persons/P-0001").json()
    contacts = hub("GET", "persons/P-0001/contactdetails").json()
    assert person["customerList"] == [{"customerIdentification": "C-0001"}]
    assert (person["personDetails"]["personType"], person["contactInformation"]) == ("naturalPerson", contacts)


def test_the_healthcheck_answers_a_time_and_ok(hub: Hub) -> None:
    body = hub("GET", "healthcheck").json()
    assert (body["status"], body["timestamp"][-1]) == ("OK", "Z")


def test_an_identification_may_be_a_number(hub: Hub, standing: Standing) -> None:
    standing.plant(customerIdentification=123456, persons=[{"personIdentification": 9}])
    assert hub("GET", "customers/123456").json()["customerIdentification"] == 123456
    assert hub("GET", "persons/9").json()["customerList"] == [{"customerIdentification": 123456}]


@pytest.mark.parametrize("path", ["customers/nobody", "customers/C-0001/nothing", "persons/nobody/contactdetails", "x"])
def test_what_is_not_there_is_404(hub: Hub, path: str) -> None:
    assert problem(hub("GET", path)) == (404, "resourceDoesNotExist")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "customers"), ("PUT", "persons/P-0001/contactdetails"), ("DELETE", "customers/C-0001")],
)
def test_there_is_no_create_of_customers_and_no_change_of_contacts(hub: Hub, method: str, path: str) -> None:
    assert problem(hub(method, path, json={} if method != "DELETE" else None)) == (405, "wrongMethod")


def test_without_consent_a_customer_and_its_person_are_not_shown(hub: Hub, standing: Standing) -> None:
    standing.amend("customers", "C-0007", consent=False)
    assert sum(len(page) for page in hub.pages()) == 39
    assert sum(len(page) for page in hub.pages("persons")) == 39
    paths = ["customers/C-0007", "customers/C-0007/kyc", "persons/P-0007", "persons/P-0007/contactdetails"]
    assert {hub("GET", path).status_code for path in paths} == {404}
    assert hub.contact("P-0007").status_code == 404


@pytest.mark.parametrize("path", ["customers", "persons"])
@pytest.mark.parametrize("header", ["nextCursor", "X-Next-Cursor"])
@pytest.mark.parametrize("end", ["absent", "empty"])
def test_a_list_is_read_in_pages_by_a_cursor(sandbox: Sandbox, hub: Hub, path: str, header: str, end: str) -> None:
    configure(sandbox, page_size=15, cursor_header=header, cursor_end=end)
    pages = hub.pages(path)
    key = "customerIdentification" if path == "customers" else "personIdentification"
    assert [len(page) for page in pages] == [15, 15, 10]
    assert [row[key][1:] for page in pages for row in page] == [f"-{number:04d}" for number in range(1, 41)]
    assert header.lower() in hub("GET", path).headers
    assert hub("GET", path, params={"limit": 2}).headers[header]
    assert (header in hub("GET", "healthcheck").headers) is False


def test_the_last_page_has_no_cursor_or_an_empty_one(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, page_size=40)
    assert "nextCursor" not in hub("GET", "customers").headers
    configure(sandbox, page_size=40, cursor_end="empty")
    assert hub("GET", "customers").headers["nextCursor"] == ""


def test_a_limit_shortens_a_page_but_does_not_lengthen_it(hub: Hub) -> None:
    assert [len(hub("GET", "customers", params={"limit": limit}).json()) for limit in (1, 19, 500)] == [1, 19, 20]
    assert {problem(hub("GET", "customers", params={"limit": limit})) for limit in ("0", "-1", "x", "")} == {
        (400, "invalidPayload")
    }


def test_a_cursor_that_was_not_given_out_is_400(hub: Hub) -> None:
    assert {problem(hub("GET", "customers", params={"cursor": text}))[0] for text in ("2", "é", "YWJj", "===")} == {400}


def test_a_cursor_may_lead_to_itself(sandbox: Sandbox, hub: Hub) -> None:
    configure(sandbox, cursor_loop=True)
    first = hub("GET", "customers").headers["nextCursor"]
    second = hub("GET", "customers", params={"cursor": first})
    assert second.headers["nextCursor"] == first


def test_a_customer_planted_between_two_pages_shifts_none(hub: Hub, standing: Standing) -> None:
    first = hub("GET", "customers")
    standing.amend("customers", "C-0001", deleted=True)
    standing.plant(customerIdentification="late")
    second = hub("GET", "customers", params={"cursor": first.headers["nextCursor"]}).json()
    assert (second[0]["customerIdentification"], len(second)) == ("C-0021", 20)


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
    ids = [int(hub.address().json()["addressIdentification"]) for _ in range(2)]
    assert hub("GET", "customers/C-0002/addresses").json()["addressIdentification"] == ids[0]
    configure(sandbox, address_shown="newest")
    assert hub("GET", "customers/C-0002/addresses").json()["addressIdentification"] == ids[1]


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
    reply = hub("PUT", "customers/C-0001/addresses", json=without_none({**before, **members}))
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
    assert hub.address().status_code == 201
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


def standing_address(sandbox: Sandbox) -> int:
    return int(sandbox.of("blink").snapshot()["customers"][0]["addresses"][0])


def test_a_new_contact_is_seen_after_some_reads(sandbox: Sandbox, hub: Hub, standing: Standing) -> None:
    configure(sandbox, lag_reads=2)
    hub.contact()
    seen = [len(hub("GET", "persons/P-0001/contactdetails").json()) for _ in range(4)]
    assert (seen, counts(standing)[0]) == ([1, 1, 2, 2], 41)


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


def test_every_operation_has_its_name(sandbox: Sandbox, hub: Hub) -> None:
    names = {"persons": "P-0001", "customers": "C-0001", "customer": "C-0001"}
    for method, first, *rest in ROUTES:
        path = "/".join([first, *(names[first] if part == "*" else part for part in rest)])
        hub(method, path, **({} if method == "GET" else {"json": {}}))
    assert [entry["operation"] for entry in sandbox.journal()] == ["token", *ROUTES.values()]


def test_a_customer_can_be_planted_changed_and_deleted(control: httpx.Client, hub: Hub) -> None:
    record = {
        "customerIdentification": "C-9",
        "externalReference": "X-0001",
        "status": "inactive",
        "persons": [
            {"personIdentification": "P-9", "lastName": "Nef", "contacts": [CONTACT]},
            {"personIdentification": "P-0001"},
        ],
        "addresses": [{"postalAddress": POSTAL}],
    }
    made = control.post("/customers?system=blink", json=record).json()[0]
    assert made["persons"] == ["P-9", "P-0001"]
    customer = hub("GET", "customers/C-9").json()
    assert (customer["status"], customer["addressList"]) == (
        "inactive",
        [{"addressIdentification": number} for number in made["addresses"]],
    )
    assert len(hub("GET", "persons/P-0001").json()["customerList"]) == 2
    control.patch("/customers/C-9?system=blink", json={"status": "closed", "externalReference": "other"})
    assert (hub("GET", "customers/C-9").json()["status"]) == "closed"
    control.patch("/customers/C-9?system=blink", json={"deleted": True})
    assert hub("GET", "customers/C-9").status_code == 404
    assert len(hub("GET", "persons/P-0001").json()["customerList"]) == 1


def test_a_contact_and_a_person_can_be_changed_behind_the_clients_back(hub: Hub, standing: Standing) -> None:
    number = hub.contact().json()["contactIdentification"]
    standing.amend("contacts", number, contactContent="other@example.com")
    assert hub("GET", "persons/P-0001/contactdetails").json()[-1]["contactContent"] == "other@example.com"
    standing.amend("contacts", number, deleted=True)
    standing.amend("persons", "P-0001", lastName="Nef")
    assert len(hub("GET", "persons/P-0001/contactdetails").json()) == 1
    assert hub("GET", "persons/P-0001").json()["personDetails"]["lastName"] == "Nef"
    standing.amend("persons", "P-0001", deleted=True)
    assert hub("GET", "customers/C-0001").json()["personList"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/customers", {"customerIdentification": "C-0001"}, 400),
        ("POST", "/customers", {"status": "sleeping"}, 400),
        ("PATCH", "/customers/C-0001", {"status": "sleeping"}, 400),
        ("PATCH", "/customers/nobody", {"status": "closed"}, 404),
        ("PATCH", "/wallets/1", {"status": "closed"}, 404),
    ],
)
def test_wrong_control_calls_are_refused(
    control: httpx.Client, standing: Standing, method: str, path: str, body: object, status: int
) -> None:
    before = standing.snapshot()
    assert control.request(method, f"{path}?system=blink", json=body).status_code == status
    assert standing.snapshot() == before


@pytest.mark.parametrize(
    "switches",
    [
        {"colour": 1},
        {"customers": -1},
        {"page_size": 0},
        {"page_size": True},
        {"cursor_header": "cursor"},
        {"offers": ["fly"]},
        {"offers": "healthcheck"},
        {"not_offered": 404},
        {"lag_reads": "2"},
    ],
    ids=str,
)
def test_a_wrong_switch_is_refused_and_changes_nothing(control: httpx.Client, switches: dict[str, Any]) -> None:
    reply = control.post("/settings", json={"switches": {"blink": switches}})
    assert (reply.status_code, next(iter(switches)) in reply.json()["error"]) == (400, True)
    assert control.get("/settings").json()["switches"] == {}
