"""Windows of users and tenants, calls in flight, and what a reply says about them."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from jobs.sandbox.clock import Clock
from jobs.sandbox.eclipse.quotas import Flights, Quotas
from jobs.sandbox.journal import Journal
from jobs.sandbox.server import Sandbox
from jobs.sandbox.settings import Limit

from .caller import Caller


def rest(reply: httpx.Response) -> tuple[str | None, str | None]:
    return reply.headers.get("X-RateLimit-Limit"), reply.headers.get("X-RateLimit-Remaining")


def test_without_limits_no_reply_speaks_of_a_budget(operator: Caller) -> None:
    assert rest(operator("GET", "customers")) == (None, None)


def test_reads_count_in_a_users_window_and_each_reply_says_what_is_left(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(user_limit="3/60")
    replies = [operator("GET", "customers"), operator("GET", "customers/1"), operator.create(1), operator.create(2)]
    assert [reply.status_code for reply in replies] == [200, 404, 200, 429]
    assert [rest(reply) for reply in replies] == [("3", "2"), ("3", "1"), ("3", "0"), ("3", "0")]
    assert replies[3].json()[0]["code"] == "RLT001"
    assert 50 <= int(replies[3].headers["Retry-After"]) <= 60


def test_a_tenants_window_is_shared_by_its_users_and_by_no_other_tenant(
    sandbox: Sandbox, operator: Caller, onboarding: Caller, stranger: Caller
) -> None:
    sandbox.configure(tenant_limit="2/60")
    codes = [caller("GET", "customers").status_code for caller in (operator, onboarding, operator, onboarding)]
    assert codes == [200, 200, 429, 429]
    assert stranger("GET", "customers").status_code == 200


def test_the_tighter_of_two_windows_is_shown(sandbox: Sandbox, operator: Caller, onboarding: Caller) -> None:
    sandbox.configure(user_limit="5/60", tenant_limit="6/60")
    shown = [rest(caller("GET", "customers")) for caller in (operator, onboarding, onboarding)]
    assert shown == [("5", "4"), ("5", "4"), ("5", "3")]
    assert rest(operator("GET", "customers")) == ("6", "2")


def test_login_needs_no_budget(sandbox: Sandbox) -> None:
    sandbox.configure(user_limit="1/60", tenant_limit="1/60")
    for _ in range(3):
        with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
            assert caller.login


def test_a_call_that_one_window_refuses_is_counted_in_none() -> None:
    quotas, narrow, wide = Quotas(), ("narrow", Limit(1, 10.0)), ("wide", Limit(5, 30.0))
    waits = [quotas.take([wide, narrow], now) for now in (0.0, 1.0, 4.0)]
    assert waits == [None, 9.0, 6.0]
    assert quotas.left(*wide, now=4.0) == 4
    assert quotas.take([wide, narrow], 10.0) is None
    assert quotas.take([], 10.0) is None


def test_more_calls_in_flight_than_a_user_may_have_are_429(
    sandbox: Sandbox, operator: Caller, onboarding: Caller
) -> None:
    sandbox.configure(concurrency_limit=2, latency_ms=200)
    with ThreadPoolExecutor(6) as pool:
        flying = [pool.submit(caller, "GET", "customers") for caller in (*[operator] * 4, *[onboarding] * 2)]
        codes = [call.result().status_code for call in flying]
    assert sorted(codes[:4]) == [200, 200, 429, 429]
    assert codes[4:] == [200, 200]
    assert operator("GET", "customers").status_code == 200


def test_neither_refused_nor_finished_calls_are_in_flight() -> None:
    flights, journal = Flights(), Journal(Clock())
    first, second, third = (journal.arrival("GET", "eclipse", []) for _ in range(3))
    for entry in (first, second):
        flights.arrive("operator", entry, 1)
    first.delivered = "full"
    flights.arrive("operator", third, 1)
    assert [flights.refused(entry) for entry in (first, second, third)] == [False, True, False]


def test_a_dropped_call_is_no_longer_in_flight(sandbox: Sandbox, operator: Caller) -> None:
    sandbox.configure(concurrency_limit=1)
    sandbox.faults([{"operation": "search_customers", "nth": 1, "kind": "status", "params": {"status": 503}}])
    assert [operator("GET", "customers").status_code for _ in range(3)] == [503, 200, 200]
