"""Each kind of fault, as a client sees it and as the journal has it."""

import gzip
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import eventually

from .caller import Caller, person


def create_fault(sandbox: Sandbox, kind: str, **params: Any) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": kind, "params": params}])


def stored(sandbox: Sandbox) -> int:
    count: int = sandbox.snapshot()["counts"]["customers"]
    return count


def last(sandbox: Sandbox) -> dict[str, Any]:
    entry: dict[str, Any] = sandbox.journal()[-1]
    return entry


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("kind", "commits"), [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_a_drop_sends_no_byte_and_commits_as_it_says(
    sandbox: Sandbox, operator: Caller, kind: str, commits: int, reset: bool
) -> None:
    create_fault(sandbox, kind, reset=reset)
    expected = httpx.ReadError if reset else httpx.RemoteProtocolError
    with pytest.raises(expected):
        operator.create(1)
    entry = last(sandbox)
    assert stored(sandbox) == commits
    assert (entry["committed"], entry["status"], entry["delivered"], entry["fault"]) == (
        commits == 1,
        None,
        "none",
        kind,
    )
    assert operator.create(1).status_code == (409 if commits else 200)


def test_a_drop_in_the_middle_breaks_the_body(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "drop_mid_reply")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        operator.create(1)
    assert (stored(sandbox), last(sandbox)["delivered"]) == (1, "part")


def test_the_answer_before_may_be_delivered_in_the_place_of_the_own_one(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": [1, 2], "kind": "previous_answer"}])
    first, second, third = (operator.create(number).json() for number in (1, 2, 3))
    assert (second, stored(sandbox)) == (first, 3)
    assert first["externalUniqueId"] == "cust-00000001"
    assert third["externalUniqueId"] == "cust-00000003"
    assert [entry["fault"] for entry in sandbox.journal()[-3:]] == ["previous_answer", "previous_answer", None]


@pytest.mark.parametrize(("kind", "commits"), [("status", 0), ("status_after_commit", 1)])
@pytest.mark.parametrize("status", [400, 401, 403, 418, 500, 503])
def test_a_status_comes_before_or_after_the_commit(
    sandbox: Sandbox, operator: Caller, kind: str, commits: int, status: int
) -> None:
    create_fault(sandbox, kind, status=status)
    reply = operator.create(1)
    assert (reply.status_code, stored(sandbox)) == (status, commits)
    assert set(reply.json()[0]) >= {"code", "traceId"}
    assert (last(sandbox)["status"], last(sandbox)["committed"]) == (status, commits == 1)


def test_a_status_may_bring_its_own_body_and_headers(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "status", status=403, body={"odd": 1}, headers={"SCA": "id=1f;type=OTP"})
    reply = operator.create(1)
    assert (reply.json(), reply.headers["SCA"]) == ({"odd": 1}, "id=1f;type=OTP")
    create_fault(sandbox, "status", status=503, body="down", headers=[["Retry-After", "1"], ["Retry-After", "2"]])
    assert operator.create(1).headers.get_list("Retry-After") == ["1", "2"]


@pytest.mark.parametrize("after", [3, "1.5", "²", -1])
def test_a_throttle_sends_retry_after_as_given(sandbox: Sandbox, operator: Caller, after: int | str) -> None:
    create_fault(sandbox, "throttle", retry_after=after)
    reply = operator.create(1)
    assert (reply.status_code, reply.json()[0]["code"], stored(sandbox)) == (429, "RLT001", 0)
    assert dict(reply.headers.raw)[b"retry-after"] == str(after).encode()


def test_a_throttle_may_name_a_date_on_the_servers_clock(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(clock_offset=600)
    create_fault(sandbox, "throttle", retry_after_date=30)
    reply = operator.create(1)
    date, until = (parsedate_to_datetime(reply.headers[name]) for name in ("Date", "Retry-After"))
    assert 29 <= (until - date).total_seconds() <= 31
    assert 500 <= date.timestamp() - time.time() <= 601


def test_a_throttle_may_hide_under_400(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "throttle", status=400)
    reply = operator.create(1)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "RLT001")
    assert "Retry-After" not in reply.headers


@pytest.mark.parametrize(("when", "commits"), [("before", 0), ("after", 1)])
def test_a_delay_falls_before_or_after_the_commit(sandbox: Sandbox, operator: Caller, when: str, commits: int) -> None:
    create_fault(sandbox, "delay", seconds=3, when=when)
    with pytest.raises(httpx.ReadTimeout):
        operator("POST", "customers", json=person(1), timeout=0.2)
    assert stored(sandbox) == commits
    eventually(lambda: last(sandbox)["delivered"] == "none")


def test_a_client_that_gave_up_is_worked_on_all_the_same(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "delay", seconds=2)
    with pytest.raises(httpx.ReadTimeout):
        operator("POST", "customers", json=person(1), timeout=0.1)
    eventually(lambda: last(sandbox)["delivered"] == "none")
    assert (stored(sandbox), last(sandbox)["committed"]) == (1, True)


def test_a_truncated_body_is_well_framed(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "truncated_body")
    reply = operator.create(1)
    assert (reply.status_code, len(reply.content)) == (200, int(reply.headers["Content-Length"]))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        reply.json()


@pytest.mark.parametrize(
    ("kind", "params", "content"),
    [("empty_body", {}, b""), ("garbage_body", {"text": "]]"}, b"]]"), ("garbage_body", {}, b"\x00%&{[}nonsense")],
)
def test_a_spoiled_body_comes_with_200(
    sandbox: Sandbox, operator: Caller, kind: str, params: dict[str, str], content: bytes
) -> None:
    create_fault(sandbox, kind, **params)
    reply = operator.create(1)
    assert (reply.status_code, reply.content, stored(sandbox)) == (200, content, 1)


def test_a_page_comes_instead_of_json(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "wrong_content_type")
    reply = operator.create(1)
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.text.startswith("<!DOCTYPE html>")


def test_a_slow_body_arrives_at_its_pace(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "slow_body", bytes_per_second=500)
    begun = time.monotonic()
    reply = operator.create(1)
    assert reply.json()["status"] == "ACTIVE"
    assert time.monotonic() - begun >= len(reply.content) / 500


def test_a_huge_body_is_as_long_as_asked(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "huge_body", bytes=10_000_000)
    reply = operator.create(1)
    assert len(reply.content) > 10_000_000
    assert reply.json()["status"] == "ACTIVE"


def test_a_huge_body_may_be_small_on_the_wire(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "huge_body", bytes=5_000_000, gzip=True)
    with operator.http.stream("POST", "/", headers={}) as _:
        pass
    request = operator.http.build_request(
        "POST", f"{_prefix(operator)}/customers", json=person(1), headers=operator.headers
    )
    reply = operator.http.send(request, stream=True)
    packed = b"".join(reply.iter_raw())
    reply.close()
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 5_000_000


def _prefix(caller: Caller) -> str:
    return f"/eclipse-conductor/rest/v1/tenants/{caller.tenant}"


def test_a_redirect_points_where_it_is_told(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "redirect", location="http://127.0.0.1:9/elsewhere", status=308)
    reply = operator.create(1)
    assert (reply.status_code, reply.headers["Location"]) == (308, "http://127.0.0.1:9/elsewhere")
    assert stored(sandbox) == 0


def test_unauthorized_looks_like_an_expired_token(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "unauthorized")
    reply = operator.create(1)
    assert (reply.status_code, reply.json()[0]["code"], stored(sandbox)) == (401, "SEC005", 0)


def test_a_connection_may_be_closed_after_a_whole_reply(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "close_after_reply")
    reply = operator.create(1)
    assert (reply.status_code, last(sandbox)["delivered"]) == (200, "full")
    assert "Connection" not in reply.headers


CLIENT = """
import sys, httpx
url, token, *pairs = sys.argv[1:]
httpx.post(url, json=eval(pairs[0]), headers={"Authorization": token}, trust_env=False)
print("survived")
"""


@pytest.mark.parametrize(("when", "commits"), [("before", 0), ("after", 1)])
def test_the_client_can_be_killed_around_the_commit(
    sandbox: Sandbox, operator: Caller, when: str, commits: int
) -> None:
    url = f"{sandbox.base_url}{_prefix(operator)}/customers"
    # The shell waits for a line, so that the rule can name the process before it sends anything.
    command = ["sh", "-c", 'read _; exec "$@"', "sh", sys.executable, "-c", CLIENT]
    arguments = [*command, url, operator.headers["Authorization"], repr(person(1))]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        create_fault(sandbox, "signal_client", pid=client.pid, when=when)
        output, _ = client.communicate("go\n", timeout=20)
    assert (client.returncode, output) == (-signal.SIGKILL, "")
    entry = last(sandbox)
    assert (entry["fault"], entry["externalUniqueId"]) == ("signal_client", "cust-00000001")
    assert (entry["committed"], entry["status"], stored(sandbox)) == (commits == 1, None, commits)


def test_a_call_in_flight_is_dropped_by_a_reset(sandbox: Sandbox, operator: Caller) -> None:
    create_fault(sandbox, "delay", seconds=0.3)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(operator.create, 1)
        while len(sandbox.journal()) < 2:
            time.sleep(0.01)
        sandbox.reset()
        with pytest.raises(httpx.RemoteProtocolError):
            reply.result()
    assert (stored(sandbox), sandbox.journal()) == (0, [])


def test_nth_counts_the_calls_that_the_rule_fits(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.faults(
        [
            {"operation": "create_customer", "nth": [2, 3], "kind": "status", "params": {"status": 503}},
            {"operation": "*", "nth": "every", "match": {"lastName": "Nkosi"}, "kind": "unauthorized"},
        ]
    )
    codes = [operator.create(number).status_code for number in range(4)]
    named = operator.create(9, "Nkosi").status_code
    counters = [(rule["seen"], rule["reached"]) for rule in sandbox.faults()]
    assert (codes, named) == ([200, 503, 503, 200], 401)
    assert counters == [(5, 2), (1, 1)]


@pytest.mark.parametrize("match", ["externalUniqueId", "customerId", "lastName"])
def test_a_rule_can_name_one_customer(sandbox: Sandbox, operator: Caller, match: str) -> None:
    one, other = operator.customer(1, "Nkosi"), operator.customer(2)
    value = {"externalUniqueId": "cust-00000001", "customerId": str(one), "lastName": "Nkosi"}[match]
    sandbox.faults([{"operation": "trigger_kyc", "match": {match: value}, "kind": "status", "params": {"status": 500}}])
    codes = [operator("POST", f"customers/{customer}/ratify", json={}).status_code for customer in (other, one)]
    assert codes == [200, 500]


def test_faults_reach_login_and_reads_too(sandbox: Sandbox, operator: Caller) -> None:
    kinds = {"login": 503, "search_customers": 502, "customer_exists": 405, "read_kyc": 504}
    rules = [{"operation": name, "kind": "status", "params": {"status": code}} for name, code in kinds.items()]
    customer = operator.customer(1)
    sandbox.faults(rules)
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as refused:
        pass
    codes = [
        operator("GET", "customers").status_code,
        operator("HEAD", "customers", params={"phone1": "1"}).status_code,
        operator("GET", f"customers/{customer}/ratify").status_code,
    ]
    assert (refused.login, codes) == ({}, [502, 405, 504])


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "explode"},
        {"kind": "delay"},
        {"kind": "delay", "params": {"seconds": "1"}},
        {"kind": "delay", "params": {"seconds": -1}},
        {"kind": "status", "params": {"status": 42}},
        {"kind": "status", "params": {"status": 500, "colour": "red"}},
        {"kind": "signal_client", "params": {"pid": 0}},
        {"kind": "signal_client", "params": {"pid": -1}},
        {"kind": "unauthorized", "nth": 0},
        {"kind": "unauthorized", "match": {"phone1": "1"}},
        {"kind": "unauthorized", "often": 1},
        "unauthorized",
    ],
    ids=str,
)
def test_a_wrong_rule_is_refused_and_the_old_ones_stay(control: httpx.Client, rule: object) -> None:
    control.post("/faults", json=[{"kind": "unauthorized"}])
    assert control.post("/faults", json=[rule]).status_code == 400
    assert len(control.get("/faults").json()) == 1
