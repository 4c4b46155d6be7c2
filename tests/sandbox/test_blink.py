"""bLink over real sockets: headers, tokens, customers and persons, paging, consent."""

import pytest

from jobs.sandbox.server import Sandbox, Standing

from .hub import GRANT, HEADERS, TOKEN_PATH, Hub, configure, counts, problem


@pytest.fixture
def standing(sandbox: Sandbox) -> Standing:
    return sandbox.of("blink")


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


def test_a_person_is_shown_through_the_customer_that_has_consent_and_only_with_it(hub: Hub, standing: Standing) -> None:
    standing.plant(customerIdentification="C-9", consent=False, persons=[{"personIdentification": "P-0001"}])
    assert hub("GET", "persons/P-0001").json()["customerList"] == [{"customerIdentification": "C-0001"}]


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
